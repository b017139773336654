import Testing
import WSMCore
import WSMScenario

/// The smallest scenario, with `lines` after it.
func scenarioText(_ lines: String = "", cluster: String = "cluster: {}") -> String {
    "name: test\nduration: 5s\n\(cluster)\n\(lines)\n"
}

/// The scenario of a text that must be valid.
func scenario(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> Scenario {
    let loaded = ScenarioFile.parse(text: text)
    let faults = loaded.diagnostics.map(\.description).joined(separator: "\n")
    return try #require(loaded.scenario, Comment(rawValue: faults), sourceLocation: sourceLocation)
}

/// The diagnostics of a text, as they are printed.
func faults(_ text: String, overrides: [(String, String)] = []) -> [String] {
    ScenarioFile.parse(text: text, name: "s.yaml", overrides: overrides).diagnostics.map(\.description)
}

/// The folder Scenarios of this repository.
let scenariosFolder = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/Scenarios"

/// The scenarios that are part of the repository.
let repositoryScenarios = [
    "cluster-sharded", "instance-crash", "many-clients", "memory-single-instance", "memory-two-instances", "quickstart",
    "reconnect-storm", "redis-pause", "redis-restart-hardened", "redis-restart-reference", "reference-pool-limit",
    "sentinel-failover",
    "target-nchan-memory", "target-nchan-redis", "target-orchestrator-core-memory", "target-orchestrator-core-redis",
    "threadpool-redis-hardened", "threadpool-redis-reference", "tls",
]
