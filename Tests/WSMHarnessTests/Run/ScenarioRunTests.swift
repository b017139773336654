import Foundation
import Testing
import WSMCore
import WSMHarness
import WSMRecord
import WSMScenario
import WSMVerify

@Suite("A scenario runs end to end", .serialized, .timeLimit(.minutes(3)))
struct ScenarioRunTests {
    func run(
        _ text: String, overrides: [(String, String)] = [], bounds: ValidityBounds = .countsOnly
    ) async throws -> RunResult {
        try await TestRun.perform(text: text, overrides: overrides, bounds: bounds)
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

    @Test("A plan of some size is calibrated first, a tiny one is not and says why")
    func calibration() async throws {
        let tiny = try await run(text(.memory, .hardened))
        #expect(tiny.calibration == nil)
        #expect(tiny.generator?.notCalibrated?.contains("deliveries a second, under 5000") == true)
        let text = """
            name: test
            warmup: 100ms
            duration: 500ms
            cluster: {manager: memory, instances: 1}
            clients: {count: 60, connectRate: 2000/s}
            workload: [{kind: broadcasts, rate: 100/s, arrival: constant, publishers: 2}]
            """
        let result = try await run(text)
        #expect(result.generator?.plannedDeliveriesPerSecond == 6000)
        let calibration = try #require(result.calibration, "\(result.generator?.notCalibrated ?? "")")
        #expect(calibration.deliveriesPerSecond > 0)
        #expect(try #require(calibration.bulkDeliveriesPerSecond) > 0)
        #expect(calibration.cpuSecondsPerMillionDeliveries > 0)
        #expect(try #require(calibration.latencyFloor).count > 0)
        #expect(calibration.pacing.count > 0)
        // Its messages are none of the run's.
        #expect(result.delivery.foreign == 0)
        #expect(result.delivery.received == result.delivery.expected)
    }

    @Test("What is seen of the generator is in the result, and one that had no CPU ends the run INVALID with 4")
    func starved() async throws {
        var bounds = ValidityBounds.countsOnly
        bounds.leastCPUWait = 0
        bounds.cpuWait = .init(-1, -1)
        let result = try await run(text(.memory, .hardened), bounds: bounds)
        #expect(result.validity.verdict == .invalid)
        #expect(result.exitCode == 4)
        #expect(result.validity.reasons.first?.contains("they had no CPU") == true)
        let generator = try #require(result.generator)
        #expect(try #require(generator.clientLoopStalls).count > 0)
        #expect(try #require(generator.instanceLoopStalls).count > 0)
        #expect(try #require(generator.receiveBuffers).samples > 0)
        #expect(try #require(generator.timerLateness).count >= 12)
        #expect(try #require(generator.cpu).recordingLoop.busy > 0)
        #expect(try #require(generator.cpu).instanceLoop.busy > 0)
    }

    @Test(
        "Without sockets the ledger is as exact, whatever the manager",
        arguments: ManagerKind.allCases.flatMap { kind in Profile.allCases.map { (kind, $0) } })
    func direct(manager: ManagerKind, profile: Profile) async throws {
        let text = text(manager, profile).replacingOccurrences(
            of: "clients: {count: 12,", with: "clients: {count: 30, transport: direct, churn: {rate: 20/s},")
        let result = try await run(text)
        let delivery = result.delivery
        #expect(result.setup.transport == "direct")
        #expect(result.clients == ClientCounts(planned: 30, connected: 30))
        #expect(delivery.duplicated == 0 && delivery.reordered == 0)
        // The reference's Broadcast manager says goodbye in a message of its own.
        #expect((delivery.foreign == 0) == !(manager == .broadcast && profile == .reference))
        #expect(delivery.expected > 30 * 40)
        let elsewhere = delivery.lostByCause["other-instance"] ?? 0
        #expect(delivery.lost == elsewhere, "\(delivery)")
        #expect(manager == .memory ? elsewhere > 0 : elsewhere == 0)
        #expect(result.stages.wire.count == 0)
        #expect(result.generator?.clientLoopStalls == nil && result.generator?.receiveBuffers == nil)
        for id in ["integrity", "at-most-once", "publisher-order", "no-gap", "completeness"] {
            #expect(try guarantee(id, of: result).verdict == .holds, "\(id)")
        }
        // 30 clients on two instances, each more than once.
        #expect(result.instances.map(\.connections).reduce(0, +) > 30)
    }

    @Test("The pool's limit holds for clients without sockets: the others are accepted and dropped")
    func directPool() async throws {
        let text = """
            name: test
            warmup: 100ms
            duration: 500ms
            cluster: {profile: reference, redisPool: 5}
            clients: {count: 8, transport: direct, connectRate: 1k/s, reconnect: {initial: 10s, max: 10s}}
            workload: [{kind: broadcasts, rate: 40/s, arrival: constant}]
            """
        let result = try await run(text)
        #expect(result.instances.map(\.poolExhausted) == [3])
        #expect(result.delivery.received == 20 * 5, "\(result.delivery)")
    }

    @Test("A plan of some size without sockets is calibrated without them")
    func directCalibration() async throws {
        let text = """
            name: test
            warmup: 100ms
            duration: 500ms
            cluster: {manager: memory, instances: 2}
            clients: {count: 2000, transport: direct, connectRate: 100k/s}
            workload: [{kind: broadcasts, rate: 20/s, arrival: constant, publishers: 2}]
            """
        let result = try await run(text)
        let calibration = try #require(result.calibration, "\(result.generator?.notCalibrated ?? "")")
        #expect(calibration.deliveriesPerSecond > 0 && calibration.cpuSecondsPerMillionDeliveries > 0)
        #expect(calibration.latencyFloor == nil && calibration.bulkDeliveriesPerSecond == nil)
        #expect(result.delivery.received == 10 * 1000, "\(result.delivery)")
        #expect(result.latency.count == 10 * 1000)
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
