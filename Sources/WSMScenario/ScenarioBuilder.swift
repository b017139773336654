import WSMCore

/// Makes the typed scenario of a tree.
///
/// Where a value is wrong its default stands in: the scenario is then not handed out.
enum ScenarioBuilder {
    static func build(_ root: SourceNode) -> Scenario {
        let reader = TreeReader(node: root)
        var scenario = Scenario(
            name: reader.text("name") ?? "", duration: reader.duration("duration", .seconds(1)) ?? .seconds(1))
        scenario.description = reader.text("description") ?? ""
        scenario.seed = reader.text("seed").flatMap { UInt64($0) } ?? 1
        scenario.warmup = reader.duration("warmup", scenario.warmup) ?? scenario.warmup
        scenario.system =
            reader.has("target")
            ? .target(target(reader.inside("target"))) : .cluster(cluster(reader.inside("cluster")))
        scenario.clients = clients(reader.inside("clients"), hasTarget: reader.has("target"))
        scenario.workload = reader.items("workload").compactMap { workload($0) }
        scenario.faults = reader.items("faults").compactMap { fault($0) }
        scenario.expect = expect(reader.inside("expect"))
        return scenario
    }

    private static func cluster(_ reader: TreeReader) -> ClusterSpec {
        var cluster = ClusterSpec(profile: reader.word("profile", .hardened) ?? .hardened)
        cluster.manager = reader.word("manager", cluster.manager) ?? cluster.manager
        cluster.instances = reader.count("instances", cluster.instances) ?? cluster.instances
        cluster.placement = reader.word("placement", cluster.placement) ?? cluster.placement
        cluster.executor = reader.word("executor", cluster.executor) ?? cluster.executor
        cluster.workers = reader.count("workers", cluster.workers) ?? cluster.workers
        cluster.subscription = reader.word("subscription", cluster.subscription) ?? cluster.subscription
        cluster.publishing = reader.word("publishing", cluster.publishing) ?? cluster.publishing
        cluster.fanOut = reader.word("fanOut", cluster.fanOut) ?? cluster.fanOut
        cluster.threadOnError = reader.word("threadOnError", cluster.threadOnError) ?? cluster.threadOnError
        cluster.brokerLoss = reader.word("brokerLoss", cluster.brokerLoss) ?? cluster.brokerLoss
        cluster.gapMark = reader.word("gapMark", cluster.gapMark) ?? cluster.gapMark
        if let pool = reader.text("redisPool") { cluster.redisPool = pool == "unlimited" ? nil : Int(pool) }
        let slow = reader.inside("slowClient")
        cluster.slowClient.policy = slow.word("policy", cluster.slowClient.policy) ?? cluster.slowClient.policy
        if cluster.slowClient.policy != .buffer {
            cluster.slowClient.limit = slow.size("limit", cluster.slowClient.limit) ?? cluster.slowClient.limit
        }
        cluster.sendBuffer = reader.has("sendBuffer") ? reader.size("sendBuffer", 0) : nil
        let redis = reader.inside("redis")
        cluster.redis = source(redis)
        cluster.pubsubBufferLimit = redis.has("pubsubBufferLimit") ? redis.size("pubsubBufferLimit", 1024) : nil
        cluster.redisSecurity.tls = redis.flag("tls", false) ?? false
        cluster.redisSecurity.acl = redis.flag("acl", false) ?? false
        cluster.tls = reader.flag("tls", cluster.tls) ?? cluster.tls
        cluster.auth = reader.word("auth", cluster.auth) ?? cluster.auth
        return cluster
    }

    private static func source(_ reader: TreeReader) -> RedisSource {
        if let url = reader.text("url") { return .url(url) }
        switch reader.word("mode", RedisMode.embedded) ?? .embedded {
        case .embedded: return .embedded
        case .cluster:
            var spec = RedisClusterSpec()
            spec.nodes = reader.count("nodes", spec.nodes) ?? spec.nodes
            spec.publish = reader.word("publish", spec.publish) ?? spec.publish
            return .cluster(spec)
        case .sentinel:
            var spec = RedisSentinelSpec()
            spec.replicas = reader.count("replicas", spec.replicas) ?? spec.replicas
            spec.downAfter = reader.duration("downAfter", spec.downAfter) ?? spec.downAfter
            return .sentinel(spec)
        }
    }

    private static func clients(_ reader: TreeReader, hasTarget: Bool) -> ClientsSpec {
        var clients = ClientsSpec()
        // Not every system takes a text that it did not ask for.
        if hasTarget { clients.ping = .zero }
        clients.count = reader.count("count", clients.count) ?? clients.count
        clients.transport = reader.word("transport", clients.transport) ?? clients.transport
        if reader.has("processes") { clients.processes = reader.count("processes", 1) }
        if reader.text("assignment") == "random" { clients.assignment = .random }
        if let weights = weights(reader) { clients.assignment = .weights(weights) }
        clients.connectRate = reader.rate("connectRate", clients.connectRate) ?? clients.connectRate
        if clients.transport == .direct { clients.ping = .zero }
        clients.ping = reader.duration("ping", clients.ping) ?? clients.ping
        clients.pongTimeout = reader.has("pongTimeout") ? reader.duration("pongTimeout", .zero) : nil
        clients.churn = reader.inside("churn").rate("rate", clients.churn) ?? clients.churn
        let slow = reader.inside("slow")
        clients.slow.count = slow.count("count", clients.slow.count) ?? clients.slow.count
        clients.slow.readRate = slow.byteRate("readRate", clients.slow.readRate) ?? clients.slow.readRate
        let reconnect = reader.inside("reconnect")
        clients.reconnect.initial =
            reconnect.duration("initial", clients.reconnect.initial) ?? clients.reconnect.initial
        clients.reconnect.max = reconnect.duration("max", clients.reconnect.max) ?? clients.reconnect.max
        let auth = reader.inside("auth")
        clients.auth.expired = auth.share("expired", .zero) ?? .zero
        clients.auth.wrong = auth.share("wrong", .zero) ?? .zero
        clients.auth.forbidden = auth.share("forbidden", .zero) ?? .zero
        clients.auth.malformed = auth.share("malformed", .zero) ?? .zero
        return clients
    }

