import WSMCore

/// The grammar of a scenario file: every key, what may stand there, and its default.
enum ScenarioFormat {
    static let root = MapFormat(
        keys: [
            KeyFormat("name", .text(.name), required: true, "What the run is called, in its folder and its report."),
            KeyFormat("description", .text(.any(limit: 4096)), "What the scenario is for."),
            KeyFormat("seed", .seed, default: "1", "The plan is drawn from it: the same seed, the same plan."),
            KeyFormat("warmup", .duration(Limits.warmup), default: "1s", "Load before the measured window."),
            KeyFormat("duration", .duration(Limits.duration), required: true, "The measured window."),
            KeyFormat("cluster", .map(cluster), "The instances that wsmlab starts. Either this or target."),
            KeyFormat("target", .map(target), "A system that already runs, in place of cluster."),
            KeyFormat("clients", .map(clients), "The WebSocket clients."),
            KeyFormat("workload", .list(of: .variants(key: "kind", workloads), Limits.workloads), "The load."),
            KeyFormat(
                "faults", .list(of: .variants(key: "action", FaultFormat.actions), Limits.faults),
                "What breaks, and when."),
            KeyFormat("expect", .map(expect), "What the run must show to pass."),
        ], oneOf: ["cluster", "target"])

    static let cluster = MapFormat(keys: [
        KeyFormat(
            "profile", .choice(Profile.words), default: "hardened",
            "Sets the policies below it: hardened is what we would run, reference what people run today."),
        KeyFormat(
            "manager", .choice(ManagerKind.words), default: "broadcast",
            "memory reaches an instance's own clients only; broadcast goes through Redis."),
        KeyFormat("instances", .count(Limits.instances), default: "1", "How many orchestrator instances."),
        KeyFormat(
            "placement", .choice(Placement.words), default: "in-process",
            "All instances in one process, or each in its own."),
        KeyFormat(
            "executor", .choice(Executor.words), default: "threadpool",
            "Steps run on a thread pool inside the instance, or in separate worker processes that publish themselves."),
        KeyFormat("workers", .count(Limits.workers), default: "5", "Worker threads an instance."),
        KeyFormat(
            "subscription", .choice(SubscriptionPolicy.words),
            "One Redis subscription a client (reference) or one shared by all clients (hardened)."),
        KeyFormat(
            "publishing", .choice(PublishingPolicy.words),
            "A new Redis connection for each broadcast (reference) or one that stays (hardened)."),
        KeyFormat(
            "fanOut", .choice(FanOutPolicy.words),
            "Clients are served in turn, so that one can fail or stop the rest (reference), or each alone (hardened)."),
        KeyFormat(
            "threadOnError", .choice(ThreadOnError.words),
            "An error ends the broadcast thread for good (reference) or it goes on (hardened)."),
        KeyFormat(
            "redisPool", .countOr(Limits.redisPool, words: ["unlimited"]),
            "Redis connections an instance may hold: 100 (reference) or unlimited (hardened)."),
        KeyFormat(
            "brokerLoss", .choice(BrokerLoss.words),
            "What happens to clients when Redis goes away: retry-then-drop (reference), resubscribe-marked (hardened)."),
        KeyFormat(
            "gapMark", .choice(GapMarkSpec.words), default: "close",
            "How resubscribe-marked tells clients that they may have missed something: close 1012, or a message."),
        KeyFormat(
            "slowClient", .map(slowClient),
            "What happens to a client that does not keep up: buffer (reference) or disconnect (hardened)."),
        KeyFormat(
            "sendBuffer", .size(Limits.sendBuffer),
            "Bytes that the kernel keeps for one client before a slow one is felt. Default: the system's, up to 4MiB."),
        KeyFormat("redis", .map(redis), "The Redis server of the broadcast manager."),
        KeyFormat(
            "tls", .flag, default: "false",
            "Clients connect with wss, and verify the certificate that the run makes for its instances."),
        KeyFormat(
            "auth", .choice(ClientAuth.words), default: "none",
            "none lets every client in; token asks each for a bearer token that the run signs."),
    ])

    private static let slowClient = MapFormat(keys: [
        KeyFormat("policy", .choice(SlowClientPolicy.words), "buffer has no limit; drop and disconnect act at it."),
        KeyFormat("limit", .size(Limits.slowClientBytes), default: "1MiB", "Bytes that may wait for one client."),
    ])

