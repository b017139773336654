import WSMCore

@testable import WSMScenario

/// Draws valid scenarios, each part of the grammar that is supported today among them.
struct RandomScenario {
    private var random: CounterRNG

    init(seed: UInt64) {
        random = CounterRNG(seed: seed, stream: .payload, entity: 7)
    }

    mutating func draw() -> Scenario {
        var scenario = Scenario(name: "random-\(random.below(1000)).x_y", duration: span(upTo: 60))
        let descriptions = [
            "", "plain words", "quotes \" and \\ and 'these'", "two\nlines: # &a *b", "äöü ✓", "null", " x ",
        ]
        scenario.description = pick(descriptions)
        scenario.seed = random.next()
        scenario.warmup = span(upTo: 5)
        let hasTarget = random.below(4) == 0
        scenario.system = hasTarget ? .target(target()) : .cluster(cluster())
        scenario.clients = clients(instances: scenario.instanceCount)
        if case .cluster(let cluster) = scenario.system, cluster.auth == .token {
            scenario.clients.auth.expired = Share(millionths: random.below(250_000))
            scenario.clients.auth.wrong = pick([.zero, Share(millionths: random.below(250_000))])
            scenario.clients.auth.forbidden = Share(millionths: random.below(250_000))
            scenario.clients.auth.malformed = Share(millionths: random.below(250_000))
        }
        scenario.workload = (0..<random.below(4)).map { _ in hasTarget ? targetWorkload() : workload() }
        scenario.expect = expect()
        if hasTarget {
            scenario.expect.guarantees[.processOrder] = nil
            scenario.expect.guarantees[.cleanShutdown] = nil
            scenario.expect.thresholds.removeAll { $0.path.hasPrefix("stages.") || $0.path.hasPrefix("resources.") }
            scenario.expect.tolerances = scenario.expect.tolerances.filter {
                !$0.key.hasPrefix("stages.") && !$0.key.hasPrefix("resources.")
            }
        }
        return scenario
    }

    private mutating func target() -> TargetSpec {
        let urls = ["ws://h/", "ws://127.0.0.1:8080/api?token=a%20b", "ws://[::1]:1/x"]
        let publish: [TargetPublish] = [
            .http(url: "http://u:p%40w@h:1/publish?x=1"), .redis(url: "redis://:p%22w@h:1/2", channel: .events),
            .redis(url: "unix:///tmp/r.sock?db=3", channel: ChannelName("a: b, {c} ✓")),
        ]
        return TargetSpec(
            clients: (0...random.below(3)).map { _ in pick(urls) },
            subprotocols: pick([[], ["base64.bearer.token", "a=/+b:\"c\\"]]), publish: pick(publish),
            pids: pick([[], [1], [1 << 22, 7]]))
    }

    private mutating func targetWorkload() -> WorkloadSpec {
        var spec = BroadcastsSpec(rate: rate(1000))
        spec.publishers = 1 + random.below(8)
        return .broadcasts(spec)
    }

    private mutating func pick<Element>(_ all: [Element]) -> Element { all[random.below(all.count)] }

    private mutating func pick<Word: CaseIterable>(_ type: Word.Type) -> Word { pick(Array(Word.allCases)) }

    private mutating func span(upTo seconds: Int) -> TimeSpan {
        let unit: Int64 = pick([1, 1000, 1_000_000, 1_000_000_000])
        let most = Int(Int64(seconds) * 1_000_000_000 / unit)
        return max(.milliseconds(1), TimeSpan(nanoseconds: Int64(random.below(most) + 1) * unit))
    }

    private mutating func rate(_ most: Double) -> Rate {
        Rate(perSecond: pick([0.0001, 0.2, 1, 50, 5000 / 3, most * random.unit() + 0.0001]))
    }

