import Testing
import WSMCore

@testable import WSMScenario

@Suite("Faults of a scenario")
struct DiagnosticTests {
    @Test("All faults are reported in one go, by their places")
    func allAtOnce() {
        let text = """
            nam: test
            warmup: 10 parsecs
            duration: 50
            cluster:
              instances: -2
              manager: broadcst
            clients:
              - count
            workload:
              - kind: processes
                rate: 5ms/s
            expect:
              thresholds: [latency.p98 < 50ms, delivery.lost == 0ms]
            """
        #expect(
            faults(text) == [
                "s.yaml:1:1: error: unknown key \"nam\"\n  hint: did you mean name?",
                "s.yaml:1:1: error: the scenario needs the key name"
                    + "\n  hint: What the run is called, in its folder and its report.",
                "s.yaml:2:9: error: warmup: \"parsecs\" is not a unit of a duration"
                    + "\n  hint: a duration is a number and a unit: 250ms, 10s, 2m (ns, us, ms, s, m, h)",
                "s.yaml:3:11: error: duration: \"50\" needs a unit"
                    + "\n  hint: a duration is a number and a unit: 250ms, 10s, 2m (ns, us, ms, s, m, h)",
                "s.yaml:5:14: error: cluster.instances: -2 is out of range\n  hint: allowed: from 1 to 1000",
                "s.yaml:6:12: error: cluster.manager: unknown value \"broadcst\"\n  hint: did you mean broadcast?",
                "s.yaml:8:3: error: clients must be a map, not a list"
                    + "\n  hint: its keys: count, transport, processes, assignment, …",
                "s.yaml:11:11: error: workload[0].rate: \"ms/s\" is not a unit of a rate"
                    + "\n  hint: a rate is a number a second: 50/s, 5k/s, 0.2/s",
                "s.yaml:13:16: error: expect.thresholds[0]: there is no metric \"latency.p98\""
                    + "\n  hint: did you mean latency.p90?",
                "s.yaml:13:36: error: expect.thresholds[1]: \"ms\" is not a unit of a number"
                    + "\n  hint: it counts something: a number without a unit",
            ])
    }

    @Test("A duplicate key is reported at its second place, and the rest is still checked")
    func duplicates() {
        let text = """
            name: test
            name: again
            duration: 5s
            cluster: {instances: 2, "instances": 3, instances: 4}
            cluster: {}
            clients: {cont: 5}
            """
        #expect(
            faults(text) == [
                "s.yaml:2:1: error: the key \"name\" stands twice\n  hint: it stands in line 1 already; keep one of them",
                "s.yaml:4:25: error: the key \"instances\" stands twice"
                    + "\n  hint: it stands in line 4 already; keep one of them",
                "s.yaml:4:41: error: the key \"instances\" stands twice"
                    + "\n  hint: it stands in line 4 already; keep one of them",
                "s.yaml:5:1: error: the key \"cluster\" stands twice"
                    + "\n  hint: it stands in line 4 already; keep one of them",
                "s.yaml:6:11: error: unknown key \"cont\" in clients\n  hint: did you mean count?",
            ])
    }

    @Test(
        "A key whose feature does not exist yet is refused at its place",
        arguments: [
            (
                "target: {clients: ['ws://h/'], publish: {via: http, url: 'https://h/'}}", "3:58",
                "target.publish.url: TLS (https://)"
            )
        ])
    func unsupported(_ cluster: String, _ place: String, _ what: String) throws {
        let found = faults(scenarioText(cluster: cluster))
        try #require(found.count == 1, "\(found)")
        #expect(found[0].hasPrefix("s.yaml:\(place): error: \(what) is not supported yet"), "\(found)")
    }

    @Test(
        "TLS, users and tokens must fit together",
        arguments: [
            ("cluster: {tls: yes}", "3:16", "cluster.tls: \"yes\" is neither true nor false"),
            ("cluster: {redis: {url: 'redis://h', tls: true}}", "3:42", "cluster.redis.tls is for the private server"),
            ("cluster: {redis: {url: 'redis://h', acl: true}}", "3:42", "cluster.redis.acl is for the private server"),
            ("cluster: {auth: tokens}", "3:17", "cluster.auth: unknown value \"tokens\""),
            ("cluster: {tls: true}\nclients: {transport: direct}", "3:16", "cluster.tls makes no sense"),
            ("cluster: {auth: token}\nclients: {transport: direct}", "3:17", "cluster.auth makes no sense"),
            ("cluster: {}\nclients: {auth: {expired: 5%}}", "4:17", "clients.auth needs cluster.auth: token"),
            (
                "target: {clients: ['ws://h/'], publish: {via: redis, url: 'rediss://h'}}\nclients: {auth: {wrong: 1%}}",
                "4:17", "clients.auth needs cluster.auth: token"
            ),
            (
                "cluster: {auth: token}\nclients: {auth: {expired: 60%, wrong: 60%}}", "4:17",
                "clients.auth: expired, wrong, forbidden, malformed together"
            ),
            (
                "target: {clients: ['ws://h/'], certificateAuthority: x, publish: {via: http, url: 'http://h/'}}",
                "3:54", "target.certificateAuthority has no effect"
            ),
        ])
    func security(_ cluster: String, _ place: String, _ what: String) throws {
        let found = faults(scenarioText(cluster: cluster))
        try #require(found.count == 1, "\(found)")
        #expect(found[0].hasPrefix("s.yaml:\(place): error: \(what)"), "\(found)")
    }

    @Test("A bounded lag cannot be expected without its bound")
    func boundedLag() throws {
        for expectation in ["holds", "violated", "any"] {
            for bounds in ["", ", bounds: {lag: 1s}"] {
                let text = scenarioText(
                    cluster: "cluster: {}\nexpect: {guarantees: {bounded-lag: \(expectation)}\(bounds)}")
                let found = faults(text)
                if bounds.isEmpty, expectation != "any" {
                    try #require(found.count == 1, "\(found)")
                    #expect(found[0].contains("s.yaml:4:36: error: expect.guarantees.bounded-lag needs"), "\(found)")
                } else {
                    #expect(found.isEmpty, "\(found)")
                }
            }
        }
    }

    @Test("What needs a socket is refused without one, and pings are off by default")
    func direct() throws {
        let text = scenarioText(cluster: "cluster: {}\nclients: {count: 9, transport: direct, CLIENTS}")
        for (clients, place, what) in [
            ("ping: 5s", "4:46", "clients.ping makes no sense"),
            ("slow: {count: 2}", "4:54", "clients.slow makes no sense"),
        ] {
            let found = faults(text.replacing("CLIENTS", with: clients))
            try #require(found.count == 1, "\(found)")
            #expect(found[0].hasPrefix("s.yaml:\(place): error: \(what)"), "\(found)")
            #expect(found[0].contains("hint: "))
        }
        let loaded = try scenario(text.replacing("CLIENTS", with: "ping: 0s, slow: {count: 0}"))
        #expect(loaded.clients.transport == .direct && loaded.clients.ping == .zero)
        #expect(try scenario(text.replacing(", CLIENTS", with: "")).clients.ping == .zero)
        #expect(try scenario(loaded.yaml()) == loaded)
    }

    @Test(
        "Pings that nobody sends cannot go unanswered, and the buffers of a Redis that is not the run's own are not set",
        arguments: [
            (
                "clients: {ping: 0s, pongTimeout: 5s}", "cluster: {}",
                "4:34: error: clients.pongTimeout needs clients.ping"
            ),
            (
                "clients: {transport: direct, pongTimeout: 5s}", "cluster: {}",
                "4:43: error: clients.pongTimeout needs clients.ping"
            ),
            ("clients: {pongTimeout: 0s}", "cluster: {}", "4:24: error: clients.pongTimeout: 0s is out of range"),
            ("clients: {pongTimeout: 5}", "cluster: {}", "4:24: error: clients.pongTimeout: \"5\" needs a unit"),
            (
                "", "cluster: {redis: {url: 'redis://h', pubsubBufferLimit: 1MiB}}",
                "3:56: error: cluster.redis.pubsubBufferLimit cannot be set at cluster.redis.url"
            ),
            (
                "", "cluster: {sendBuffer: 1KiB}",
                "3:23: error: cluster.sendBuffer: 1KiB is out of range"
            ),
            (
                "faults: [{at: 1s, action: clients.disconnect, how: politely}]", "cluster: {}",
                "4:52: error: faults[0].how: unknown value \"politely\""
            ),
            (
                "faults: [{at: 1s, action: clients.stall, duration: 1s, how: reset}]", "cluster: {}",
                "4:56: error: unknown key \"how\" in faults[0]"
            ),
            (
                "faults: [{at: 1s, action: link.cut, duration: 1s, afterwards: never}]", "cluster: {}",
                "4:63: error: faults[0].afterwards: unknown value \"never\""
            ),
            (
                "faults: [{at: 1s, action: link.cut}]", "cluster: {}",
                "4:10: error: faults[0] needs the key duration"
            ),
            (
                "", "cluster: {redis: {pubsubBufferLimit: 1}}",
                "3:38: error: cluster.redis.pubsubBufferLimit: \"1\" needs a unit"
            ),
            (
                "", "cluster: {redis: {pubsubBufferLimit: 12B}}",
                "3:38: error: cluster.redis.pubsubBufferLimit: 12B is out of range"
            ),
            (
                "", "cluster: {manager: memory, redis: {pubsubBufferLimit: 1MiB}}",
                "3:55: warning: cluster.redis.pubsubBufferLimit has no effect"
            ),
        ])
    func slowness(_ clients: String, _ cluster: String, _ expected: String) throws {
        let found = faults(scenarioText(cluster: clients.isEmpty ? cluster : "\(cluster)\n\(clients)"))
        try #require(found.count == 1, "\(found)")
        #expect(found[0].hasPrefix("s.yaml:\(expected)"), "\(found)")
    }

    @Test("Faults are checked key by key")
    func faultSyntax() {
        let text = scenarioText(
            """
            faults:
              - {at: 4s, action: redis.restrt, downtime: 500ms}
              - {at: 4s, action: instance.kill, target: 2}
              - {action: redis.restart, downtime: 1s}
              - {at: 1s, every: 2s, action: instance.kill}
              - {at: 1s, action: redis.pause}
              - {at: 1s, action: redis.pause, duration: 5, restartAfter: 1s}
              - {at: 10s, action: redis.kill}
              - {at: 1s}
            """, cluster: "cluster: {instances: 2}")
        let found = faults(text).map { $0.split(separator: "\n")[0] }
        #expect(
            found == [
                "s.yaml:5:22: error: faults[0].action: unknown value \"redis.restrt\"",
                "s.yaml:6:45: error: faults[1].target: there is no instance 2",
                "s.yaml:7:5: error: faults[2] needs one of at, every",
                "s.yaml:8:14: error: faults[3] can have only one of at and every",
                "s.yaml:9:5: error: faults[4] needs the key duration",
                "s.yaml:10:45: error: faults[5].duration: \"5\" needs a unit",
                "s.yaml:10:48: error: unknown key \"restartAfter\" in faults[5]",
                "s.yaml:11:10: error: faults[6].at lies after the end of the run",
                "s.yaml:12:5: error: faults[7] needs the key action",
            ])
    }

    @Test(
        "Keys that contradict each other are refused",
        arguments: [
            ("clients: {assignment: {weights: [3, 1]}}", "has 2 numbers, but there is 1 instance"),
            ("clients: {assignment: {weights: [0]}}", "are all 0"),
            ("clients: {count: 5, slow: {count: 6}}", "there are only 5 clients"),
            ("clients: {reconnect: {initial: 6s}}", "longer than clients.reconnect.max"),
            (
                "target: {clients: ['ws://h/'], publish: {via: http, url: 'http://h/'}}",
                "only one of cluster and target"
            ),
            ("workload: [{kind: processes, rate: 1/s, failed: 60%, aborted: 50%}]", "more than the whole"),
            ("workload: [{kind: broadcasts, rate: 10M/s}]", "the plan would hold more than"),
            ("clients: {count: 10000000, connectRate: 1/s}", "take longer to connect than 24h"),
            ("workload: [{kind: processes, rate: 1/s, stepDuration: 'exponential(2h)'}]", "2h is out of range"),
            ("clients: {count: 1, churn: {rate: 10M/s}}", "the plan would hold more than"),
            ("workload: [{kind: broadcasts, rate: 1/s, payload: 100B}]", "100B is out of range"),
            ("workload: [{kind: broadcasts, rate: 0/s}]", "0/s is out of range"),
            ("workload: [{kind: broadcasts, rate: 1/s, steps: 4}]", "unknown key \"steps\""),
            ("workload: [{rate: 1/s}]", "workload[0] needs the key kind"),
            ("workload: {kind: processes}", "workload must be a list"),
        ])
    func contradictions(_ lines: String, _ message: String) {
        let found = faults(scenarioText(lines))
        #expect(found.contains { $0.contains(message) && $0.contains(": error: ") }, "\(found)")
    }

    @Test("Neither cluster nor target is an error")
    func neither() {
        #expect(faults("name: a\nduration: 1s\n") == ["s.yaml:1:1: error: the scenario needs one of cluster, target"])
    }

    @Test("What has no effect draws a warning, and the scenario can be run")
    func warnings() throws {
        let text = scenarioText(
            "workload: [{kind: broadcasts, rate: 1/s, channel: processes}]",
            cluster: "cluster: {manager: memory, redis: {url: 'redis://h'}, slowClient: {policy: buffer, limit: 2MiB}}")
        let loaded = ScenarioFile.parse(text: text)
        #expect(loaded.diagnostics.map(\.severity) == [.warning, .warning, .warning])
        #expect(loaded.scenario != nil)
    }

    @Test("A key at the wrong place is sent to its own")
    func wrongPlace() {
        let found = faults(scenarioText("instances: 2"))
        #expect(found == ["s.yaml:4:1: error: unknown key \"instances\"\n  hint: instances belongs under cluster"])
    }

    @Test("The text of a file cannot steer the terminal")
    func escapes() {
        let found = faults(scenarioText(#""\e[2Jname": 1"#))
        #expect(found.count == 1)
        #expect(!found.joined().contains("\u{1b}"))
        #expect(found.joined().contains("\\u{1b}[2Jname"))
    }
}
