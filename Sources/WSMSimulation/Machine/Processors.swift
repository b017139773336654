package import WSMCore

/// A piece of work of one thread: so much CPU time, and what becomes of it on the way.
struct Work {
    /// CPU time.
    var length: TimeSpan
    /// Called at the beginning of each slice with the part of the work that it does, and when it begins.
    var slice: (Range<Int64>, MonotonicInstant) -> Void = { _, _ in }
    /// Called when all of it is done.
    var done: () -> Void = {}
}

/// The cores of a simulated machine: threads that have work take turns on them, the one that waited longest first.
///
/// A thread that is not done after a slice goes to the end of the queue, so that threads share the cores evenly: processor
/// sharing in small steps.
final class Processors {
    let simulator: Simulator
    let machine: SharedMachine
    /// From waking a sleeping thread until it asks for a core.
    let wake: TimeSpan
    private var free: Int
    private var ready: [SimulatedThread] = []
    private var head = 0
    private let seed: UInt64
    private var threads: UInt64 = 0
    /// CPU time that was spent so far.
    var use = ProcessorUse()
    /// Threads that wait for a core, over time.
    private(set) var queue = QueueAccount()

    init(_ simulator: Simulator, _ machine: SharedMachine, wake: TimeSpan, seed: UInt64) {
        self.simulator = simulator
        self.machine = machine
        self.wake = wake
        self.seed = seed
        free = max(1, machine.cores)
    }

    /// A thread of its own, asleep.
    func makeThread(_ owner: SimulatedThread.Owner) -> SimulatedThread {
        threads += 1
        let spread =
            switch owner {
            case .instance, .publisher: machine.instanceSpread
            case .redis: machine.redisSpread
            case .clients: machine.clientSpread
            }
        return SimulatedThread(
            self, owner, number: Int(threads), service: SpreadDraws(spread, seed: seed, entity: threads << 8),
            waking: SpreadDraws(machine.wakeSpread, seed: seed, entity: threads << 8 | 1))
    }

    /// A thread wants a core.
    func enqueue(_ thread: SimulatedThread) {
        ready.append(thread)
        queue.arrive(at: simulator.now)
        queue.observe(length: ready.count - head, at: simulator.now)
        dispatch()
    }

    private func dispatch() {
        while free > 0, head < ready.count {
            let thread = ready[head]
            head += 1
            if head > 256 {
                ready.removeFirst(head)
                head = 0
            }
            queue.depart(at: simulator.now)
            queue.observe(length: ready.count - head, at: simulator.now)
            free -= 1
            let length = thread.beginSlice(at: simulator.now, limit: machine.slice)
            use.add(length, of: thread.owner)
            simulator.after(length, .core, thread.number) { [self] in
                free += 1
                if thread.endSlice() { enqueue(thread) } else { dispatch() }
            }
        }
    }
}

/// A thread of the simulated machine: it sleeps until there is work, wakes, and does one piece after the other.
final class SimulatedThread {
    /// Whom its CPU time is counted to.
    enum Owner: Hashable {
        case instance
        /// A thread of an instance that publishes.
        case publisher
        case redis
        case clients
    }

    let owner: Owner
    let number: Int
    private unowned let processors: Processors
    private var service: SpreadDraws
    private var waking: SpreadDraws
    private var waiting: [() -> Work] = []
    private var current: Work?
    private var progress: Int64 = 0
    private var sliceEnd: Int64 = 0
    private var isAwake = false

    init(_ processors: Processors, _ owner: Owner, number: Int, service: SpreadDraws, waking: SpreadDraws) {
        self.processors = processors
        self.owner = owner
        self.number = number
        self.service = service
        self.waking = waking
    }

    /// Gives it a piece of work; `begin` is called when the thread has a core and gets to it.
    ///
    /// - Parameter isAwake: Whether the thread has been running until now, so that nothing has to wake it.
    func submit(isAwake alreadyAwake: Bool = false, _ begin: @escaping () -> Work) {
        waiting.append(begin)
        guard !isAwake else { return }
        isAwake = true
        guard !alreadyAwake else { return processors.enqueue(self) }
        processors.simulator.after(waking.next(processors.wake), .core, number) { [self] in processors.enqueue(self) }
    }

    /// The next factor for the length of a piece of work, in thousandths.
    func nextFactor() -> Int64 { service.next() }

    fileprivate func beginSlice(at now: MonotonicInstant, limit: TimeSpan) -> TimeSpan {
        if current == nil, !waiting.isEmpty {
            current = waiting.removeFirst()()
            progress = 0
        }
        guard let work = current else { return .zero }
        sliceEnd = min(work.length.nanoseconds, progress + limit.nanoseconds)
        work.slice(progress..<max(progress, sliceEnd), now)
        return TimeSpan(nanoseconds: sliceEnd - progress)
    }

    /// Returns whether there is more to do.
    fileprivate func endSlice() -> Bool {
        progress = sliceEnd
        if let work = current, progress >= work.length.nanoseconds {
            current = nil
            work.done()
        }
        isAwake = current != nil || !waiting.isEmpty
        return isAwake
    }
}

/// CPU time on a shared machine, by whom it was spent.
package struct ProcessorUse: Hashable, Sendable {
    /// With their publishing threads.
    package private(set) var instances = TimeSpan.zero
    package private(set) var redis = TimeSpan.zero
    package private(set) var clients = TimeSpan.zero
    /// Turns of the instances' event loops, and writes to clients in them.
    package private(set) var turns: Int64 = 0
    package private(set) var writes: Int64 = 0
    /// Turns of the clients' loops, reads in them, and the messages of these reads behind the first.
    package private(set) var clientTurns: Int64 = 0
    package private(set) var reads: Int64 = 0
    package private(set) var furtherMessages: Int64 = 0

    package init() {}

    mutating func add(_ span: TimeSpan, of owner: SimulatedThread.Owner) {
        switch owner {
        case .instance, .publisher: instances = instances + span
        case .redis: redis = redis + span
        case .clients: clients = clients + span
        }
    }

    mutating func addTurn(writes count: Int) {
        turns += 1
        writes += Int64(count)
    }

    mutating func addClientTurn(reads count: Int, messages: Int) {
        clientTurns += 1
        reads += Int64(count)
        furtherMessages += Int64(messages - count)
    }

    func since(_ before: ProcessorUse) -> ProcessorUse {
        var rest = self
        rest.instances = instances - before.instances
        rest.redis = redis - before.redis
        rest.clients = clients - before.clients
        rest.turns -= before.turns
        rest.writes -= before.writes
        rest.clientTurns -= before.clientTurns
        rest.reads -= before.reads
        rest.furtherMessages -= before.furtherMessages
        return rest
    }
}
