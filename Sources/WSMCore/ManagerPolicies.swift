/// Which backend a `WebSocketManager` has.
public enum ManagerKind: String, Hashable, Sendable, CaseIterable, Codable {
    /// Connections in this process only: development and tests.
    case memory
    /// Redis Pub/Sub between all instances.
    case broadcast
}

/// A whole set of policies: what people run today, or what we would run.
public enum Profile: String, Hashable, Sendable, CaseIterable {
    case hardened
    case reference
}

/// How an instance of the Broadcast manager listens to the broker.
public enum SubscriptionPolicy: String, Hashable, Sendable, CaseIterable {
    /// One Redis connection a client (reference).
    case perClient = "per-client"
    /// One subscription an instance and channel.
    case shared
}

/// How `broadcastData` reaches the broker.
public enum PublishingPolicy: String, Hashable, Sendable, CaseIterable {
    /// A new Redis connection a call, `MULTI`, a `PUBLISH` a channel, `EXEC` (reference).
    case perBroadcast = "per-broadcast"
    /// One connection a publishing thread, pipelined in order.
    case persistent
}

/// How the Memory manager walks its clients.
public enum FanOutPolicy: String, Hashable, Sendable, CaseIterable {
    /// One after the other, waiting for each: a dead one ends the walk, a stalled one holds it (reference).
    case serial
    /// Each client for itself.
    case isolated
}

/// What the `ProcessDataBroadcastThread` does when a broadcast fails.
public enum ThreadOnError: String, Hashable, Sendable, CaseIterable {
    /// It ends, and nothing more is sent until the instance restarts (reference).
    case exit
    /// It reports the failure and takes the next update.
    case `continue`
}

/// What becomes of clients when the broker's connection breaks.
public enum BrokerLoss: String, Hashable, Sendable, CaseIterable {
    /// Two quick tries, silently; then the socket is dropped without a close frame (reference).
    case retryThenDrop = "retry-then-drop"
    /// Tries until it succeeds and tells nobody of the gap.
    case resubscribeSilently = "resubscribe-silently"
    /// Tries until it succeeds and tells each client of the gap.
    case resubscribeMarked = "resubscribe-marked"
}

/// What becomes of a client that does not read as fast as is sent.
public enum SlowClientPolicy: String, Hashable, Sendable, CaseIterable {
    /// Keep all for it (reference). An instance still drops it at ``SlowClient/bufferCeiling``.
    case buffer
    /// Leave out what comes while its buffer is over the limit.
    case drop
    /// End its connection when its buffer passes the limit.
    case disconnect
}

/// The slow-client policy with its limit.
public struct SlowClient: Hashable, Sendable {
    public var policy: SlowClientPolicy
    /// Bytes that may wait for one client.
    public var limit: Int

    /// Where even ``SlowClientPolicy/buffer`` ends a connection, in bytes: a bound, so that one client cannot take all
    /// memory.
    public static let bufferCeiling = 64 << 20

    public init(policy: SlowClientPolicy, limit: Int = SlowClient.bufferCeiling) {
        self.policy = policy
        self.limit = limit
    }

    /// The number of waiting bytes at which the policy acts.
    public var threshold: Int { policy == .buffer ? Swift.max(limit, SlowClient.bufferCeiling) : limit }
}

/// How `disconnect_all` walks the clients at shutdown.
public enum DisconnectAllPolicy: String, Hashable, Sendable, CaseIterable {
    /// It changes the list that it walks, and so leaves out every second client (reference).
    case skipping
    case complete
}

/// The queue of the `ProcessDataBroadcastThread`.
public struct BroadcastQueuePolicy: Hashable, Sendable {
    /// Updates that may wait; one more is refused and counted.
    public var limit: Int
    /// Whether `stop()` sends what still waits (within its deadline) or leaves it (reference).
    public var drainsOnStop: Bool
    /// How many waiting updates are taken at once and pipelined.
    public var batch: Int

    public init(limit: Int, drainsOnStop: Bool, batch: Int) {
        self.limit = limit
        self.drainsOnStop = drainsOnStop
        self.batch = batch
    }
}

/// Everything about a manager that a profile decides.
public struct ManagerPolicies: Hashable, Sendable {
    public var subscription: SubscriptionPolicy
    public var publishing: PublishingPolicy
    public var fanOut: FanOutPolicy
    public var threadOnError: ThreadOnError
    /// Redis connections that an instance may hold for its clients; `nil` is unlimited.
    public var redisPool: Int?
    public var brokerLoss: BrokerLoss
    public var slowClient: SlowClient
    public var disconnectAll: DisconnectAllPolicy
    public var queue: BroadcastQueuePolicy

    /// What people run today: `workfloworchestrator/orchestrator-core`.
    ///
    /// Its queue has no bound; ours is so far off that a run meets it only when the thread is dead.
    public static let reference = ManagerPolicies(
        subscription: .perClient, publishing: .perBroadcast, fanOut: .serial, threadOnError: .exit, redisPool: 100,
        brokerLoss: .retryThenDrop, slowClient: SlowClient(policy: .buffer), disconnectAll: .skipping,
        queue: BroadcastQueuePolicy(limit: 10_000_000, drainsOnStop: false, batch: 1))

    /// What we would run.
    public static let hardened = ManagerPolicies(
        subscription: .shared, publishing: .persistent, fanOut: .isolated, threadOnError: .continue, redisPool: nil,
        brokerLoss: .resubscribeMarked, slowClient: SlowClient(policy: .disconnect, limit: 1 << 20),
        disconnectAll: .complete, queue: BroadcastQueuePolicy(limit: 65_536, drainsOnStop: true, batch: 256))

    public init(
        subscription: SubscriptionPolicy, publishing: PublishingPolicy, fanOut: FanOutPolicy,
        threadOnError: ThreadOnError, redisPool: Int?, brokerLoss: BrokerLoss, slowClient: SlowClient,
        disconnectAll: DisconnectAllPolicy, queue: BroadcastQueuePolicy
    ) {
        self.subscription = subscription
        self.publishing = publishing
        self.fanOut = fanOut
        self.threadOnError = threadOnError
        self.redisPool = redisPool
        self.brokerLoss = brokerLoss
        self.slowClient = slowClient
        self.disconnectAll = disconnectAll
        self.queue = queue
    }

    public static func of(_ profile: Profile) -> ManagerPolicies {
        switch profile {
        case .reference: .reference
        case .hardened: .hardened
        }
    }
}
