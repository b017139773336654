import NIOCore
import NIOPosix
import Synchronization
import Testing
import WSMCore
import WSMInstance
import WSMRecord
import WSMRedis
import WSMScenario

@testable import WSMHarness

@Suite("The injecting of faults", .timeLimit(.minutes(1)))
struct FaultRunnerTests {
    /// A cluster that does to its instances what the test wants, and remembers what it was asked.
    private final class StageCluster: Cluster {
        let asked = Mutex<[String]>([])
        let act: @Sendable (String) async throws -> Void

        init(_ act: @escaping @Sendable (String) async throws -> Void = { _ in }) {
            self.act = act
        }

        private func perform(_ what: String) async throws {
            asked.withLock { $0.append(what) }
            try await act(what)
        }

        func kill(_ instance: Int) async throws { try await perform("kill \(instance)") }
        func stop(_ instance: Int, deadline: TimeSpan) async throws { try await perform("stop \(instance)") }
        func pause(_ instance: Int) async throws { try await perform("pause \(instance)") }
        func resume(_ instance: Int) async throws { try await perform("resume \(instance)") }
        func startAgain(_ instance: Int) async throws { try await perform("start \(instance)") }

        let instanceCount = 2
        let ports = [0, 0]
        let redis: RunRedis? = nil
        let eventLoops: [any EventLoop] = []
        func startLoad(_ clock: LoadClock) async throws -> any RunningLoad { throw CancellationError() }
        func publishFences() async {}
        func glance() async -> ClusterGlance { ClusterGlance(states: [], counts: []) }
        func states() async -> [InstanceState] { [] }
        func stopInstances(deadline: TimeSpan) async throws -> [LiveInstance.StopReport] { [] }
        func finishRecords() async throws {}
        func counts() async -> [InstanceCounts] { [] }
        func usage() async -> [PartUsage] { [] }
        func failures() async -> [PartFailure] { [] }
        func shutDown() async {}
    }

    private func runner(
        _ faults: String, _ cluster: StageCluster, duration: String = "1s", marks: Monitor<[FaultMark]> = Monitor([])
    ) throws -> FaultRunner {
        let text = "name: t\nduration: \(duration)\ncluster: {instances: 2}\nclients: {count: 4}\nfaults:\n\(faults)"
        let scenario = try #require(ScenarioFile.parse(text: text).scenario)
        let clock = LoadClock(start: .now(), warmup: .zero, duration: scenario.duration)
        let performer = FaultPerformer(
            cluster: cluster, loop: MultiThreadedEventLoopGroup.singleton.any(), seed: 1, clientsOfInstance: [2, 2],
            connectedClients: { 4 })
        return FaultRunner(FaultPlan(scenario), clock: clock, performer: performer) { mark in
            marks.withLock { $0.append(mark) }
        }
    }

    private func wait(_ runner: FaultRunner, until isDone: ([FaultRecord]) -> Bool) async throws {
        let deadline = MonotonicInstant.now() + .seconds(20)
        while !isDone(runner.records) {
            try #require(MonotonicInstant.now() < deadline, "\(runner.records)")
            try await Task.sleep(nanoseconds: 1_000_000)
        }
    }

