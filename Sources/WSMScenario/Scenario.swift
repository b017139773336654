package import WSMCore

/// A checked scenario: every value is within its bounds, and every default is filled in.
package struct Scenario: Hashable, Sendable {
    package var name: String
    package var description: String
    package var seed: UInt64
    /// Load before the measured window; checked, but counted in no total.
    package var warmup: TimeSpan
    /// The measured window.
    package var duration: TimeSpan
    package var system: SystemSpec
    package var clients: ClientsSpec
    package var workload: [WorkloadSpec]
    package var faults: [FaultSpec]
    package var expect: ExpectSpec

    /// A scenario of defaults.
    package init(name: String, duration: TimeSpan, cluster: ClusterSpec = ClusterSpec()) {
        self.name = name
        self.description = ""
        self.seed = 1
        self.warmup = .seconds(1)
        self.duration = duration
        self.system = .cluster(cluster)
        self.clients = ClientsSpec()
        self.workload = []
        self.faults = []
        self.expect = ExpectSpec()
    }

    /// The load's whole length: warm-up and measured window.
    package var loadDuration: TimeSpan { warmup + duration }

    /// How many instances clients connect to: those of the cluster, or the URLs of the target.
    package var instanceCount: Int {
        switch system {
        case .cluster(let cluster): cluster.instances
        case .target(let target): target.clients.count
        }
    }

    /// The cluster that wsmlab starts; of no use, and all defaults, if the scenario has a target.
    package var cluster: ClusterSpec {
        get {
            guard case .cluster(let cluster) = system else { return ClusterSpec() }
            return cluster
        }
        set { system = .cluster(newValue) }
    }
}

/// What is under test.
package enum SystemSpec: Hashable, Sendable {
    /// Instances that the run starts.
    case cluster(ClusterSpec)
    /// A system that already runs.
    case target(TargetSpec)
}

/// A system that already runs, ours or not.
///
/// An instance of it is an index into ``clients``.
package struct TargetSpec: Hashable, Sendable {
    /// Where clients connect to, as WebSocket URLs.
    package var clients: [String]
    package var subprotocols: [String]
    /// The PEM file of the authority that vouches for its `wss` URLs; `nil`: those that the system trusts.
    package var certificateAuthority: String?
    package var publish: TargetPublish
    /// The processes whose CPU and memory are recorded.
    package var pids: [Int]

    package init(
        clients: [String], subprotocols: [String] = [], certificateAuthority: String? = nil, publish: TargetPublish,
        pids: [Int] = []
    ) {
        self.clients = clients
        self.subprotocols = subprotocols
        self.certificateAuthority = certificateAuthority
        self.publish = publish
        self.pids = pids
    }
}

/// How messages get into a target.
package enum TargetPublish: Hashable, Sendable {
    case redis(url: String, channel: ChannelName)
    case http(url: String)
}

/// What a run must show to pass.
package struct ExpectSpec: Hashable, Sendable {
    /// What is expected of a guarantee, where it is not what the manager promises.
    package var guarantees: [Guarantee: Expectation]
    package var thresholds: [Threshold]
    /// By metric, how much worse a gate lets it become; those of ``MetricCatalogue/gated`` only.
    ///
    /// A metric that is not in it has the gate's own tolerance.
    package var tolerances: [String: Share] = [:]
    package var bounds = BoundsSpec()

    package init(guarantees: [Guarantee: Expectation] = [:], thresholds: [Threshold] = []) {
        self.guarantees = guarantees
        self.thresholds = thresholds
    }
}

/// The times by which `isolation`, `bounded-lag` and `recovery` judge.
package struct BoundsSpec: Hashable, Sendable {
    /// How much later a healthy client may get a message on account of slow or dead ones.
    package var isolation = TimeSpan.seconds(2)
    /// How far behind any client may be; `nil`: there is no bound, and `bounded-lag` is not checked.
    package var lag: TimeSpan?
    /// How long recovering from the last fault may take.
    package var recovery = TimeSpan.seconds(5)

    package init() {}
}

/// What a scenario expects of a guarantee.
package enum Expectation: String, CaseIterable, Sendable {
    case holds
    case violated
    /// Whatever the checker finds does not decide the run.
    case any
}

/// The guarantees that a run is checked for.
package enum Guarantee: String, CaseIterable, Sendable {
    case integrity
    case atMostOnce = "at-most-once"
    case publisherOrder = "publisher-order"
    case processOrder = "process-order"
    case noGap = "no-gap"
    case completeness
    case sessionBounds = "session-bounds"
    case totalOrder = "total-order"
    case realTimeOrder = "real-time-order"
    case crossInstanceReach = "cross-instance-reach"
    case isolation
    case noSilentLoss = "no-silent-loss"
    case boundedLag = "bounded-lag"
    case recovery
    case cleanShutdown = "clean-shutdown"

    /// When it holds, in one line.
    package var summary: String {
        switch self {
        case .integrity: "Each receipt matches one publish: channel, payload, not before it."
        case .atMostOnce: "No message twice in one session."
        case .publisherOrder: "One publisher's messages arrive in its order."
        case .processOrder: "The updates of one process arrive in the order of its steps."
        case .noGap: "Between two receipts of a session nothing of the channel is missing."
        case .completeness: "All that was published within a session arrived."
        case .sessionBounds: "Nothing arrives from before the connect or after the close."
        case .totalOrder: "All clients agree on the order."
        case .realTimeOrder: "A publish acknowledged before another began is never seen after it."
        case .crossInstanceReach: "A broadcast reaches the clients of every instance."
        case .isolation: "A dead or stalled client takes nothing from others."
        case .noSilentLoss: "A gap is always preceded by a close or a marker."
        case .boundedLag: "Queues and client lag stay under the scenario's bound."
        case .recovery: "After the last fault is healed, all is subscribed and drained."
        case .cleanShutdown: "Each client gets exactly one close 1001, and nothing is left."
        }
    }
}
