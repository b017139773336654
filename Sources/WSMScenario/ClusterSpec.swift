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

extension ClusterSpec {
    /// Whether instances publish to and listen at different servers, each of which sees the messages in an order of its own.
    package var hasSeveralOrders: Bool {
        guard manager == .broadcast, case .cluster(let redis) = self.redis else { return false }
        return redis.publish == .bus
    }
}

extension Scenario {
    /// Whether a fault of Redis can cost clients messages whose own instance notices nothing of it.
    ///
    /// Behind sentinels it is a failover that leaves the old master alive: who hears of it late publishes to where nobody listens
    /// any more. Over a cluster's bus it is any node that dies with what it was to pass on to the others.
    package var losesUntold: Bool {
        guard cluster.manager == .broadcast else { return false }
        if cluster.hasSeveralOrders { return faults.contains { $0.action.breaksRedis } }
        guard case .sentinel = cluster.redis else { return false }
        return faults.contains { [.redisFailover, .redisPause, .redisSlow].contains($0.action) }
    }

    /// How much later a message may come than one that was published after it; `nil` where the broker has one order.
    package var orderSpread: TimeSpan? { cluster.hasSeveralOrders ? expect.bounds.isolation : nil }
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
    /// A private cluster of masters.
    case cluster(RedisClusterSpec)
    /// A private master with replicas and three sentinels.
    case sentinel(RedisSentinelSpec)
    case url(String)
}

/// A Redis cluster that the run starts.
package struct RedisClusterSpec: Hashable, Sendable {
    /// Masters; none has a replica.
    package var nodes: Int
    package var publish: ClusterPublish

    package init(nodes: Int = 3, publish: ClusterPublish = .bus) {
        self.nodes = nodes
        self.publish = publish
    }
}

/// How messages reach the subscribers of a Redis cluster.
package enum ClusterPublish: String, CaseIterable, Sendable {
    /// `PUBLISH` at any node, which passes it on to all others over the cluster's bus.
    case bus
    /// `SPUBLISH` and `SSUBSCRIBE` at the node that has the channel's slot.
    case sharded
}

/// A Redis master that sentinels watch, which the run starts.
package struct RedisSentinelSpec: Hashable, Sendable {
    package var replicas: Int
    /// How long the master may be silent before a sentinel calls it down.
    package var downAfter: TimeSpan

    package init(replicas: Int = 1, downAfter: TimeSpan = .milliseconds(500)) {
        self.replicas = replicas
        self.downAfter = downAfter
    }
}

/// The word under `cluster.redis.mode`.
enum RedisMode: String, CaseIterable {
    case embedded
    case cluster
    case sentinel
}