    private static let redis = MapFormat(
        keys: [
            KeyFormat(
                "mode", .choice(RedisMode.words), default: "embedded",
                "What the run starts and ends: one private server, a cluster of masters, or a master with replicas and "
                    + "three sentinels."),
            KeyFormat("nodes", .count(Limits.redisNodes), default: "3", "mode cluster: how many masters."),
            KeyFormat(
                "publish", .choice(ClusterPublish.words), default: "bus",
                "mode cluster: PUBLISH over the cluster's bus, or SPUBLISH at the node that has the channel's slot."),
            KeyFormat("replicas", .count(Limits.redisReplicas), default: "1", "mode sentinel: replicas of the master."),
            KeyFormat(
                "downAfter", .duration(Limits.sentinelDownAfter), default: "500ms",
                "mode sentinel: how long the master may be silent before a sentinel calls it down."),
            KeyFormat("url", .text(.redisURL), "A Redis server that runs already: redis://…, rediss://… or unix://…"),
            KeyFormat(
                "pubsubBufferLimit", .size(Limits.slowClientBytes),
                "Bytes that the private Redis keeps for one subscription before it cuts it. Default: Redis' own."),
            KeyFormat("tls", .flag, default: "false", "The private server takes TLS only (rediss)."),
            KeyFormat(
                "acl", .flag, default: "false",
                "Instances log in as a user of their own, who may use their channels and commands only."),
        ], atMostOneOf: ["mode", "url"])

    static let clients = MapFormat(keys: [
        KeyFormat("count", .count(Limits.clients), default: "0", "How many clients."),
        KeyFormat(
            "transport", .choice(Transport.words), default: "websocket",
            "Real loopback sockets, or in the process without sockets, for counts that sockets cannot reach."),
        KeyFormat(
            "processes", .count(Limits.clientProcesses),
            "Processes of clients with placement: processes. Default: as many as the limit of open files asks for."),
        KeyFormat(
            "assignment",
            .choiceOr(
                ["round-robin", "random"],
                MapFormat(keys: [
                    KeyFormat(
                        "weights", .list(of: .count(Limits.weight), 1...Limits.instances.upperBound), required: true,
                        "The share of each instance, one number an instance.")
                ])), default: "round-robin", "Which instance a client connects to."),
        KeyFormat("connectRate", .rate(Limits.rate), default: "500/s", "How fast the clients connect."),
        KeyFormat(
            "ping", .duration(Limits.pause), default: "30s",
            "How often a client sends __ping__; 0s, the default with a target and without sockets: never."),
        KeyFormat(
            "pongTimeout", .duration(Limits.backoff),
            "How long a __pong__ may take before a client closes and connects anew. Default: clients do not mind."),
        KeyFormat(
            "churn",
            .map(
                MapFormat(keys: [
                    KeyFormat("rate", .rate(Limits.rateOrNone), required: true, "Sessions that end and begin anew.")
                ])), "Clients that leave and come back."),
        KeyFormat(
            "slow",
            .map(
                MapFormat(keys: [
                    KeyFormat("count", .count(Limits.clients), required: true, "How many of the clients."),
                    KeyFormat(
                        "readRate", .byteRate(Limits.readRate), default: "4KiB/s", "How fast each of them reads."),
                ])), "Clients that read slowly."),
        KeyFormat(
            "reconnect",
            .map(
                MapFormat(keys: [
                    KeyFormat("initial", .duration(Limits.backoff), default: "100ms", "The first wait."),
                    KeyFormat("max", .duration(Limits.backoff), default: "5s", "The longest wait."),
                ])), "How a client that lost its connection comes back: waits double from the first to the longest."),
        KeyFormat("auth", .map(auth), "Clients that must be refused. The others have valid tokens."),
    ])

    private static let auth = MapFormat(keys: [
        KeyFormat("expired", .share, default: "0%", "Clients whose token has expired: 401, then close 1008."),
        KeyFormat("wrong", .share, default: "0%", "Clients whose token somebody else signed: 401, then close 1008."),
        KeyFormat(
            "forbidden", .share, default: "0%", "Clients whose token does not allow events: 403, then close 1008."),
        KeyFormat("malformed", .share, default: "0%", "Clients whose header holds no token: close 1002."),
    ])

    private static let arrival = KeyFormat(
        "arrival", .choice(Arrival.words), default: "poisson", "At random instants, or evenly spaced.")

