import Foundation
import Synchronization
import Testing
import WSMCore
import WSMScenario

@testable import WSMHarness

@Suite("Many seeds of a scenario", .timeLimit(.minutes(5)))
struct SeedCampaignTests {
    private func scenario() -> Scenario {
        var scenario = Scenario(name: "seeds", duration: .milliseconds(500))
        scenario.warmup = .milliseconds(100)
        scenario.cluster.instances = 2
        scenario.clients = ClientsSpec(count: 4)
        scenario.workload = [.broadcasts(BroadcastsSpec(rate: Rate(perSecond: 40)))]
        return scenario
    }

    private func explore(
        _ scenario: Scenario, _ seeds: String, workers: Int = 2, interruption: Interruption = Interruption(),
        progress: @escaping @Sendable (SeedCampaign.Progress) -> Void = { _ in }
    ) async throws -> SeedCampaignResult {
        let folder = NSTemporaryDirectory() + "wsmlab-seeds-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let campaign = try SeedCampaign(
            scenario: scenario, command: "wsmlab simulate x.yaml", seeds: SeedRange(parsing: seeds), workers: workers,
            folder: folder)
        let outcome = try await campaign.perform(interruption: interruption, progress: progress)
        #expect(outcome.folder == folder)
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/seeds.json"))
        #expect(try JSONDecoder().decode(SeedCampaignResult.self, from: data) == outcome.result)
        return outcome.result
    }

    @Test("Seeds that pass are counted, and one in sixteen does the same twice")
    func passes() async throws {
        let done = Mutex<[SeedCampaign.Progress]>([])
        let result = try await explore(scenario(), "1..40") { step in done.withLock { $0.append(step) } }
        #expect(result.done == 40 && result.failed == 0 && result.failures.isEmpty)
        #expect(result.byVerdict == ["passed": 40])
        #expect(result.repeated == 2 && result.divergences.isEmpty)
        #expect(result.exitCode == 0 && !result.interrupted && result.deliveries > 40 * 4 * 5)
        #expect(done.withLock { $0.map(\.done) } == Array(1...40))
        #expect(done.withLock { $0.last?.left } == .zero)
    }

    @Test("A failing seed alone fails in the same way, whoever found it")
    func failing() async throws {
        var scenario = scenario()
        // Some twenty messages, as the seed has it.
        scenario.expect.thresholds = [try Threshold.parse("delivery.published >= 20").get()]
        let result = try await explore(scenario, "1..24")
        #expect(result.failed == result.failures.count && (1..<24).contains(result.failed), "\(result.byVerdict)")
        #expect(result.exitCode == ExitCode.thresholdMissed.rawValue)
        #expect(result.failures.map(\.seed) == result.failures.map(\.seed).sorted())
        for failure in result.failures {
            var alone = scenario
            alone.seed = failure.seed
            let again = try SimulatedRun.judged(alone, interruption: Interruption()).result
            #expect(again.traceHash == failure.traceHash && again.verdict == failure.verdict)
            #expect(again.reason == failure.reason)
        }
        var one = try await explore(scenario, "1..24", workers: 1)
        one.startedAt = result.startedAt
        #expect(one == result)
    }

    @Test("An interrupted campaign keeps what was done, and says so")
    func interrupted() async throws {
        let interruption = Interruption()
        let result = try await explore(scenario(), "1..5000", interruption: interruption) { step in
            if step.done == 3 { interruption.request() }
        }
        #expect(result.interrupted && result.done >= 3 && result.done < 10)
        #expect(result.exitCode == ExitCode.interrupted.rawValue)
    }

    @Test("What is not modelled is refused before anything runs")
    func refused() throws {
        var scenario = scenario()
        scenario.cluster.tls = true
        let seeds = try SeedRange(parsing: "1..2")
        #expect(throws: HarnessError.self) {
            _ = try SeedCampaign(scenario: scenario, command: "", seeds: seeds, folder: nil)
        }
    }

    @Test(
        "A range has two ends in order",
        arguments: ["", "7", "1..", "..2", "1.2", "1...2", "2..1", "-1..2", "1..x", "1.x.2", "0..18446744073709551615"])
    func badRanges(text: String) {
        #expect(throws: SeedRange.Fault.self) { _ = try SeedRange(parsing: text) }
    }

    @Test("Both ends of a range are in it")
    func ranges() throws {
        #expect(try SeedRange(parsing: "5..5").count == 1)
        #expect(try SeedRange(parsing: "1..200").count == 200)
        #expect(try SeedRange(parsing: "18446744073709551614..18446744073709551615").count == 2)
    }

    @Test("A run that does something else the second time ends with 1, whatever else it gave")
    func diverging() throws {
        var result = SeedCampaignResult(
            name: "x", command: "x", seeds: try SeedRange(parsing: "1..2"), startedAt: "", environment: .current())
        var finding = SeedCampaignResult.Finding(
            seed: 2,
            run: JudgedRun(
                result: RunResult(
                    name: "x", seed: 2, startedAt: "", durationNanoseconds: 1, environment: .current())))
        finding.isRepeated = true
        finding.parting = "the same until step 64"
        result.take(finding)
        result.conclude()
        #expect(result.exitCode == ExitCode.internalError.rawValue && result.divergences.map(\.seed) == [2])
    }
}
