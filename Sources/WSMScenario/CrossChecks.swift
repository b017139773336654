import WSMCore

/// The checks that look at more than one key.
struct CrossChecks {
    let root: TreeReader
    var faults: DiagnosticList

    static func check(_ root: SourceNode, into faults: inout DiagnosticList) {
        var checks = CrossChecks(root: TreeReader(node: root), faults: faults)
        checks.checkCluster()
        checks.checkRedis()
        checks.checkClients()
        checks.checkProcesses()
        checks.checkSecurity()
        for (index, workload) in checks.root.items("workload").enumerated() { checks.check(workload, index) }
        checks.checkPlanSize()
        checks.checkBounds()
        checks.checkTolerances()
        if checks.root.has("target") { checks.checkTarget() }
        checks.checkFaults()
        faults = checks.faults
    }

    private init(root: TreeReader, faults: DiagnosticList) {
        self.root = root
        self.faults = faults
    }

    func origin(_ reader: TreeReader, _ key: String) -> Origin {
        reader.value(key)?.origin ?? .position(file: "", line: 1, column: 1)
    }

    /// How many instances there are to connect to; `nil` where that is not known.
    var instanceCount: Int? {
        if root.has("cluster") { return root.inside("cluster").count("instances", 1) }
        let urls = root.inside("target").items("clients").count
        return urls > 0 ? urls : nil
    }

    private mutating func checkCluster() {
        let cluster = root.inside("cluster")
        let redis = cluster.inside("redis")
        if redis.has("pubsubBufferLimit") {
            if cluster.text("manager") == ManagerKind.memory.rawValue {
                faults.warning(
                    at: origin(redis, "pubsubBufferLimit"),
                    "cluster.redis.pubsubBufferLimit has no effect: the memory manager uses no Redis",
                    hint: "take it out, or set cluster.manager: broadcast")
            }
            if redis.has("url") {
                faults.error(
                    at: origin(redis, "pubsubBufferLimit"),
                    "cluster.redis.pubsubBufferLimit cannot be set at cluster.redis.url: that server is not the run's own",
                    hint: "set cluster.redis: {mode: embedded}, or client-output-buffer-limit pubsub in its redis.conf")
            }
        }
        let slow = cluster.inside("slowClient")
        let fallback: SlowClientPolicy = cluster.text("profile") == Profile.reference.rawValue ? .buffer : .disconnect
        if slow.has("limit"), slow.word("policy", fallback) == .buffer {
            faults.warning(
                at: origin(slow, "limit"), "cluster.slowClient.limit has no effect: the policy buffer has no limit",
                hint: "set cluster.slowClient.policy to drop or disconnect")
        }
    }

    private mutating func checkClients() {
        let clients = root.inside("clients")
        let slow = clients.inside("slow")
        if let count = clients.count("count", 0), slow.has("count"), let slowCount = slow.count("count", 0),
            slowCount > count
        {
            faults.error(
                at: origin(slow, "count"), "clients.slow.count is \(slowCount), but there are only \(count) clients",
                hint: "at most clients.count of them can be slow")
        }
        if clients.word("transport", Transport.websocket) == .direct { checkDirect(clients) }
        checkPongTimeout(clients)
        let reconnect = clients.inside("reconnect")
        if let initial = reconnect.duration("initial", .milliseconds(100)),
            let longest = reconnect.duration("max", .seconds(5)), initial > longest
        {
            faults.error(
                at: origin(reconnect, reconnect.has("initial") ? "initial" : "max"),
                "clients.reconnect.initial is longer than clients.reconnect.max",
                hint: "the first wait is \(QuantityWriter.duration(initial)), the longest "
                    + QuantityWriter.duration(longest))
        }
        if let count = clients.count("count", 0), let rate = clients.rate("connectRate", Rate(perSecond: 500)),
            rate.perSecond > 0, Double(count) / rate.perSecond > Limits.connectPhase.seconds
        {
            faults.error(
                at: origin(clients, clients.has("connectRate") ? "connectRate" : "count"),
                "\(count) clients at \(QuantityWriter.rate(rate)) take longer to connect than "
                    + QuantityWriter.duration(Limits.connectPhase),
                hint: "raise clients.connectRate")
        }
        checkWeights(clients)
    }

    /// Who is to mind that a ping was not answered has to send some.
    private mutating func checkPongTimeout(_ clients: TreeReader) {
        guard clients.has("pongTimeout") else { return }
        let isDirect = clients.word("transport", Transport.websocket) == .direct
        let usual: TimeSpan = root.has("target") || isDirect ? .zero : .seconds(30)
        guard let ping = clients.duration("ping", usual), ping == .zero else { return }
        faults.error(
            at: origin(clients, "pongTimeout"), "clients.pongTimeout needs clients.ping",
            hint: isDirect
                ? "without a socket nobody sends a ping; take it out, or set clients.transport: websocket"
                : "how often does a client send one? for example clients.ping: 5s")
    }

