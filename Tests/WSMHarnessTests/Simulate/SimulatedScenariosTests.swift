import Foundation
import Testing
import WSMCore
import WSMScenario
import WSMSimulation

@testable import WSMHarness

/// Every file of Scenarios/, in virtual time: what can be simulated gives what its file expects of a live run.
@Suite("The scenarios of the repository in virtual time", .timeLimit(.minutes(10)))
struct SimulatedScenariosTests {
    static let folder = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../Scenarios").standardized

    /// What is refused, by which of its keys.
    static let refused: [String: [String]] = [
        "target-nchan-memory": ["target"],
        "target-nchan-redis": ["target"],
        "target-orchestrator-core-memory": ["target"],
        "target-orchestrator-core-redis": ["target"],
        "tls": ["cluster.redis.tls", "cluster.redis.acl", "cluster.tls", "cluster.auth"],
    ]

    /// Smaller than the file says, where all of it takes a debug build too long; the faults and what is expected stay.
    static let scaled: [String: [(String, String)]] = [
        "direct-100k": [("clients.count", "2000")],
        "many-clients": [("clients.count", "400")],
        "quickstart": [("duration", "3s")],
        "capacity-10k-clients": [("clients.count", "2000"), ("expect.thresholds[1]", "delivery.received == 20000")],
        "million-clients": [("clients.count", "2000"), ("cluster.instances", "4")],
    ]

    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }()

    private func scenario(_ name: String) throws -> Scenario {
        let path = Self.folder.appendingPathComponent("\(name).yaml").path
        let loaded = ScenarioFile.load(path: path, overrides: Self.scaled[name] ?? [])
        return try #require(loaded.scenario, "\(loaded.diagnostics)")
    }

    @Test("A scenario gives in virtual time what it expects of a live run", arguments: names)
    func verdict(name: String) async throws {
        let scenario = try scenario(name)
        guard Self.refused[name] == nil else { return }
        let result = try await DedicatedThread.perform(name: "simulate") {
            try SimulatedRun.judged(scenario, interruption: Interruption()).result
        }
        #expect(result.verdict == .passed, "\(result.reason)")
        #expect(result.delivery.isBalanced && result.delivery.received > 0)
        #expect(result.faults.allSatisfy { $0.failure == nil })
        #expect(result.setup.placement == "simulated")
    }

    @Test("What cannot be simulated is refused by exactly the keys that have no model", arguments: names)
    func refusals(name: String) throws {
        #expect(Unmodelled.of(try scenario(name)).map(\.key) == Self.refused[name] ?? [])
    }

    @Test("There are scenarios, and those that are refused are among them")
    func files() {
        #expect(Self.names.count > 20)
        #expect(Set(Self.refused.keys).isSubset(of: Self.names))
    }
}
