import Foundation
import Testing
import WSMCore
import WSMHarness
import WSMRecord
import WSMScenario
import WSMVerify

@Suite("A scenario runs end to end", .serialized, .timeLimit(.minutes(3)))
struct ScenarioRunTests {
    /// Runs a scenario text in a folder that is gone afterwards.
    func run(_ text: String, overrides: [(String, String)] = []) async throws -> RunResult {
        let loaded = ScenarioFile.parse(text: text, name: "test.yaml", overrides: overrides)
        let scenario = try #require(loaded.scenario, "\(loaded.diagnostics)")
        let folder = NSTemporaryDirectory() + "wsmlab-test-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let outcome = try await ScenarioRun.run(
            scenario: scenario, options: RunOptions(folder: folder), progress: { _ in }, interruption: Interruption())
        let stored = try RunResult(json: Data(contentsOf: URL(fileURLWithPath: "\(folder)/result.json")))
        #expect(stored == outcome.result)
        let yaml = try String(contentsOfFile: "\(folder)/scenario.yaml", encoding: .utf8)
        #expect(ScenarioFile.parse(text: yaml, name: "stored").scenario == scenario)
        #expect(outcome.result.delivery.isBalanced)
        let verified = try TraceVerification.verify(StoredRun(folder))
        #expect(verified.comparison == .same, "\(verified.reason) \(verified.differences)")
        return outcome.result
    }

    func guarantee(_ id: String, of result: RunResult) throws -> GuaranteeResult {
        try #require(result.guarantees.first { $0.id == id })
    }

    static let base = """
        name: test
        seed: 3
        warmup: 200ms
        duration: 1s
        cluster: {profile: PROFILE, manager: MANAGER, instances: 2, workers: 3}
        clients: {count: 12, connectRate: 500/s}
        workload:
          - {kind: processes, rate: 10/s, steps: 3, stepDuration: exponential(5ms), failed: 20%, suspended: 20%, aborted: 20%}
          - {kind: broadcasts, rate: 40/s, publishers: 2, payload: 300B}
          - {kind: engine-status, rate: 2/s}
        """

    func text(_ manager: ManagerKind, _ profile: Profile) -> String {
        Self.base.replacingOccurrences(of: "MANAGER", with: manager.rawValue)
            .replacingOccurrences(of: "PROFILE", with: profile.rawValue)
    }

    @Test("Behind Redis everything arrives at the clients of both instances", arguments: Profile.allCases)
    func broadcast(profile: Profile) async throws {
        let result = try await run(text(.broadcast, profile))
        #expect(result.delivery.published > 40)
        // Broadcasts on a channel that no client listens to are published, and expected by nobody.
        #expect(result.delivery.expected > 40 * 12)
        #expect(result.delivery.received == result.delivery.expected)
        #expect(result.delivery.lost == 0)
        #expect(result.verdict == .passed, "\(result.reason)")
        #expect(result.latency.count == result.delivery.received)
        for stage in [result.stages.broker, result.stages.write, result.stages.wire] { #expect(stage.count > 0) }
        #expect(try guarantee("cross-instance-reach", of: result).verdict == .holds)
        #expect(try guarantee("process-order", of: result).verdict == .holds)
    }

    @Test("In memory the clients of the other instance miss every message, and the witness says so")
    func memory() async throws {
        let result = try await run(text(.memory, .hardened))
        let reach = try guarantee("cross-instance-reach", of: result)
        #expect(reach.verdict == .violated)
        #expect(reach.witness != nil)
        #expect(!reach.promised)
        #expect(result.delivery.lost > 0)
        #expect(result.delivery.lostByCause == ["other-instance": result.delivery.lost])
        #expect(result.delivery.received * 2 == result.delivery.expected)
    }

    @Test("A promise that is broken ends the run with exit code 3, an expected violation with 0")
    func promises() async throws {
        let expecting = text(.memory, .hardened) + "\nexpect: {guarantees: {cross-instance-reach: violated}}"
        #expect(try await run(expecting).exitCode == ExitCode.passed.rawValue)
        let demanding = text(.memory, .hardened) + "\nexpect: {guarantees: {cross-instance-reach: holds}}"
        #expect(try await run(demanding).exitCode == 3)
    }

    @Test("Churning and slow clients are accounted for, and nothing is lost")
    func churn() async throws {
        let extra = "clients: {count: 12, connectRate: 500/s, churn: {rate: 10/s}, slow: {count: 2, readRate: 64KiB/s}}"
        let text = text(.broadcast, .hardened).replacingOccurrences(
            of: "clients: {count: 12, connectRate: 500/s}", with: extra)
        let result = try await run(text)
        #expect(result.delivery.lost == 0, "\(result.delivery)")
        #expect(result.verdict == .passed, "\(result.reason)")
        #expect(result.latencySlowReaders.count > 0)
    }
}
