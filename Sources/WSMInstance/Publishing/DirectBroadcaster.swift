internal import WSMCore
internal import WSMManagers

/// The broadcasts that API endpoints make themselves (`processStatusCounts`, `engineStatus`), with no order relative to the
/// broadcast thread's queue.
///
/// An event loop must not block, so a thread of their own makes them, in the order of their coming. It holds at most
/// ``limit`` broadcasts; one more is refused and counted.
final class DirectBroadcaster: Sendable {
    private struct State {
        var queue: BroadcastQueue<Item>
        var stops = false
    }

    struct Item: Sendable {
        var broadcast: Broadcast
        /// Told once, on the broadcaster's thread: whether it was published.
        var done: (@Sendable (Bool) -> Void)?
    }

    static let limit = 65_536
    /// How many are published together, where the policies allow it.
    static let batch = 256

    private let state = Monitor(State(queue: BroadcastQueue(limit: DirectBroadcaster.limit)))
    private let thread: DedicatedThread
    private let manager: LiveWebSocketManager

    init(manager: LiveWebSocketManager, name: String, entity: UInt64) {
        self.manager = manager
        let state = self.state
        let policies = manager.configuration.policies
        // The reference awaits each call before the next.
        let together =
            manager.configuration.kind == .memory
            ? policies.fanOut == .isolated : policies.publishing == .persistent
        thread = DedicatedThread(name: name) {
            let publisher = manager.makePublisher(entity: entity)
            while let batch = Self.nextBatch(state, upTo: together ? Self.batch : 1) {
                publisher.broadcastData(batch.map(\.broadcast)) { index, isPublished in
                    batch[index].done?(isPublished)
                }
            }
        }
    }

    /// From any thread; never blocks for long.
    ///
    /// `submit` runs while the broadcast's place in the order is held.
    func put(_ submit: () -> Item) {
        let refused: Item? = state.update { state in
            let item = submit()
            return !state.stops && state.queue.put(item) ? nil : item
        }
        guard let refused else { return }
        manager.counters.countQueueRefused()
        if let stamp = refused.broadcast.stamp { manager.probe?.ended(stamp, .queueDropped, at: .now()) }
        refused.done?(false)
    }

    /// Sends what waits and ends the thread; false when it is still busy at the deadline.
    ///
    /// Blocks.
    func stop(until deadline: MonotonicInstant) -> Bool {
        state.update { $0.stops = true }
        return thread.join(until: deadline)
    }

    /// Lets the thread end without sending what waits; returns at once.
    func abandon() {
        state.update { state in
            state.stops = true
            var left: [Item] = []
            state.queue.take(upTo: .max, into: &left)
        }
    }

    private static func nextBatch(_ state: Monitor<State>, upTo count: Int) -> [Item]? {
        while true {
            let batch: [Item]?? = state.wait(until: .now() + .seconds(1)) { state in
                var items: [Item] = []
                state.queue.take(upTo: count, into: &items)
                if !items.isEmpty { return .some(items) }
                return state.stops ? .some(nil) : nil
            }
            if let batch { return batch }
        }
    }
}
