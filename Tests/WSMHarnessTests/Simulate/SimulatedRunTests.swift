import Foundation
import Testing
import WSMCore
import WSMScenario
import WSMVerify

@testable import WSMHarness

@Suite("A scenario in virtual time", .timeLimit(.minutes(5)))
struct SimulatedRunTests {
    private func scenario(seed: UInt64 = 3) -> Scenario {
        var scenario = Scenario(name: "simulated", duration: .seconds(1))
        scenario.seed = seed
        scenario.warmup = .milliseconds(200)
        scenario.cluster.instances = 2
        scenario.clients = ClientsSpec(count: 12)
        scenario.workload = [
            .processes(ProcessesSpec(rate: Rate(perSecond: 20))),
            .broadcasts(BroadcastsSpec(rate: Rate(perSecond: 50))),
        ]
        return scenario
    }

    private func simulate(_ scenario: Scenario) async throws -> RunResult {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("simulated-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await DedicatedThread.perform(name: "simulate") {
            try SimulatedRun.run(
                scenario: scenario, options: RunOptions(folder: folder.path), progress: { _ in },
                interruption: Interruption()
            ).result
        }
    }

    @Test("The same seed gives the same trace hash ten times, and another seed another")
    func determinism() async throws {
        var hashes: [String?] = []
        for _ in 0..<10 { hashes.append(try await simulate(scenario()).traceHash) }
        #expect(Set(hashes).count == 1)
        #expect(hashes.first != .some(nil))
        let other = try await simulate(scenario(seed: 4)).traceHash
        #expect(other != hashes.first)
    }

    @Test("Everything that was published arrives, and every promise is kept")
    func delivers() async throws {
        let result = try await simulate(scenario())
        #expect(result.verdict == .passed, "\(result.reason)")
        #expect(result.delivery.received > 500)
        #expect(result.delivery.lost == 0)
        #expect(result.clients.connected == 12)
        #expect(result.guarantees.filter { $0.promised && $0.verdict != .holds }.isEmpty)
    }

    @Test("What is not modelled is refused by its key")
    func refusal() async throws {
        var scenario = scenario()
        scenario.cluster.tls = true
        scenario.cluster.redisSecurity.acl = true
        let told: String
        do {
            told = "passed: \(try await simulate(scenario).verdict)"
        } catch let error as HarnessError {
            told = "\(error)"
        }
        #expect(told.contains("cluster.tls"))
        #expect(told.contains("cluster.redis.acl"))
    }
}
