import Testing
import WSMCore

@testable import WSMScenario

@Suite("A target in a scenario")
struct TargetTests {
    static let redis = "target: {clients: ['ws://h/'], publish: {via: redis, url: 'redis://h'}}"
    static let http = "target: {clients: ['ws://h/'], publish: {via: http, url: 'http://h/'}}"

    @Test("Every key of the contract's example arrives in the model")
    func everyKey() throws {
        let loaded = try scenario(
            scenarioText(
                cluster: """
                    target:
                      clients: ["ws://127.0.0.1:8080/api/ws/events"]
                      subprotocols: [base64.bearer.token, TOKEN]
                      publish: {via: redis, url: "redis://127.0.0.1:6379", channel: "app:events"}
                      pids: [1234]
                    """))
        #expect(
            loaded.system
                == .target(
                    TargetSpec(
                        clients: ["ws://127.0.0.1:8080/api/ws/events"], subprotocols: ["base64.bearer.token", "TOKEN"],
                        publish: .redis(url: "redis://127.0.0.1:6379", channel: ChannelName("app:events")), pids: [1234]
                    )))
        #expect(loaded.instanceCount == 1)
        #expect(loaded.clients.ping == .zero, "not every system takes a text that it did not ask for")
        #expect(try scenario(scenarioText()).clients.ping == .seconds(30))
    }

    @Test("Clients and publishers are planned over the URLs")
    func plan() throws {
        let loaded = try scenario(
            scenarioText(
                "clients: {count: 8, assignment: {weights: [3, 1]}}\nworkload: [{kind: broadcasts, rate: 10/s}]",
                cluster: "target: {clients: ['ws://a/', 'ws://b/'], publish: {via: http, url: 'http://h/'}}"))
        let plan = LoadPlan(loaded)
        #expect(plan.clients.filter { $0.instance == 0 }.count == 6)
        #expect(plan.clients.filter { $0.instance == 1 }.count == 2)
        #expect(plan.broadcasters.count == 1)
        #expect(plan.describe().contains("broadcaster\t0\t0\t0\tevents\t256"))
    }

    @Test(
        "What makes no sense with a target is refused at its place",
        arguments: [
            (redis + "\ncluster: {}", "4:1", "the scenario can have only one of cluster and target"),
            (redis + "\nworkload: [{kind: processes, rate: 1/s}]", "4:19", "workload[0]: processes would run inside"),
            (redis + "\nworkload: [{kind: engine-status, rate: 1/s}]", "4:19", "workload[0]: engine-status would run"),
            (
                redis + "\nworkload: [{kind: broadcasts, rate: 1/s, channel: x}]", "4:51",
                "workload[0].channel has no effect"
            ),
            (
                redis + "\nclients: {count: 2, assignment: {weights: [1, 2]}}", "4:43",
                "clients.assignment.weights has 2 numbers, but there is 1 instance"
            ),
            (redis + "\nclients: {transport: direct}", "4:22", "clients.transport: direct needs instances"),
            (
                redis + "\nfaults: [{at: 1s, action: redis.kill}]", "4:27",
                "faults[0]: wsmlab cannot do redis.kill to a target"
            ),
            (
                redis + "\nexpect: {guarantees: {process-order: holds}}", "4:38",
                "expect.guarantees.process-order is never known of a target"
            ),
            (
                redis + "\nexpect: {thresholds: [stages.queue.p99 < 1s]}", "4:23",
                "expect.thresholds[0]: stages.queue.p99 has no samples"
            ),
            (
                redis + "\nexpect: {thresholds: [resources.instances.cpuSeconds < 1]}", "4:23",
                "expect.thresholds[0]: resources.instances.cpuSeconds has no samples"
            ),
            (
                http + "\nexpect: {thresholds: [resources.redis.connections < 1]}", "4:23",
                "expect.thresholds[0]: resources.redis.connections has no samples"
            ),
            (
                "target: {clients: ['ws://h/'], publish: {via: http, url: 'redis://h'}}", "3:58",
                "target.publish.url does not fit via: http"
            ),
            (
                "target: {clients: ['ws://h/'], publish: {via: redis, url: 'http://h/'}}", "3:59",
                "target.publish.url does not fit via: redis"
            ),
            (
                "target: {clients: ['ws://h/'], publish: {via: http, url: 'http://h/', channel: x}}", "3:80",
                "target.publish.channel belongs to via: redis"
            ),
            (
                "target: {clients: ['ws://h/'], publish: {via: http, url: 'http://h/'}, pids: [1, 1]}", "3:82",
                "target.pids: 1 stands twice"
            ),
            ("target: {clients: [], publish: {via: http, url: 'http://h/'}}", "3:19", "target.clients is empty"),
        ])
    func nonsense(_ lines: String, _ place: String, _ message: String) {
        let found = faults(scenarioText(cluster: lines))
        #expect(found.contains { $0.hasPrefix("s.yaml:\(place): error: \(message)") }, "\(found)")
        #expect(found.allSatisfy { $0.contains("\n  hint: ") || $0.contains("not supported yet") }, "\(found)")
    }

    @Test("A flag for a cluster does not turn a target into one")
    func flags() {
        for (key, value) in [("cluster.redis", "{url: 'redis://h'}"), ("cluster.instances", "2")] {
            let found = faults(scenarioText(cluster: Self.redis), overrides: [(key, value)])
            #expect(found.count == 1)
            #expect(
                found.first?.hasPrefix("--set \(key): error: the scenario can have only one of") == true, "\(found)")
        }
    }

    @Test("The parts of a target can be set by flags, as its scripts print them")
    func overrides() throws {
        let loaded = ScenarioFile.parse(
            text: scenarioText(cluster: Self.redis),
            overrides: [
                ("target.clients", #"["ws://127.0.0.1:1/a", "ws://127.0.0.1:2/a"]"#), ("target.pids", "[7, 8]"),
                ("target.publish", #"{via: http, url: "http://127.0.0.1:1/p"}"#),
            ])
        let scenario = try #require(loaded.scenario, "\(loaded.diagnostics)")
        #expect(
            scenario.system
                == .target(
                    TargetSpec(
                        clients: ["ws://127.0.0.1:1/a", "ws://127.0.0.1:2/a"],
                        publish: .http(url: "http://127.0.0.1:1/p"), pids: [7, 8])))
    }

    @Test(
        "A URL that cannot be used is refused without its password",
        arguments: [
            "ws://user:SECRET@h/", "ws://h:99999/?t=SECRET", "ws://h:/SECRET", "ws://h/#SECRET", "ws://[SECRET]/",
            "ws:///SECRET", "ws://h/SECRET ß",
        ])
    func urls(_ url: String) {
        let found = faults(
            scenarioText(cluster: "target: {clients: [\"\(url)\"], publish: {via: http, url: 'http://h/'}}"))
        #expect(found.count == 1)
        #expect(!found.joined().contains("SECRET"), "\(found)")
    }

    @Test("Nor does a publish URL or a subprotocol appear in a message")
    func secrets() {
        for part in [
            "publish: {via: http, url: 'http://u:SECRET%@h/'}", "publish: {via: http, url: 'redis://:SECRET@h'}",
            "subprotocols: ['SECRET, x'], publish: {via: http, url: 'http://h/'}",
        ] {
            let found = faults(scenarioText(cluster: "target: {clients: ['ws://h/'], \(part)}"))
            #expect(found.count == 1, "\(part): \(found)")
            #expect(!found.joined().contains("SECRET"), "\(found)")
        }
    }

    @Test("A URL is taken apart, and shown without password and query")
    func parts() throws {
        let url = try TargetURL("http://us%40er:pa%3Ass@[::1]:81/p/q?token=x", schemes: ["http"])
        #expect(url.login == TargetURL.Login(user: "us@er", password: "pa:ss"))
        #expect(url.host == "::1")
        #expect(url.port == 81)
        #expect(url.path == "/p/q?token=x")
        #expect(url.authority == "[::1]:81")
        #expect("\(url)" == "http://us%40er:***@[::1]:81/p/q?…")
        let short = try TargetURL("ws://host?x", schemes: ["ws"])
        #expect(short.path == "/?x")
        #expect(short.port == 80)
        #expect(throws: TargetURL.Fault.self) { try TargetURL("http://h/", schemes: ["ws"]) }
    }
}
