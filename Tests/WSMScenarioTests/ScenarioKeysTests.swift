import Testing

@testable import WSMScenario

@Suite("Keys that shells complete")
struct ScenarioKeysTests {
    @Test(
        "A prefix goes on with keys, maps, items or values",
        arguments: [
            ("clu", ["cluster."]), ("cluster.man", ["cluster.manager="]),
            ("cluster.manager=", ["cluster.manager=memory", "cluster.manager=broadcast"]),
            ("cluster.manager=b", ["cluster.manager=broadcast"]),
            ("cluster.tls=", ["cluster.tls=true", "cluster.tls=false"]),
            ("cluster.redis.m", ["cluster.redis.mode="]), ("work", ["workload[0]."]),
            ("workload[0].k", ["workload[0].kind="]), ("workload[3].stepD", ["workload[3].stepDuration="]),
            ("workload.1.kind=b", ["workload.1.kind=broadcasts"]),
            ("clients.assignment", ["clients.assignment=", "clients.assignment."]),
            ("clients.assignment.", ["clients.assignment.weights="]), ("warmup=", ["warmup=1s"]), ("name=", []),
            ("nonsense", []), ("nonsense.a", []), ("cluster.manager.x", []), ("..", []), ("=", []),
        ])
    func completions(_ prefix: String, _ expected: [String]) {
        #expect(Set(ScenarioKeys.completions(of: prefix)).isSuperset(of: expected))
        if expected.isEmpty { #expect(ScenarioKeys.completions(of: prefix) == []) }
    }

    @Test("Every value that is offered for a key of a choice is one that the checker takes")
    func values() {
        for value in ScenarioKeys.completions(of: "cluster.manager=")
            + ScenarioKeys.completions(of: "clients.assignment=")
        {
            let sides = value.split(separator: "=", maxSplits: 1).map(String.init)
            #expect(faults("name: a\nduration: 5s\ncluster: {}\n", overrides: [(sides[0], sides[1])]) == [])
        }
    }
}
