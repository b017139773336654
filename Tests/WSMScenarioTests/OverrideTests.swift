import Testing
import WSMCore

@testable import WSMScenario

@Suite("The flags --set KEY=VALUE")
struct OverrideTests {
    private let text = scenarioText(
        "workload:\n  - {kind: broadcasts, rate: 1/s}\n  - {kind: processes, rate: 1/s}",
        cluster: "cluster: {redis: {mode: embedded}}")

    private func load(_ overrides: [(String, String)]) throws -> Scenario {
        let loaded = ScenarioFile.parse(text: text, overrides: overrides)
        return try #require(loaded.scenario, "\(loaded.diagnostics)")
    }

    @Test("A value takes the place of the file's, or of a default")
    func values() throws {
        let loaded = try load([
            ("cluster.manager", "memory"), ("seed", "7"), ("workload[0].rate", "5/s"), ("workload.1.steps", "9"),
            ("clients.slow.count", "0"), ("clients.assignment", "{weights: [4]}"),
            ("expect.thresholds", "[latency.p99 < 1s]"), ("expect.guarantees.no-gap", "any"),
        ])
        #expect(loaded.cluster.manager == .memory)
        #expect(loaded.seed == 7)
        #expect(loaded.workload.map(\.rate.perSecond) == [5, 1])
        guard case .processes(let processes) = loaded.workload[1] else {
            Issue.record("the second workload is \(loaded.workload[1].kind)")
            return
        }
        #expect(processes.steps == 9)
        #expect(loaded.clients.assignment == .weights([4]))
        #expect(loaded.expect.thresholds.map(\.expression) == ["latency.p99 < 1s"])
        #expect(loaded.expect.guarantees == [.noGap: .any])
    }

    @Test("Of two flags for one key the later wins")
    func order() throws {
        #expect(try load([("seed", "7"), ("seed", "8")]).seed == 8)
    }

    @Test("A key takes the place of one that it excludes")
    func exclusion() throws {
        #expect(try load([("cluster.redis.url", "redis://h:1")]).cluster.redis == .url("redis://h:1"))
        #expect(try load([("cluster.redis", "{url: 'redis://h:1'}")]).cluster.redis == .url("redis://h:1"))
    }

    @Test("A key without a value falls back to its default")
    func unset() throws {
        #expect(try load([("cluster.workers", "9"), ("cluster.workers", "")]).cluster.workers == 5)
    }

    @Test(
        "A fault names the flag",
        arguments: [
            ("cluster.managr", "memory", "unknown key \"managr\" in cluster\n  hint: did you mean manager?"),
            ("cluster.manager", "redis", "cluster.manager: unknown value \"redis\"\n  hint: one of memory, broadcast"),
            ("duration", "5", "duration: \"5\" needs a unit"), ("workload[2].rate", "5/s", "there is no item 2"),
            ("workload.rate", "5/s", "\"rate\" is a key, but a list stands there"), ("", "5", "this is not a key"),
            ("a..b", "5", "this is not a key"), ("seed[0]", "5", "there is no item 0"), ("seed", "[1", "not YAML"),
            ("clients", "{count: 1, count: 2}", "the key \"count\" stands twice"),
            ("seed", "\u{1}", "the control character U+0001"),
            ("description", String(repeating: "x", count: 5000), "longer"),
        ])
    func faultsOfFlags(_ key: String, _ value: String, _ message: String) {
        let found = faults(text, overrides: [(key, value)])
        #expect(found.first?.hasPrefix("--set \(key): error: ") == true, "\(found)")
        #expect(found.first?.contains(message) == true, "\(found)")
    }

    @Test("Faults of the file come first, then those of the flags")
    func sorting() {
        let found = faults("name: a\nduration: 1\ncluster: {}\n", overrides: [("sed", "1"), ("clients.count", "-1")])
        #expect(found.map { $0.prefix(10) } == ["s.yaml:2:1", "--set sed:", "--set clie"])
    }
}
