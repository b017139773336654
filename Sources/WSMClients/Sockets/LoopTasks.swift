import Synchronization

/// What a loop has been asked to do, now or later; safe from any thread.
///
/// It holds what parts of this program ask for, never what a peer sends: a few tasks a message at most.
final class LoopTasks: Sendable {
    typealias Task = () -> Void

    struct Timer {
        /// In nanoseconds of the monotonic clock.
        var due: Int64
        var run: Task
        /// In place of `run`, when the loop ends before.
        var fail: Task
        fileprivate(set) var number: UInt64 = 0

        init(due: Int64, run: @escaping Task, fail: @escaping Task) {
            self.due = due
            self.run = run
            self.fail = fail
        }
    }

    fileprivate struct State {
        var tasks: [Task] = []
        /// The first due last; of one instant in the order they came.
        var timers: [Timer] = []
        var lastNumber: UInt64 = 0
        /// Whether the loop waits for the kernel and nobody has woken it.
        var isWaiting = false
        var isShut = false
        var hasEnded = false
        var whenEnded: [@Sendable () -> Void] = []

        /// Whether whoever has just added something must wake the loop.
        mutating func takeWake() -> Bool {
            defer { isWaiting = false }
            return isWaiting
        }
    }

    /// `@unchecked Sendable`: tasks and timers cross to the loop's thread with what they hold, and are run nowhere else.
    private struct Box: @unchecked Sendable {
        var value = State()
    }

    private let state = Mutex(Box())

    func add(_ task: @escaping Task) -> (isTaken: Bool, needsWake: Bool) {
        let carried = Carried(task)
        return state.withLock {
            guard !$0.value.hasEnded else { return (false, false) }
            $0.value.tasks.append(carried.value)
            return (true, $0.value.takeWake())
        }
    }

    /// `nil` when the loop has ended.
    func add(_ timer: Timer) -> (number: UInt64?, needsWake: Bool) {
        let carried = Carried(timer)
        return state.withLock {
            guard !$0.value.hasEnded else { return (nil, false) }
            var timer = carried.value
            $0.value.lastNumber += 1
            timer.number = $0.value.lastNumber
            let isFirst = $0.value.timers.last.map { timer.due < $0.due } ?? true
            $0.value.timers.insert(timer, at: $0.value.place(of: timer.due))
            return (timer.number, isFirst && $0.value.takeWake())
        }
    }

    func cancel(_ number: UInt64) {
        state.withLock { $0.value.timers.removeAll { $0.number == number } }
    }

    /// Takes the tasks, and the timers that are due at `now`, to be run in this order.
    func take(now: Int64) -> (tasks: [Task], isShut: Bool) {
        let taken = state.withLock { state -> Carried<(tasks: [Task], isShut: Bool)> in
            var tasks = state.value.tasks
            state.value.tasks.removeAll(keepingCapacity: true)
            while let timer = state.value.timers.last, timer.due <= now {
                state.value.timers.removeLast()
                tasks.append(timer.run)
            }
            return Carried((tasks, state.value.isShut))
        }
        return taken.value
    }

    /// The loop is about to wait: when its first timer is due, and whether there is something to do at once.
    func beforeWaiting() -> (due: Int64, isBusy: Bool) {
        state.withLock {
            let isBusy = !$0.value.tasks.isEmpty || $0.value.isShut
            $0.value.isWaiting = !isBusy
            return ($0.value.timers.last?.due ?? .max, isBusy)
        }
    }

    /// Asks the loop to end and calls `done` when it has; whether the loop must be woken for that.
    func shutDown(_ done: @escaping @Sendable () -> Void) -> Bool {
        let hasEnded = state.withLock {
            if !$0.value.hasEnded { $0.value.whenEnded.append(done) }
            $0.value.isShut = true
            return $0.value.hasEnded
        }
        if hasEnded { done() }
        return !hasEnded
    }

    /// The loop takes nothing any more: what has come since is dropped, timers fail.
    func end() {
        let rest = state.withLock { state -> Carried<State> in
            state.value.hasEnded = true
            defer {
                state.value.tasks = []
                state.value.timers = []
                state.value.whenEnded = []
            }
            return Carried(state.value)
        }
        for task in rest.value.tasks { task() }
        for timer in rest.value.timers.reversed() { timer.fail() }
        for done in rest.value.whenEnded { done() }
    }
}

extension LoopTasks.State {
    /// Where a timer belongs: before those that are due earlier, behind those of the same instant that came before.
    fileprivate func place(of due: Int64) -> Int {
        var low = 0
        var high = timers.count
        while low < high {
            let middle = (low + high) / 2
            if timers[middle].due > due { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Carries what is made on one thread to the loop's, which alone uses it.
private struct Carried<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
