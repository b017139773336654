import Foundation
import Testing
import WSMCore
import WSMScenario

@testable import WSMHarness

@Suite("Swarms", .timeLimit(.minutes(5)))
struct SwarmTests {
    private func base(_ profile: Profile = .hardened) -> Scenario {
        var base = Scenario(name: "swarm", duration: .seconds(1))
        base.cluster.profile = profile
        return base
    }

    @Test(
        "Each seed draws a scenario that can be simulated, always the same, and all kinds are drawn",
        arguments: Profile.allCases)
    func drawn(profile: Profile) async throws {
        var actions: Set<String> = []
        var managers: Set<ManagerKind> = []
        var scenarios: Set<String> = []
        let base = base(profile)
        let drawn = try await DedicatedThread.perform(name: "draw") {
            try (UInt64(1)...300).map { seed in
                let scenario = try SwarmScenario.draw(base, seed: seed)
                return (seed, scenario, try SwarmScenario.draw(base, seed: seed))
            }
        }
        for (seed, scenario, again) in drawn {
            try SimulatedRun.check(scenario)
            #expect(again == scenario, "seed \(seed)")
            #expect(scenario.seed == seed && scenario.cluster.profile == profile)
            for fault in scenario.faults {
                actions.insert(fault.action.rawValue)
                guard case .at(let instant) = fault.schedule else { continue }
                let length = fault.downtime ?? fault.restartAfter ?? fault.duration ?? .zero
                #expect(instant + length <= scenario.duration - .seconds(2), "seed \(seed)")
            }
            managers.insert(scenario.cluster.manager)
            var nameless = scenario
            nameless.seed = 0
            nameless.description = ""
            scenarios.insert(nameless.yaml())
        }
        #expect(scenarios.count > 295 && managers.count == 2)
        let all: Set = [
            "instance.kill", "instance.stop", "instance.pause", "clients.stall", "clients.disconnect", "redis.restart",
            "redis.pause", "redis.disconnect-clients", "link.delay", "link.cut", "link.throttle",
        ]
        #expect(actions == all)
    }

    private func explore(_ base: Scenario, _ seeds: String) async throws -> SeedCampaignResult {
        let folder = NSTemporaryDirectory() + "wsmlab-swarm-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await SeedCampaign(
            scenario: base, isSwarm: true, command: "wsmlab simulate x.yaml --swarm",
            seeds: SeedRange(parsing: seeds), workers: 2, folder: folder
        ).perform(interruption: Interruption(), progress: { _ in }).result
    }

    @Test("The hardened profile keeps its promises, and what is rare is counted")
    func hardened() async throws {
        let result = try await explore(base(), "1..48")
        #expect(result.failed == 0, "\(result.failures)")
        #expect(result.done == 48 && result.repeated == 3 && result.divergences.isEmpty)
        for probe in [SwarmProbe.gapMarked, .clientCameBack, .brokerLost, .missedOffline] {
            #expect(result.probes[probe.rawValue, default: 0] > 0, "\(probe.rawValue)")
        }
        #expect(result.probes[SwarmProbe.threadDied.rawValue] == nil)
    }

    @Test("What the scenario expects is demanded of each seed, and a failing one fails again")
    func expectations() async throws {
        var base = base()
        base.expect.thresholds = [try Threshold.parse("delivery.missedOffline == 0").get()]
        let result = try await explore(base, "1..16")
        #expect(result.failed > 0 && result.failed < 16)
        #expect(result.exitCode == ExitCode.thresholdMissed.rawValue)
        let failure = try #require(result.failures.first)
        let again = try SimulatedRun.judged(
            SwarmScenario.draw(base, seed: failure.seed), interruption: Interruption()
        ).result
        #expect(again.traceHash == failure.traceHash && again.verdict == failure.verdict)
    }
}
