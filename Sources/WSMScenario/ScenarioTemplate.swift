/// The beginnings of a scenario that `wsmlab new` writes: commented, valid, and light enough for a laptop.
package enum ScenarioTemplate: String, CaseIterable, Sendable {
    /// A cluster under load.
    case quickstart
    /// The same, and Redis, an instance and clients fail.
    case faults
    /// A system that runs already.
    case target

    /// The scenario's text, under a name that ``isName(_:)`` accepts.
    package func text(name: String) -> String {
        let body =
            switch self {
            case .quickstart:
                Self.clusterPart + Self.redisPart + Self.clientsPart + Self.loadPart + Self.quickstartExpectations
            case .faults:
                Self.clusterPart + Self.clientsPart + Self.loadPart + Self.faultsPart + Self.faultExpectations
            case .target: Self.targetPart + Self.clientsPart + Self.broadcastsPart + Self.targetExpectations
            }
        return """
            # yaml-language-server: $schema=./scenario.schema.json
            # An editor completes and checks this file with: wsmlab schema > scenario.schema.json
            #
            #   wsmlab validate \(name).yaml
            #   wsmlab run \(name).yaml
            name: \(name)
            description: \(summary)
            seed: 1                           # the same seed, the same load
            warmup: 1s                        # load that is not measured
            duration: 10s                     # the measured window

            \(body)
            """
    }

    /// Whether a scenario may have this name.
    package static func isName(_ name: String) -> Bool { TextRule.isName(name) }

    /// What the template is for, in a line.
    package var summary: String {
        switch self {
        case .quickstart: "Two instances behind one Redis, thread-pool workers, 100 clients"
        case .faults: "Two instances while Redis, an instance and clients fail"
        case .target: "A system that runs already, published to through its Redis"
        }
    }

    // MARK: Parts

    private static let clusterPart = """
        cluster:
          profile: hardened               # hardened: what we would run; reference: what people run today
          manager: broadcast              # broadcast goes through Redis; memory reaches an instance's own clients only
          instances: 2
          workers: 5                      # worker threads an instance
          # placement: processes          # each instance a process of its own

        """

    private static let redisPart =
        "  # redis: {url: \"redis://127.0.0.1:6379\"}    # one that runs already, in place of a private one\n"

    private static let targetPart = """
        target:
          clients: ["ws://127.0.0.1:8080/api/ws/events"]    # the URL of each instance
          # subprotocols: [base64.bearer.token, TOKEN]      # what clients offer at the handshake
          publish: {via: redis, url: "redis://127.0.0.1:6379", channel: events}    # or {via: http, url: "http://…"}
          # pids: [1234]                  # whose CPU and memory to record

        """

    private static let clientsPart = """

        clients:
          count: 100
          connectRate: 200/s
          # churn: {rate: 5/s}            # sessions that end and begin anew
          # slow: {count: 2, readRate: 4KiB/s}
          reconnect: {initial: 100ms, max: 1s}

        """

    private static let broadcastsPart = """

        workload:
          - kind: broadcasts              # a message to every client
            rate: 50/s
            publishers: 2
            payload: 256B

        """

    private static let loadPart =
        broadcastsPart + """
              - kind: processes               # workflow processes, each step an update
                rate: 5/s
                steps: 5
                stepDuration: exponential(20ms)

            """

    private static let faultsPart = """

        faults:                             # instants count from the start of the measured window
          - {at: 1s, action: redis.restart, downtime: 500ms}
          - {at: 3s, action: instance.kill, target: 1, restartAfter: 1s}
          - {at: 6s, action: clients.disconnect, share: 10%}

        """

    private static let quickstartExpectations = """

        expect:                             # what the manager promises is expected anyway
          thresholds:                     # any number of result.json: a path, a comparison, a number with its unit
            - latency.p99 < 250ms
            - delivery.lost == 0

        """

    private static let faultExpectations = """

        expect:                             # what the manager promises is expected anyway
          guarantees:
            no-silent-loss: holds         # who missed something was told, or lost the connection
            recovery: holds               # soon after the last fault all is subscribed and drained again
          thresholds:
            - delivery.lostByCause.unexplained == 0
          bounds:
            recovery: 3s

        """

    private static let targetExpectations = """

        expect:
          guarantees:                     # of a target nothing is promised: say what you rely on
            completeness: holds
            publisher-order: holds
            # at-most-once: holds
          thresholds:
            - latency.p99 < 250ms
            - delivery.lost == 0

        """
}
