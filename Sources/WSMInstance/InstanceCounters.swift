internal import Synchronization
internal import WSMManagers

/// Counts of an instance since its start, for `/metrics` and the end of a run.
///
/// Written and read from any thread.
public final class InstanceCounters: Sendable {
    private let clientsNow = Atomic<Int>(0)
    private let connectionsAccepted = Atomic<Int>(0)
    private let brokerMessagesReceived = Atomic<Int>(0)
    private let broadcastsPublished = Atomic<Int>(0)
    private let broadcastsFailed = Atomic<Int>(0)
    private let broadcastsSentAgain = Atomic<Int>(0)
    private let queueRefusedUpdates = Atomic<Int>(0)
    private let slowClientsEvicted = Atomic<Int>(0)

    public init() {}

    /// WebSocket clients that the manager counts as connected now.
    public var clients: Int { clientsNow.load(ordering: .relaxed) }
    /// WebSocket handshakes that were accepted.
    public var connections: Int { connectionsAccepted.load(ordering: .relaxed) }
    /// Messages that came from the broker: with a subscription a client, one for each.
    public var brokerMessages: Int { brokerMessagesReceived.load(ordering: .relaxed) }
    /// Broadcasts that the broker or the Memory manager took.
    public var published: Int { broadcastsPublished.load(ordering: .relaxed) }
    /// Broadcasts that failed.
    public var failed: Int { broadcastsFailed.load(ordering: .relaxed) }
    /// Broadcasts that were sent again although an earlier try may have been published: they may arrive twice.
    public var riskyRetries: Int { broadcastsSentAgain.load(ordering: .relaxed) }
    /// Updates that the full broadcast queue refused.
    public var queueRefused: Int { queueRefusedUpdates.load(ordering: .relaxed) }
    /// Clients whose connection the slow-client policy ended.
    public var evicted: Int { slowClientsEvicted.load(ordering: .relaxed) }

    func setClients(_ count: Int) { clientsNow.store(count, ordering: .relaxed) }
    func countConnection() { connectionsAccepted.wrappingAdd(1, ordering: .relaxed) }
    func countBrokerMessage() { brokerMessagesReceived.wrappingAdd(1, ordering: .relaxed) }
    func countPublished() { broadcastsPublished.wrappingAdd(1, ordering: .relaxed) }
    func countFailed() { broadcastsFailed.wrappingAdd(1, ordering: .relaxed) }
    func countRiskyRetries(_ count: Int) { broadcastsSentAgain.wrappingAdd(count, ordering: .relaxed) }
    func countQueueRefused() { queueRefusedUpdates.wrappingAdd(1, ordering: .relaxed) }
    func countEviction() { slowClientsEvicted.wrappingAdd(1, ordering: .relaxed) }
}
