/// The instances that a run starts, and the policies they run with.
package struct ClusterSpec: Hashable, Sendable {
    package var profile: Profile
    package var manager: ManagerKind
    package var instances: Int
    package var placement: Placement
    package var executor: Executor
    /// Worker threads an instance.
    package var workers: Int
    package var subscription: SubscriptionPolicy
    package var publishing: PublishingPolicy
    package var fanOut: FanOutPolicy
    package var threadOnError: ThreadOnError
    /// Redis connections that one instance may hold; `nil`: as many as it wants.
    package var redisPool: Int?
    package var brokerLoss: BrokerLoss
    package var slowClient: SlowClientSpec
    package var redis: RedisSource

    /// A cluster of defaults with the policies of `profile`.
    package init(profile: Profile = .hardened) {
        let isReference = profile == .reference
        self.profile = profile
        self.manager = .broadcast
        self.instances = 1
        self.placement = .inProcess
        self.executor = .threadpool
        self.workers = 5
        self.subscription = isReference ? .perClient : .shared
        self.publishing = isReference ? .perBroadcast : .persistent
        self.fanOut = isReference ? .serial : .isolated
        self.threadOnError = isReference ? .exit : .continue
        self.redisPool = isReference ? 100 : nil
        self.brokerLoss = isReference ? .retryThenDrop : .resubscribeMarked
        self.slowClient = SlowClientSpec(policy: isReference ? .buffer : .disconnect)
        self.redis = .embedded
    }
}

/// A set of policies: what people run today, or what we would run.
package enum Profile: String, CaseIterable, Sendable {
    case hardened
    case reference
}

/// Which manager an instance broadcasts through.
package enum ManagerKind: String, CaseIterable, Sendable {
    case memory
    case broadcast
}

/// Where the instances run.
package enum Placement: String, CaseIterable, Sendable {
    case inProcess = "in-process"
    case processes
}

/// Who runs the steps of a process.
package enum Executor: String, CaseIterable, Sendable {
    case threadpool
    case worker
}

/// How an instance subscribes for its clients.
package enum SubscriptionPolicy: String, CaseIterable, Sendable {
    case perClient = "per-client"
    case shared
}

/// Which connection a broadcast takes.
package enum PublishingPolicy: String, CaseIterable, Sendable {
    case perBroadcast = "per-broadcast"
    case persistent
}

/// Whether one client's failure touches the others.
package enum FanOutPolicy: String, CaseIterable, Sendable {
    case serial
    case isolated
}

/// What an error does to the broadcast thread.
package enum ThreadOnError: String, CaseIterable, Sendable {
    case exit
    case `continue`
}

/// What the loss of Redis does to clients.
package enum BrokerLoss: String, CaseIterable, Sendable {
    case retryThenDrop = "retry-then-drop"
    case resubscribeSilently = "resubscribe-silently"
    case resubscribeMarked = "resubscribe-marked"
}

/// What is done about a client that does not keep up.
package enum SlowClientPolicy: String, CaseIterable, Sendable {
    case buffer
    case drop
    case disconnect
}

/// The policy for slow clients and where it sets in.
package struct SlowClientSpec: Hashable, Sendable {
    package static let defaultLimit = 1 << 20

    package var policy: SlowClientPolicy
    /// Bytes that may wait for one client; the default, and without effect, under `buffer`.
    package var limit: Int

    package init(policy: SlowClientPolicy, limit: Int = SlowClientSpec.defaultLimit) {
        self.policy = policy
        self.limit = limit
    }
}

/// The Redis server of a cluster.
package enum RedisSource: Hashable, Sendable {
    /// A private server, started and ended by the run.
    case embedded
    case url(String)
}
