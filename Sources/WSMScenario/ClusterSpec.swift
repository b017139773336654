package import WSMCore

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
    /// How `resubscribe-marked` tells a client of a gap.
    package var gapMark: GapMarkSpec
    package var slowClient: SlowClientSpec
    /// Bytes that the kernel keeps for one client; `nil`: as the system does, up to 4 MiB.
    package var sendBuffer: Int?
    package var redis: RedisSource
    /// Bytes that a private Redis keeps for one subscription before it cuts it; `nil`: Redis' own default (32 MiB, or 8 MiB for
    /// a minute).
    package var pubsubBufferLimit: Int?
    package var redisSecurity = RedisSecurity()
    /// Whether clients connect over TLS.
    package var tls = false
    package var auth = ClientAuth.none

    /// A cluster of defaults with the policies of `profile`.
    package init(profile: Profile = .hardened) {
        let policies = ManagerPolicies.of(profile)
        self.profile = profile
        self.manager = .broadcast
        self.instances = 1
        self.placement = .inProcess
        self.executor = .threadpool
        self.workers = 5
        self.subscription = policies.subscription
        self.publishing = policies.publishing
        self.fanOut = policies.fanOut
        self.threadOnError = policies.threadOnError
        self.redisPool = policies.redisPool
        self.brokerLoss = policies.brokerLoss
        self.gapMark = .close
        self.slowClient = SlowClientSpec(policy: policies.slowClient.policy)
        self.redis = .embedded
    }
}

extension ClusterSpec {
    /// The manager's policies: the profile's, with each key of the scenario in its place.
    package var policies: ManagerPolicies {
        var policies = ManagerPolicies.of(profile)
        policies.subscription = subscription
        policies.publishing = publishing
        policies.fanOut = fanOut
        policies.threadOnError = threadOnError
        policies.redisPool = redisPool
        policies.brokerLoss = brokerLoss
        policies.slowClient = SlowClient(policy: slowClient.policy, limit: slowClient.limit)
        return policies
    }
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

/// How a client is told that it may have missed something.
package enum GapMarkSpec: String, CaseIterable, Sendable {
    /// Close 1012: a browser connects anew and fetches everything again.
    case close
    /// A text message of its own, and the connection stays.
    case event
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

/// How the private Redis server of a run is secured.
package struct RedisSecurity: Hashable, Sendable {
    /// It takes TLS only.
    package var tls = false
    /// Instances log in as a user who may do no more than they need.
    package var acl = false

    package init(tls: Bool = false, acl: Bool = false) {
        self.tls = tls
        self.acl = acl
    }
}

/// Whom an instance lets in.
package enum ClientAuth: String, CaseIterable, Sendable {
    case none
    /// Who shows a bearer token that the run has signed.
    case token
}

/// The Redis server of a cluster.
package enum RedisSource: Hashable, Sendable {
    /// A private server, started and ended by the run.
    case embedded
    case url(String)
}
