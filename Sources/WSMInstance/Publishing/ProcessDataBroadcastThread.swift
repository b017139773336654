internal import WSMCore
internal import WSMManagers

/// The thread that makes the broadcasts of workers' process updates, one instance one thread.
///
/// Reference: `services/process_broadcast_thread.py`. Workers put updates on its queue and go on; it takes them in order and
/// calls `broadcastData`. Its life is ``BroadcastThreadMachine``.
final class ProcessDataBroadcastThread: Sendable {
    /// One update of a process: the messages that it broadcasts, in their order.
    struct Update: Sendable {
        var broadcasts: [Broadcast]
    }

    private struct State {
        var queue: BroadcastQueue<Update>
        var machine: BroadcastThreadMachine
        /// Crashed: nothing more is taken, and nothing is reported.
        var isAbandoned = false
    }

    private let state: Monitor<State>
    private let manager: LiveWebSocketManager
    private let thread: DedicatedThread

    /// Starts the thread.
    init(manager: LiveWebSocketManager, name: String, entity: UInt64) {
        let policies = manager.configuration.policies
        let state = Monitor(
            State(
                queue: BroadcastQueue(limit: policies.queue.limit),
                machine: BroadcastThreadMachine(onError: policies.threadOnError, queue: policies.queue)))
        self.state = state
        self.manager = manager
        thread = DedicatedThread(name: name) { Self.run(state, manager: manager, entity: entity) }
    }

    /// Updates that wait.
    var waiting: Int { state.withLock { $0.queue.count } }

    /// How the thread ended; `nil` while it lives.
    var end: BroadcastThreadEnd? { state.withLock { $0.machine.end } }

    /// Puts an update on the queue; from any thread, never blocks for long.
    ///
    /// `submit` gives the messages their place in the queue's order: it runs while the place is held.
    func put(_ submit: () -> Update) {
        let refused: Update? = state.update { state in
            let update = submit()
            return state.queue.put(update) ? nil : update
        }
        guard let refused else { return }
        manager.counters.countQueueRefused()
        Self.abandon([refused], .queueDropped, manager)
    }

    /// `stop()`: asks the thread to end and waits as long as the reference does.
    ///
    /// False when it is still busy then.
    ///
    /// Blocks: not for event loops or async functions.
    func stop() -> Bool {
        state.update { $0.machine.stop(now: .now()) }
        return thread.join(until: .now() + BroadcastThreadMachine.stopTimeout + .milliseconds(500))
    }

    /// Lets the thread end without taking anything more; returns at once.
    func abandon() {
        state.update { state in
            state.isAbandoned = true
            var left: [Update] = []
            state.queue.take(upTo: .max, into: &left)
        }
    }

    /// Reports what still waits as never published, once the thread has ended and nobody submits any more.
    ///
    /// Returns how many updates that were.
    func abandonQueue() -> Int {
        var left: [Update] = []
        let end = state.withLock { state in
            state.queue.take(upTo: .max, into: &left)
            return state.machine.end
        }
        Self.abandon(left, end == .died ? .threadDead : .queueDropped, manager)
        return left.count
    }

    private static func abandon(_ updates: [Update], _ outcome: PublishEnd, _ manager: LiveWebSocketManager) {
        let now = MonotonicInstant.now()
        for broadcast in updates.lazy.flatMap(\.broadcasts) {
            if let stamp = broadcast.stamp { manager.probe?.ended(stamp, outcome, at: now) }
        }
    }

    // MARK: The thread

    private enum Turn {
        case broadcast([Update])
        case exit(BroadcastThreadEnd)
        case abandoned
    }

    private static func run(_ state: Monitor<State>, manager: LiveWebSocketManager, entity: UInt64) {
        let publisher = manager.makePublisher(entity: entity)
        while true {
            switch nextTurn(state) {
            case .broadcast(let updates):
                let published = broadcast(updates, publisher)
                state.update { $0.machine.finished(failed: !published) }
            case .abandoned: return
            case .exit(let end):
                manager.probe?.broadcastThreadEnded(end, at: .now())
                return
            }
        }
    }

    /// Waits for an update or the end.
    ///
    /// The reference looks up once a second (`queue.get(timeout=1)`); a condition wakes this thread at once.
    private static func nextTurn(_ state: Monitor<State>) -> Turn {
        while true {
            let turn: Turn? = state.wait(until: .now() + .seconds(1)) { state in
                if state.isAbandoned { return .abandoned }
                switch state.machine.next(waiting: state.queue.count, now: .now()) {
                case .exit(let end): return .exit(end)
                case .take(let count):
                    var updates: [Update] = []
                    state.queue.take(upTo: count, into: &updates)
                    guard !updates.isEmpty else { return nil }
                    state.machine.began()
                    return .broadcast(updates)
                }
            }
            if let turn { return turn }
        }
    }

    private static func broadcast(_ updates: [Update], _ publisher: ThreadPublisher) -> Bool {
        let now = MonotonicInstant.now()
        var broadcasts: [Broadcast] = []
        for var broadcast in updates.lazy.flatMap(\.broadcasts) {
            broadcast.stamp?.dequeued = now
            broadcasts.append(broadcast)
        }
        return publisher.broadcastData(broadcasts)
    }
}