    /// What needs a socket.
    private mutating func checkDirect(_ clients: TreeReader) {
        let slow = clients.inside("slow")
        if slow.has("count"), let count = slow.count("count", 0), count > 0 {
            faults.error(
                at: origin(slow, "count"), "clients.slow makes no sense with clients.transport: direct",
                hint: "without a socket nobody reads slowly; take it out, or set clients.transport: websocket")
        }
        if clients.has("ping"), let ping = clients.duration("ping", .zero), ping > .zero {
            faults.error(
                at: origin(clients, "ping"), "clients.ping makes no sense with clients.transport: direct",
                hint: "without a socket nobody sends anything; take it out, or set clients.transport: websocket")
        }
        if root.has("target") {
            faults.error(
                at: origin(clients, "transport"), "clients.transport: direct needs a cluster",
                hint: "only instances that wsmlab starts take clients without sockets")
        }
    }

    private mutating func checkWeights(_ clients: TreeReader) {
        guard let weights = ScenarioBuilder.weights(clients) else { return }
        let origin = origin(clients.inside("assignment"), "weights")
        if let instances = instanceCount, weights.count != instances {
            faults.error(
                at: origin,
                "clients.assignment.weights has \(Plural.count(weights.count, "number")), "
                    + "but there \(instances == 1 ? "is" : "are") \(Plural.count(instances, "instance"))",
                hint: "give each instance its number")
        }
        if weights.allSatisfy({ $0 == 0 }) {
            faults.error(at: origin, "clients.assignment.weights are all 0", hint: "one at least must be above 0")
        }
    }

    private mutating func check(_ workload: TreeReader, _ index: Int) {
        let path = "workload[\(index)]"
        if workload.text("kind") == "processes" {
            let endings = ["failed", "suspended", "aborted"].compactMap { workload.share($0, .zero)?.millionths }
            if endings.reduce(0, +) > 1_000_000, let node = workload.node {
                faults.error(
                    at: node.origin, "\(path): failed, suspended and aborted together are more than the whole",
                    hint: "a process ends in one way")
            }
        }
        if let channel = workload.text("channel"), TextRule.isName(channel), channel != ChannelName.events.name,
            !root.has("target")
        {
            faults.warning(
                at: origin(workload, "channel"),
                "\(path).channel: no client listens to \(Diagnostic.quoted(channel)), nothing of it is delivered",
                hint: "clients listen to events")
        }
    }

    /// A guarantee about a bound needs the bound.
    private mutating func checkBounds() {
        let expect = root.inside("expect")
        let guarantees = expect.inside("guarantees")
        let name = Guarantee.boundedLag.rawValue
        guard guarantees.has(name), guarantees.text(name) != Expectation.any.rawValue,
            !expect.inside("bounds").has("lag")
        else { return }
        faults.error(
            at: origin(guarantees, name), "expect.guarantees.\(name) needs expect.bounds.lag",
            hint: "how far behind may a client be? for example expect.bounds.lag: 1s")
    }

    /// A tolerance of what is never measured would leave a gate without an answer for ever.
    private mutating func checkTolerances() {
        let tolerances = root.inside("expect").inside("tolerances")
        guard root.inside("cluster").text("manager") == ManagerKind.memory.rawValue else { return }
        for path in MetricCatalogue.gated where path.hasPrefix("resources.redis.") {
            guard let node = tolerances.value(path) else { continue }
            faults.error(
                at: node.origin, "expect.tolerances: \(path) has no samples: the memory manager uses no Redis",
                hint: "take it out, or set cluster.manager: broadcast")
        }
    }

    /// Bounds the plan before it is drawn, so that a slip of three zeros is a message and not an exhausted memory.
    private mutating func checkPlanSize() {
        guard let warmup = root.duration("warmup", .seconds(1)), let duration = root.duration("duration", .zero) else {
            return
        }
        let seconds = (warmup + duration).seconds
        var total = 0.0
        for workload in root.items("workload") {
            guard let rate = workload.rate("rate", Rate(perSecond: 0)) else { continue }
            let weight = workload.text("kind") == "processes" ? plannedWeight(workload) : 1
            let items = rate.perSecond * seconds * weight
            total += items
            guard total > Double(Limits.plannedItems), workload.has("rate") else { continue }
            faults.error(
                at: origin(workload, "rate"),
                "the plan would hold more than \(Limits.plannedItems) sends, steps and subscriptions",
                hint: "lower the rate or the duration")
            return
        }
        guard let churn = root.inside("clients").inside("churn").rate("rate", Rate(perSecond: 0)),
            churn.perSecond * seconds > Double(Limits.plannedItems)
        else { return }
        faults.error(
            at: origin(root.inside("clients").inside("churn"), "rate"),
            "the plan would hold more than \(Limits.plannedItems) reconnections", hint: "lower the rate or the duration"
        )
    }

    private func plannedWeight(_ workload: TreeReader) -> Double {
        Double(1 + (workload.count("steps", 5) ?? 0) + (workload.count("subscriptions", 1) ?? 0))
    }
}

/// Counts in words.
enum Plural {
    static func count(_ number: Int, _ noun: String) -> String { number == 1 ? "1 \(noun)" : "\(number) \(noun)s" }
}