    @Test("Each fault is injected no earlier than planned, healed no earlier than its length, and told of")
    func order() async throws {
        let cluster = StageCluster()
        let marks = Monitor<[FaultMark]>([])
        let runner = try runner(
            """
              - {at: 100ms, action: instance.kill, target: 1, restartAfter: 50ms}
              - {at: 120ms, action: instance.pause, target: 0, duration: 60ms}
            """, cluster, marks: marks)
        runner.begin()
        try await wait(runner) { $0.allSatisfy { $0.healedAt != nil } }
        await runner.finish(deadline: .seconds(5))
        for record in runner.records {
            let at = try #require(record.at)
            let healedAt = try #require(record.healedAt)
            #expect(at >= record.dueAt && record.failure == nil)
            #expect(try healedAt >= record.dueAt + #require(record.planned.spec.length))
            #expect(record.hit == FaultHit(clients: 2, instances: 1))
        }
        #expect(cluster.asked.withLock { Set($0) } == ["kill 1", "start 1", "pause 0", "resume 0"])
        let told = marks.withLock { $0 }
        #expect(told.count == 4)
        for case .began(let fault, let at) in told { #expect(runner.records[Int(fault)].dueAt == at) }
        for case .healed(let fault, let at) in told { #expect(runner.records[Int(fault)].healedAt == at) }
        #expect(!runner.isRedisGone)
    }

    @Test("A fault without a target hits every instance at once")
    func all() async throws {
        let cluster = StageCluster()
        let runner = try runner("  - {at: 10ms, action: instance.kill}", cluster)
        runner.begin()
        try await wait(runner) { $0[0].at != nil }
        await runner.finish(deadline: .seconds(5))
        #expect(cluster.asked.withLock { $0.sorted() } == ["kill 0", "kill 1"])
        #expect(runner.records[0].hit == FaultHit(clients: 4, instances: 2))
        // It is never healed, and that is no failure.
        #expect(runner.records[0].healedAt == nil && runner.records[0].failure == nil)
    }

    @Test("A fault that cannot be injected is recorded as such, not healed, and holds nothing up")
    func failing() async throws {
        let cluster = StageCluster { what in
            if what.hasPrefix("kill") { throw HarnessError(.internalFault, "it cannot die") }
        }
        let runner = try runner(
            """
              - {at: 10ms, action: instance.kill, target: 0, restartAfter: 10ms}
              - {at: 10ms, action: instance.pause, target: 1, duration: 10ms}
            """, cluster)
        runner.begin()
        try await wait(runner) { $0[0].failure != nil && $0[1].healedAt != nil }
        await runner.finish(deadline: .seconds(5))
        #expect(runner.records[0].at == nil && runner.records[0].healedAt == nil)
        #expect(runner.records[0].failure == "could not be injected: it cannot die")
        #expect(cluster.asked.withLock { !$0.contains("start 0") })
    }

    @Test("A fault that hangs does not hang the run: at the deadline it has failed")
    func hanging() async throws {
        let cluster = StageCluster { what in
            if what.hasPrefix("pause") { try await Task.sleep(nanoseconds: 30_000_000_000) }
        }
        let runner = try runner("  - {at: 10ms, action: instance.pause, target: 0, duration: 10ms}", cluster)
        runner.begin()
        let deadline = MonotonicInstant.now() + .seconds(20)
        while cluster.asked.withLock({ $0.isEmpty }), MonotonicInstant.now() < deadline {
            try await Task.sleep(nanoseconds: 1_000_000)
        }
        let began = MonotonicInstant.now()
        await runner.finish(deadline: .milliseconds(200))
        #expect(MonotonicInstant.now() - began < .seconds(10))
        #expect(runner.records[0].failure?.hasPrefix("was not done within") == true)
    }

    @Test("At the end what holds is healed, and what has not begun never does")
    func ending() async throws {
        let cluster = StageCluster()
        let runner = try runner(
            """
              - {at: 10ms, action: instance.pause, target: 0, duration: 2h}
              - {at: 59m, action: instance.kill, target: 1}
            """, cluster, duration: "1h")
        runner.begin()
        try await wait(runner) { $0[0].at != nil }
        await runner.finish(deadline: .seconds(5))
        #expect(runner.records[0].healedAt != nil)
        #expect(runner.records[1].at == nil)
        #expect(cluster.asked.withLock { $0 } == ["pause 0", "resume 0"])
    }

    @Test("A run whose fault did not take place proves nothing: INVALID, exit code 4")
    func verdict() {
        var evidence = ValidityEvidence()
        evidence.faultFailures = ["redis.restart, planned at 4 s, could not be injected: no"]
        let validity = Validity.judge(evidence, bounds: .countsOnly)
        #expect(validity.verdict == .invalid)
        #expect(validity.reasons.contains { $0.contains("redis.restart, planned at 4 s, could not be injected") })
        let judgement = RunVerdict.judge(
            validity: validity, delivery: DeliveryCounts(), thresholds: [], guarantees: [], interrupted: false)
        #expect(judgement.exitCode == .inconclusive)
    }
}
