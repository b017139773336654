internal import WSMCore
internal import WSMManagers

/// Makes the broadcasts of API endpoints (`processStatusCounts`, `engineStatus`), with no order relative to the broadcast
/// thread's queue.
///
/// In the order of their coming. It holds at most ``DirectBroadcast/limit`` of them; one more is refused and counted.
protocol DirectBroadcaster: Sendable {
    /// From any thread; never blocks for long.
    ///
    /// `submit` runs while the broadcast's place in the order is held.
    func put(_ submit: () -> DirectBroadcast)

    /// Makes what waits, and takes no more; false when something is still under way at the deadline.
    ///
    /// Blocks.
    func stop(until deadline: MonotonicInstant) -> Bool

    /// Takes no more, and leaves what waits; returns at once.
    func abandon()
}

/// One broadcast of an API endpoint.
struct DirectBroadcast: Sendable {
    static let limit = 65_536

    var broadcast: Broadcast
    /// Told once, on a thread of the broadcaster's choosing: whether it was published.
    var done: (@Sendable (Bool) -> Void)?
}

extension LiveWebSocketManager {
    /// Makes the broadcasts of API endpoints: on the manager's event loop where nothing blocks there, else on a thread.
    func makeDirectBroadcaster(name: String, entity: UInt64) -> any DirectBroadcaster {
        if configuration.kind == .memory, configuration.policies.fanOut == .isolated {
            return LoopDirectBroadcaster(manager: self)
        }
        return ThreadDirectBroadcaster(manager: self, name: name, entity: entity)
    }

    /// Counts a broadcast that nobody takes.
    func refuse(_ refused: DirectBroadcast) {
        counters.countQueueRefused()
        if let stamp = refused.broadcast.stamp { probe?.ended(stamp, .queueDropped, at: .now()) }
        refused.done?(false)
    }
}
