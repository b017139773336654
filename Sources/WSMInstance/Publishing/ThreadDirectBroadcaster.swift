internal import WSMCore
internal import WSMManagers

/// Makes the broadcasts of API endpoints where making one blocks: a thread of their own does, in the order of their coming.
final class ThreadDirectBroadcaster: DirectBroadcaster {
    private struct State {
        var queue: BroadcastQueue<DirectBroadcast>
        var stops = false
    }

    /// How many are published together, where the policies allow it.
    static let batch = 256

    private let state = Monitor(State(queue: BroadcastQueue(limit: DirectBroadcast.limit)))
    private let thread: DedicatedThread
    private let manager: LiveWebSocketManager

    init(manager: LiveWebSocketManager, name: String, entity: UInt64) {
        self.manager = manager
        let state = self.state
        let policies = manager.configuration.policies
        // The reference awaits each call before the next.
        let together = manager.configuration.kind == .broadcast && policies.publishing == .persistent
        thread = DedicatedThread(name: name) {
            let publisher = manager.makePublisher(entity: entity)
            while let batch = Self.nextBatch(state, upTo: together ? Self.batch : 1) {
                publisher.broadcastData(batch.map(\.broadcast)) { index, isPublished in
                    batch[index].done?(isPublished)
                }
            }
        }
    }

    func put(_ submit: () -> DirectBroadcast) {
        let refused: DirectBroadcast? = state.update { state in
            let item = submit()
            return !state.stops && state.queue.put(item) ? nil : item
        }
        if let refused { manager.refuse(refused) }
    }

    func stop(until deadline: MonotonicInstant) -> Bool {
        state.update { $0.stops = true }
        return thread.join(until: deadline)
    }

    func abandon() {
        state.update { state in
            state.stops = true
            var left: [DirectBroadcast] = []
            state.queue.take(upTo: .max, into: &left)
        }
    }

    private static func nextBatch(_ state: Monitor<State>, upTo count: Int) -> [DirectBroadcast]? {
        while true {
            let batch: [DirectBroadcast]?? = state.wait(until: .now() + .seconds(1)) { state in
                var items: [DirectBroadcast] = []
                state.queue.take(upTo: count, into: &items)
                if !items.isEmpty { return .some(items) }
                return state.stops ? .some(nil) : nil
            }
            if let batch { return batch }
        }
    }
}
