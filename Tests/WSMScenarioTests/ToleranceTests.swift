import Testing
import WSMCore

@testable import WSMScenario

@Suite("The tolerances of a gate")
struct ToleranceTests {
    private func load(_ tolerances: String, cluster: String = "cluster: {}") -> LoadedScenario {
        ScenarioFile.parse(text: scenarioText("expect: {tolerances: \(tolerances)}", cluster: cluster))
    }

    @Test("They are shares by metric, and survive being written")
    func read() throws {
        let path = "resources.instances.cpuSecondsPerMillionDeliveries"
        let loaded = load("{latency.p99: 10%, \(path): 2.5%}")
        let scenario = try #require(loaded.scenario, "\(loaded.diagnostics)")
        #expect(
            scenario.expect.tolerances == ["latency.p99": Share(millionths: 100_000), path: Share(millionths: 25_000)])
        #expect(ScenarioFile.parse(text: scenario.yaml()).scenario == scenario)
    }

    @Test(
        "What a gate cannot judge is an error that names the nearest metric, or the reason",
        arguments: [
            ("{latncy.p99: 10%}", "cluster: {}", "unknown key \"latncy.p99\" in expect.tolerances", "latency.p99?"),
            ("{latency.p98: 10%}", "cluster: {}", "unknown key \"latency.p98\"", "did you mean latency.p"),
            ("{delivery.lost: 10%}", "cluster: {}", "unknown key \"delivery.lost\"", ""),
            ("{resources.clients.cpuSeconds: 10%}", "cluster: {}", "unknown key", "resources."),
            ("{latency.p99: 10}", "cluster: {}", "expect.tolerances.latency.p99: ", "5%"),
            ("{latency.p99: 150%}", "cluster: {}", "more than the whole", ""),
            (
                "{resources.redis.commands: 5%}", "cluster: {manager: memory}",
                "resources.redis.commands has no samples", "cluster.manager"
            ),
        ])
    func refused(tolerances: String, cluster: String, message: String, hint: String) {
        let loaded = load(tolerances, cluster: cluster)
        #expect(loaded.scenario == nil)
        #expect(loaded.diagnostics.contains { $0.message.contains(message) && ($0.hint ?? "").contains(hint) })
    }

    @Test("All metrics of which more is worse can have one, and no count that a gate compares exactly")
    func catalogue() {
        let known = Set(MetricCatalogue.metrics.map(\.path))
        #expect(MetricCatalogue.gated.allSatisfy(known.contains))
        for path in ["latency.p50", "stages.broker.p99", "fanOutSkew.max", "resources.redis.bytesOut"] {
            #expect(MetricCatalogue.gated.contains(path), "\(path)")
        }
        for path in ["latency.count", "scheduleSlip.p99", "delivery.lost", "resources.clients.rssBytes", "latency.min"]
        {
            #expect(!MetricCatalogue.gated.contains(path), "\(path)")
        }
    }
}