    /// The weights under `assignment`, if that is what stands there.
    static func weights(_ clients: TreeReader) -> [Int]? {
        guard let list = clients.inside("assignment").value("weights"), case .list(let items) = list.content else {
            return nil
        }
        return items.map { $0.text.flatMap { try? QuantityReader.count($0) } ?? 0 }
    }

    static func workload(_ reader: TreeReader) -> WorkloadSpec? {
        let rate = reader.rate("rate", Rate(perSecond: 1)) ?? Rate(perSecond: 1)
        let arrival: Arrival = reader.word("arrival", .poisson) ?? .poisson
        switch reader.text("kind") {
        case "processes":
            var spec = processes(reader, rate: rate)
            spec.arrival = arrival
            return .processes(spec)
        case "broadcasts":
            var spec = BroadcastsSpec(rate: rate)
            spec.arrival = arrival
            spec.publishers = reader.count("publishers", spec.publishers) ?? spec.publishers
            spec.payload = reader.size("payload", spec.payload) ?? spec.payload
            spec.channel = ChannelName(reader.text("channel") ?? spec.channel.name)
            return .broadcasts(spec)
        case "engine-status":
            var spec = EngineStatusSpec(rate: rate)
            spec.arrival = arrival
            return .engineStatus(spec)
        default:
            return nil
        }
    }

    private static func processes(_ reader: TreeReader, rate: Rate) -> ProcessesSpec {
        var spec = ProcessesSpec(rate: rate)
        spec.steps = reader.count("steps", spec.steps) ?? spec.steps
        spec.stepDuration = reader.distribution("stepDuration", spec.stepDuration) ?? spec.stepDuration
        spec.subscriptions = reader.count("subscriptions", spec.subscriptions) ?? spec.subscriptions
        spec.failed = reader.share("failed", spec.failed) ?? spec.failed
        spec.suspended = reader.share("suspended", spec.suspended) ?? spec.suspended
        spec.resumeAfter = reader.duration("resumeAfter", spec.resumeAfter) ?? spec.resumeAfter
        spec.aborted = reader.share("aborted", spec.aborted) ?? spec.aborted
        return spec
    }

    static func fault(_ reader: TreeReader) -> FaultSpec? {
        guard let action = reader.text("action").flatMap(FaultAction.init(rawValue:)) else { return nil }
        let at = reader.duration("at", .zero) ?? .zero
        let every = reader.has("every") ? reader.duration("every", .zero) : nil
        var fault = FaultSpec(action: action, schedule: every.map { .every($0) } ?? .at(at))
        fault.target = reader.has("target") ? reader.count("target", 0) : nil
        fault.share = reader.share("share", fault.share) ?? fault.share
        fault.duration = reader.has("duration") ? reader.duration("duration", .zero) : nil
        fault.downtime = reader.has("downtime") ? reader.duration("downtime", .zero) : nil
        fault.restartAfter = reader.has("restartAfter") ? reader.duration("restartAfter", .zero) : nil
        fault.delay = reader.has("delay") ? reader.distribution("delay", .constant(.zero)) : nil
        fault.rate = reader.has("rate") ? reader.byteRate("rate", 0) : nil
        fault.between = reader.word("between", fault.between) ?? fault.between
        fault.how = reader.word("how", fault.how) ?? fault.how
        fault.afterwards = reader.word("afterwards", fault.afterwards) ?? fault.afterwards
        return fault
    }

    private static func expect(_ reader: TreeReader) -> ExpectSpec {
        var expect = ExpectSpec()
        let guarantees = reader.inside("guarantees")
        for guarantee in Guarantee.allCases {
            let expectation = guarantees.text(guarantee.rawValue).flatMap(Expectation.init(rawValue:))
            expect.guarantees[guarantee] = expectation
        }
        let bounds = reader.inside("bounds")
        expect.bounds.isolation = bounds.duration("isolation", expect.bounds.isolation) ?? expect.bounds.isolation
        expect.bounds.lag = bounds.has("lag") ? bounds.duration("lag", .zero) : nil
        expect.bounds.recovery = bounds.duration("recovery", expect.bounds.recovery) ?? expect.bounds.recovery
        let tolerances = reader.inside("tolerances")
        for path in MetricCatalogue.gated where tolerances.has(path) {
            expect.tolerances[path] = tolerances.share(path, .zero)
        }
        expect.thresholds = reader.items("thresholds").compactMap { item in
            item.node?.text.flatMap { try? Threshold.parse($0).get() }
        }
        return expect
    }

    private static func target(_ reader: TreeReader) -> TargetSpec {
        let publish = reader.inside("publish")
        let url = publish.text("url") ?? ""
        let channel = ChannelName(publish.text("channel") ?? ChannelName.events.name)
        return TargetSpec(
            clients: reader.items("clients").compactMap { $0.node?.text },
            subprotocols: reader.items("subprotocols").compactMap { $0.node?.text },
            certificateAuthority: reader.text("certificateAuthority"),
            publish: publish.text("via") == "http" ? .http(url: url) : .redis(url: url, channel: channel),
            pids: reader.items("pids").compactMap { $0.node?.text.flatMap { Int($0) } })
    }
}