    static let workloads = [
        Variant(
            word: "processes", summary: "Workflow processes: start, steps on the pool, resume, abort.",
            format: MapFormat(keys: [
                KeyFormat("rate", .rate(Limits.rate), required: true, "Processes that start, over all instances."),
                arrival,
                KeyFormat("steps", .count(Limits.steps), default: "5", "Steps of a process."),
                KeyFormat("stepDuration", .distribution, default: "exponential(20ms)", "How long a step takes."),
                KeyFormat(
                    "subscriptions", .count(Limits.subscriptions), default: "1",
                    "Subscriptions whose pages are refreshed when a process ends."),
                KeyFormat("failed", .share, default: "0%", "Processes that fail in one of their steps."),
                KeyFormat("suspended", .share, default: "0%", "Processes that suspend once and are resumed."),
                KeyFormat("resumeAfter", .duration(Limits.pause), default: "50ms", "How long they stay suspended."),
                KeyFormat("aborted", .share, default: "0%", "Processes that are aborted."),
            ])),
        Variant(
            word: "broadcasts", summary: "Calls of broadcast_data.",
            format: MapFormat(keys: [
                KeyFormat("rate", .rate(Limits.rate), required: true, "Broadcasts, over all publishers."),
                arrival,
                KeyFormat("publishers", .count(Limits.publishers), default: "1", "Callers, spread over the instances."),
                KeyFormat("payload", .size(Limits.payload), default: "256B", "Size of a message with its stamp."),
                KeyFormat("channel", .text(.name), default: "events", "The channel; clients listen to events."),
            ])),
        Variant(
            word: "engine-status", summary: "Updates of the engine's status.",
            format: MapFormat(keys: [
                KeyFormat("rate", .rate(Limits.rate), required: true, "Updates, over all instances."), arrival,
            ])),
    ]

    private static let target = MapFormat(keys: [
        KeyFormat(
            "clients", .list(of: .text(.webSocketURL), Limits.instances), required: true,
            "Where clients connect to: the URL of each instance."),
        KeyFormat(
            "certificateAuthority", .text(.any(limit: 4096)),
            "The PEM file of the authority that vouches for wss:// URLs, in place of the system's."),
        KeyFormat("subprotocols", .list(of: .text(.subprotocol), 1...16), "What clients offer at the handshake."),
        KeyFormat(
            "publish",
            .map(
                MapFormat(keys: [
                    KeyFormat(
                        "via", .choice(["redis", "http"]), required: true,
                        "How messages get into the system: PUBLISH, or a POST with the message as its body."),
                    KeyFormat("url", .text(.publishURL), required: true, "Where they are sent to."),
                    KeyFormat("channel", .text(.channel), default: "events", "The Redis channel."),
                ])), required: true, "How wsmlab publishes."),
        KeyFormat(
            "pids", .list(of: .count(1...(1 << 22)), Limits.instances),
            "Processes whose CPU and memory are recorded, with their child processes."),
    ])

    private static let expect = MapFormat(keys: [
        KeyFormat(
            "guarantees",
            .map(
                MapFormat(
                    keys: Guarantee.allCases.map {
                        KeyFormat($0.rawValue, .choice(Expectation.words), $0.summary)
                    })), "What is expected of a guarantee. Default: what the manager promises."),
        KeyFormat(
            "thresholds", .list(of: .threshold, Limits.thresholds),
            "Conditions on the result: latency.p99 < 50ms, delivery.lost == 0."),
        KeyFormat(
            "tolerances",
            .map(
                MapFormat(
                    keys: MetricCatalogue.gated.map {
                        KeyFormat($0, .share, "How much worse a gate lets it become.")
                    })),
            "Metrics that wsmlab gate judges beside its own choice of them, or with another tolerance: latency.p99: 10%"
        ),
        KeyFormat("bounds", .map(bounds), "The times by which isolation, bounded-lag and recovery judge."),
    ])
    private static let bounds = MapFormat(keys: [
        KeyFormat(
            "isolation", .duration(Limits.bound), default: "2s",
            "How late a healthy client may get a message behind slow or dead ones."),
        KeyFormat("lag", .duration(Limits.bound), "How far behind any client may be. Default: no bound."),
        KeyFormat(
            "recovery", .duration(Limits.bound), default: "5s", "How long recovering from the last fault may take."),
    ])
}

extension RawRepresentable where Self: CaseIterable, RawValue == String {
    /// How the cases are written in a scenario.
    static var words: [String] { allCases.map(\.rawValue) }
}
