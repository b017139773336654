import Foundation
import Testing
import WSMCore
import WSMReport
import WSMScenario

@testable import WSMHarness

@Suite("Seeds that become scenario files", .timeLimit(.minutes(10)))
struct ShrunkSeedTests {
    /// A manager that resubscribes in silence, of which silence is not wanted.
    private func silent() -> Scenario {
        var scenario = Scenario(name: "silent", duration: .seconds(3))
        scenario.cluster.instances = 3
        scenario.cluster.brokerLoss = .resubscribeSilently
        scenario.clients = ClientsSpec(count: 12)
        scenario.workload = [
            .broadcasts(BroadcastsSpec(rate: Rate(perSecond: 60))), .processes(ProcessesSpec(rate: Rate(perSecond: 5))),
        ]
        var fault = FaultSpec(action: .redisRestart, schedule: .at(.milliseconds(800)))
        fault.downtime = .milliseconds(300)
        scenario.faults = [fault]
        scenario.expect.guarantees = [.noSilentLoss: .holds]
        return scenario
    }

    @Test("A failing seed becomes a file that is read as the same scenario and fails in the same way")
    func file() async throws {
        let folder = NSTemporaryDirectory() + "wsmlab-shrink-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let campaign = try SeedCampaign(
            scenario: silent(), command: "wsmlab simulate x.yaml", seeds: SeedRange(parsing: "1..2"), workers: 2,
            folder: folder, shrinking: .init { ShrunkScenario.text($0) })
        let result = try await campaign.perform(interruption: Interruption()) { _ in }.result
        #expect(result.failed == 2)
        let shrunk = try #require(result.shrunken?.first)
        #expect(result.shrunken?.count == 1 && shrunk.seed == 1 && shrunk.condition == "no-silent-loss")
        #expect(shrunk.isMinimal && shrunk.size.items <= 5 && shrunk.size.items < shrunk.before.items)

        let text = try String(contentsOfFile: "\(folder)/\(shrunk.file)", encoding: .utf8)
        let scenario = try #require(ScenarioFile.parse(text: text).scenario)
        let again = try SimulatedRun.judged(scenario, interruption: Interruption()).result
        #expect(again.verdict == .guarantee && again.traceHash == shrunk.traceHash)
        #expect(FailureKind(again)?.condition == "no-silent-loss")
        // The drawing: Redis goes, a publish, and where it never came.
        #expect(text.contains("! redis.restart") && text.contains(">x") && text.contains("# no-silent-loss"))
        let report = SeedsReport.text(result, folder: folder)
        #expect(report.contains("wsmlab simulate \(folder)/\(shrunk.file)"))
    }

    @Test("A campaign without a failure shrinks nothing, and one without the wish keeps silent")
    func nothing() async throws {
        var scenario = silent()
        scenario.expect.guarantees = [:]
        let folder = NSTemporaryDirectory() + "wsmlab-shrink-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let passing = try SeedCampaign(
            scenario: scenario, command: "", seeds: SeedRange(parsing: "1..2"), folder: folder,
            shrinking: .init { _ in "" })
        #expect(try await passing.perform(interruption: Interruption()) { _ in }.result.shrunken == [])
        #expect(try SeedShrinker(interruption: Interruption()).shrink(scenario, seed: 1) == nil)
    }

    @Test("A request ends the shrinking")
    func interrupted() throws {
        let interruption = Interruption()
        interruption.request()
        #expect(try SeedShrinker(interruption: interruption).shrink(silent(), seed: 1) == nil)
    }
}