    private mutating func cluster() -> ClusterSpec {
        var cluster = ClusterSpec(profile: pick(Profile.self))
        cluster.manager = pick(ManagerKind.self)
        cluster.instances = 1 + random.below(5)
        cluster.workers = 1 + random.below(20)
        cluster.subscription = pick(SubscriptionPolicy.self)
        cluster.publishing = pick(PublishingPolicy.self)
        cluster.fanOut = pick(FanOutPolicy.self)
        cluster.threadOnError = pick(ThreadOnError.self)
        cluster.redisPool = pick([nil, 1, 100, 999_999])
        cluster.brokerLoss = pick(BrokerLoss.self)
        let policy = pick(SlowClientPolicy.self)
        let limit = policy == .buffer ? SlowClientSpec.defaultLimit : 1024 + random.below(1 << 22)
        cluster.slowClient = SlowClientSpec(policy: policy, limit: limit)
        cluster.sendBuffer = pick([nil, 64 << 10])
        cluster.tls = random.below(2) == 0
        cluster.auth = pick(ClientAuth.self)
        cluster.redis = pick([
            .embedded, .url("redis://:p%22w@h:1/2"), .url("unix:///tmp/r.sock?db=3"), .url("rediss://h"),
            .cluster(RedisClusterSpec(nodes: 3 + random.below(14), publish: pick(ClusterPublish.self))),
            .sentinel(
                RedisSentinelSpec(replicas: 1 + random.below(5), downAfter: .milliseconds(100) + span(upTo: 59))),
        ])
        if cluster.redis == .embedded, cluster.manager == .broadcast {
            cluster.redisSecurity = RedisSecurity(tls: random.below(2) == 0, acl: random.below(2) == 0)
        }
        if case .url = cluster.redis {} else { cluster.pubsubBufferLimit = pick([nil, 1024, 256 << 10]) }
        return cluster
    }

    private mutating func clients(instances: Int) -> ClientsSpec {
        var clients = ClientsSpec(count: random.below(5000))
        let weights = [1] + (1..<instances + 1).dropLast().map { _ in random.below(100) }
        clients.assignment = pick([.roundRobin, .random, .weights(weights)])
        clients.connectRate = max(Rate(perSecond: 0.2), rate(10_000))
        clients.ping = pick([.zero, .seconds(30), span(upTo: 60)])
        if clients.ping > .zero { clients.pongTimeout = pick([nil, .milliseconds(1), .seconds(5)]) }
        clients.churn = pick([Rate(perSecond: 0), rate(100)])
        clients.slow = SlowReadersSpec(count: random.below(clients.count + 1), readRate: 1 + random.below(1 << 20))
        let (a, b) = (span(upTo: 10), span(upTo: 10))
        clients.reconnect = ReconnectSpec(initial: min(a, b), max: max(a, b))
        return clients
    }

    private mutating func workload() -> WorkloadSpec {
        switch random.below(3) {
        case 0:
            var spec = ProcessesSpec(rate: rate(100))
            spec.arrival = pick(Arrival.self)
            spec.steps = 1 + random.below(20)
            spec.stepDuration = pick([
                .constant(span(upTo: 1)), .exponential(mean: span(upTo: 1)),
                .uniform(from: .milliseconds(1), to: span(upTo: 2)),
                .lognormal(median: span(upTo: 1), sigma: random.unit() + 0.001),
            ])
            spec.subscriptions = random.below(5)
            spec.failed = Share(millionths: random.below(300_000))
            spec.suspended = Share(millionths: random.below(300_000))
            spec.resumeAfter = span(upTo: 1)
            spec.aborted = Share(millionths: random.below(300_000))
            return .processes(spec)
        case 1:
            var spec = BroadcastsSpec(rate: rate(1000))
            spec.arrival = pick(Arrival.self)
            spec.publishers = 1 + random.below(8)
            spec.payload = Limits.payload.lowerBound + random.below(10_000)
            spec.channel = pick([.events, ChannelName("true"), ChannelName("0.5")])
            return .broadcasts(spec)
        default:
            var spec = EngineStatusSpec(rate: rate(10))
            spec.arrival = pick(Arrival.self)
            return .engineStatus(spec)
        }
    }

    private mutating func expect() -> ExpectSpec {
        var expect = ExpectSpec()
        for guarantee in Guarantee.allCases where random.below(3) == 0 {
            expect.guarantees[guarantee] = pick(Expectation.self)
        }
        expect.bounds.isolation = .milliseconds(Int64(1 + random.below(5000)))
        expect.bounds.recovery = .milliseconds(Int64(1 + random.below(5000)))
        if expect.guarantees[.boundedLag] != nil || random.below(2) == 0 {
            expect.bounds.lag = .milliseconds(Int64(1 + random.below(5000)))
        }
        for _ in 0..<random.below(3) {
            let path = pick(MetricCatalogue.gated.filter { !$0.hasPrefix("resources.redis.") })
            expect.tolerances[path] = Share(millionths: random.below(1_000_001))
        }
        for _ in 0..<random.below(4) {
            let metric = pick(MetricCatalogue.metrics)
            let limit =
                switch metric.dimension {
                case .time: "1.5ms"
                case .count: "\(random.below(1000))"
                case .rate: "5k/s"
                case .bytes: "64MiB"
                case .cpuSeconds: pick(["2.5", "1500ms"])
                }
            let text = "\(metric.path) \(pick(Threshold.Operator.self).rawValue) \(limit)"
            if let threshold = try? Threshold.parse(text).get() { expect.thresholds.append(threshold) }
        }
        return expect
    }
}
