import Foundation
import Testing
import WSMCore
import WSMHarness
import WSMRecord
import WSMScenario
import WSMVerify

/// Each action once, on real instances and a real Redis.
@Suite("Faults of a run", .serialized, .timeLimit(.minutes(5)))
struct FaultRunTests {
    static let clients = 12
    /// What was under way when a fault began may arrive so much later, on a busy machine.
    static let lag: Int64 = 200_000_000

    /// Runs two instances with twelve clients under a load of 100 messages a second.
    private func run(
        _ faults: String, cluster: String = "", duration: String = "2s", workload: String = "", clients: String = "",
        seed: UInt64 = 5
    ) async throws -> RunResult {
        let text = """
            name: faults
            seed: \(seed)
            warmup: 200ms
            duration: \(duration)
            cluster: {instances: 2, workers: 2\(cluster)}
            clients: {count: \(Self.clients), connectRate: 500/s, reconnect: {initial: 50ms, max: 200ms}\(clients)}
            workload:
              - {kind: broadcasts, rate: 80/s, arrival: constant, publishers: 2}
              - {kind: processes, rate: 4/s, arrival: constant, steps: 2, stepDuration: 10ms}
            \(workload)
            faults:
              - {at: 500ms, action: \(faults)}
            expect: {bounds: {recovery: 1h}}
            """
        let result = try await TestRun.perform(
            text: text, check: { folder, result in try checkSeries("\(folder)/timeseries.csv", result) })
        #expect(result.delivery.lostByCause["unexplained"] == nil)
        #expect(result.faults.reduce(0) { $0 + $1.lost } == result.delivery.lost)
        #expect(result.validity.verdict != .invalid, "\(result.validity.reasons)")
        for fault in result.faults {
            #expect(fault.failure == nil)
            #expect(fault.at >= fault.plannedAt && fault.lateNanoseconds == fault.at - fault.plannedAt)
            #expect(fault.healedAt.map { $0 >= fault.at } != false)
        }
        return result
    }

    /// The time series adds up to what the result says of the measured window.
    private func checkSeries(_ path: String, _ result: RunResult) throws {
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        let rows = lines.dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        #expect(rows.count == Int(result.durationNanoseconds / 100_000_000))
        #expect(rows.allSatisfy { $0.count == 9 })
        let received = rows.compactMap { Int($0[2]) }.reduce(0, +)
        // What came after the window is in no row.
        #expect(received > 0 && received <= result.delivery.received)
        #expect(rows.compactMap { Int($0[3]) }.reduce(0, +) <= result.delivery.lost)
        let action = try #require(result.faults.first?.action)
        #expect(rows.contains { $0[8].contains(action) })
        #expect(rows.first?[8] == "")
    }

    private func guarantee(_ id: String, of result: RunResult) throws -> GuaranteeResult {
        try #require(result.guarantees.first { $0.id == id })
    }

    // MARK: Redis

    @Test(
        "redis.restart, hardened: each client is told by a close 1012, comes back, and misses nothing unnoticed",
        arguments: Placement.allCases)
    func restartHardened(placement: Placement) async throws {
        let result = try await run(
            "redis.restart, downtime: 300ms", cluster: ", placement: \(placement.rawValue)", duration: "4s")
        let fault = result.faults[0]
        // The length counts from the planned instant, however late a busy machine began.
        #expect(try #require(fault.healedAt) - fault.plannedAt >= 300_000_000)
        #expect(fault.hit.connections > 0 && fault.connectedClients == Self.clients)
        #expect(fault.closedClients == Self.clients && fault.markedClients == Self.clients)
        #expect(fault.reconnectedClients == Self.clients && fault.droppedClients == 0)
        #expect(fault.silentlyMissed.clients == 0 && fault.deafClients == 0)
        #expect(fault.recoveredAfterNanoseconds != nil)
        #expect(try #require(fault.blackoutNanoseconds) > #require(fault.healedAt) - fault.at - Self.lag)
        // A publish that was under way when Redis went has failed, and its publisher knows.
        #expect(Set(result.delivery.lostByCause.keys).isSubset(of: ["publish-failed"]))
        #expect(try guarantee("no-silent-loss", of: result).verdict == .holds)
        #expect(try guarantee("no-silent-loss", of: result).promised)
        #expect(result.verdict == .passed, "\(result.reason)")
    }

    @Test("redis.restart, hardened with a gap event: the sockets stay, and what is lost is told of")
    func restartWithEvent() async throws {
        let result = try await run("redis.restart, downtime: 300ms", cluster: ", gapMark: event", duration: "4s")
        let fault = result.faults[0]
        #expect(fault.closedClients == 0 && fault.droppedClients == 0 && fault.markedClients == Self.clients)
        #expect(fault.silentlyMissed.clients == 0)
        // A publish that was under way when Redis went has failed, and its publisher knows.
        #expect(Set(result.delivery.lostByCause.keys).isSubset(of: ["broker-gap", "publish-failed"]))
        #expect(result.delivery.foreign == Self.clients)
        #expect(result.clients.reconnects == 0)
        #expect(try guarantee("no-silent-loss", of: result).verdict == .holds)
        #expect(result.verdict == .passed, "\(result.reason)")
    }

    @Test("redis.restart, silently: the sockets stay, and who missed what unnoticed is counted")
    func restartSilently() async throws {
        // The backlog of the publishers mostly comes to Redis before both instances have subscribed again. Where they are
        // faster nobody misses anything, and the run has nothing to show.
        for _ in 1...5 {
            let result = try await run("redis.restart, downtime: 300ms", cluster: ", brokerLoss: resubscribe-silently")
            let fault = result.faults[0]
            let silently = fault.silentlyMissed
            #expect(fault.closedClients == 0 && fault.droppedClients == 0 && fault.markedClients == 0)
            #expect(silently.messages == Int64(fault.lostByCause["broker-gap"] ?? 0))
            #expect(Set(fault.lostByCause.keys).isSubset(of: ["broker-gap", "publish-failed"]))
            #expect(try !guarantee("no-silent-loss", of: result).promised)
            guard silently.clients > 0 else { continue }
            #expect(silently.fewest >= 1 && silently.most >= silently.fewest)
            #expect(try guarantee("no-silent-loss", of: result).verdict == .violated)
            return
        }
        Issue.record("in none of five runs a client missed anything unnoticed")
    }

    @Test("redis.restart, reference: too long away, every client is dropped and comes back, and the thread is dead")
    func restartReference() async throws {
        let result = try await run("redis.restart, downtime: 1500ms", cluster: ", profile: reference", duration: "4s")
        let fault = result.faults[0]
        #expect(fault.droppedClients == Self.clients && fault.reconnectedClients == Self.clients)
        #expect(fault.markedClients == 0 && fault.closedClients == 0)
        #expect(result.instances.allSatisfy { $0.broadcastThread == "dead" })
        #expect(try #require(fault.lostByCause["thread-dead"]) > 0)
        // Clients hear direct broadcasts again, and yet not all is well.
        #expect(fault.fullDeliveryAfterNanoseconds != nil && fault.recoveredAfterNanoseconds == nil)
        #expect(try guarantee("no-silent-loss", of: result).verdict == .violated)
    }

    @Test("redis.kill without a downtime: Redis stays away, the run ends all the same, and clients stay in silence")
    func kill() async throws {
        let began = MonotonicInstant.now()
        let result = try await run("redis.kill")
        #expect(MonotonicInstant.now() - began < .seconds(60))
        let fault = result.faults[0]
        #expect(fault.healedAt == nil && fault.recoveredAfterNanoseconds == nil)
        #expect(fault.droppedClients == 0 && fault.closedClients == 0)
        #expect(fault.lost > 0)
        #expect(Set(fault.lostByCause.keys).isSubset(of: ["broker-gap", "publish-failed", "queue-dropped"]))
        #expect(try !guarantee("recovery", of: result).promised)
    }

    @Test("redis.pause: nobody is dropped, nothing is lost, everything comes late", arguments: Profile.allCases)
    func pause(profile: Profile) async throws {
        let result = try await run("redis.pause, duration: 400ms", cluster: ", profile: \(profile.rawValue)")
        let fault = result.faults[0]
        #expect(fault.droppedClients == 0 && fault.closedClients == 0 && result.clients.reconnects == 0)
        #expect(result.delivery.received == result.delivery.expected)
        #expect(try #require(fault.blackoutNanoseconds) >= #require(fault.healedAt) - fault.at - Self.lag)
        #expect(fault.recoveredAfterNanoseconds != nil)
        #expect(try result.latency.max >= #require(fault.healedAt) - fault.at - Self.lag)
    }

    @Test("redis.disconnect-clients: as many connections as the share says, each client told")
    func disconnect() async throws {
        let all = try await run("redis.disconnect-clients")
        #expect(all.faults[0].hit.connections >= 2)
        #expect(all.instances.map(\.brokerLosses) == [1, 1])
        #expect(all.faults[0].markedClients == Self.clients && all.faults[0].reconnectedClients == Self.clients)
        #expect(try guarantee("no-silent-loss", of: all).verdict == .holds)
        // One connection for each client of the reference, and those that publish at that moment.
        let half = try await run("redis.disconnect-clients, share: 50%", cluster: ", profile: reference")
        let hit = half.faults[0].hit.connections
        let losses = half.instances.map(\.brokerLosses).reduce(0, +)
        #expect(hit >= Self.clients / 2)
        #expect(losses >= 1 && losses <= min(hit, Self.clients))
        #expect(half.faults[0].droppedClients == 0)
    }

    @Test("redis.slow: nothing is lost, and answers wait")
    func slow() async throws {
        let result = try await run("redis.slow, duration: 600ms, delay: 60ms")
        #expect(result.delivery.received == result.delivery.expected)
        #expect(result.faults[0].droppedClients == 0)
        #expect(result.latency.max >= 30_000_000)
    }

    // MARK: Instances

    @Test(
        "instance.kill: its clients lose their connection, come back to the same port, and others feel nothing",
        arguments: Placement.allCases)
    func killInstance(placement: Placement) async throws {
        let result = try await run(
            "instance.kill, target: 1, restartAfter: 300ms", cluster: ", placement: \(placement.rawValue)",
            duration: "3s")
        let fault = result.faults[0]
        #expect(fault.hit.instances == 1 && fault.hit.clients == Self.clients / 2)
        #expect(fault.connectedClients == Self.clients)
        #expect(fault.droppedClients == Self.clients / 2 && fault.reconnectedClients == Self.clients / 2)
        #expect(fault.closedClients == 0 && fault.deafClients == 0)
        #expect(fault.recoveredAfterNanoseconds != nil)
        #expect(fault.bystanders?.clients == Self.clients / 2)
        #expect(try #require(fault.bystanders?.receivedDuring) > 0)
        #expect(result.instances[1].skippedWhileDown > 0 && result.instances[0].skippedWhileDown == 0)
        #expect(result.instances[1].connections >= Self.clients)
        #expect(Set(result.delivery.lostByCause.keys).isSubset(of: ["instance-down"]))
        #expect(result.verdict == .passed, "\(result.reason)")
    }

    @Test(
        "What waited in an instance that is killed is lost with it, and nothing is unexplained",
        arguments: Placement.allCases)
    func killWithQueue(placement: Placement) async throws {
        // While Redis stands still, updates wait in the instance; a kill that a busy machine delays meets them too.
        let result = try await run(
            "redis.pause, duration: 1200ms}\n  - {at: 900ms, action: instance.kill, target: 1",
            cluster: ", placement: \(placement.rawValue)",
            workload: "  - {kind: processes, rate: 40/s, arrival: constant, steps: 4, stepDuration: 5ms}")
        #expect(try #require(result.delivery.lostByCause["instance-down"]) > 0)
        #expect(result.faults[1].lostByCause.keys.contains("instance-down"))
        #expect(result.faults[1].healedAt == nil)
        #expect(result.faults[1].droppedClients == Self.clients / 2 && result.faults[1].reconnectedClients == 0)
        #expect(result.instances[1].broadcastThread == "down")
        #expect(try guarantee("completeness", of: result).verdict == .holds)
    }

    @Test(
        "instance.stop: each of its clients gets a close, the queue is drained, and nothing is lost",
        arguments: Placement.allCases)
    func stopInstance(placement: Placement) async throws {
        let result = try await run(
            "instance.stop, target: 0, restartAfter: 300ms", cluster: ", placement: \(placement.rawValue)")
        let fault = result.faults[0]
        #expect(fault.closedClients == Self.clients / 2 && fault.reconnectedClients == Self.clients / 2)
        #expect(fault.droppedClients == 0 && fault.markedClients == 0)
        #expect(result.delivery.lost == 0)
        #expect(result.verdict == .passed, "\(result.reason)")
    }

    @Test("instance.pause: its clients stay, and get everything late", arguments: Placement.allCases)
    func pauseInstance(placement: Placement) async throws {
        let result = try await run(
            "instance.pause, target: 0, duration: 400ms", cluster: ", placement: \(placement.rawValue)")
        let fault = result.faults[0]
        #expect(fault.droppedClients == 0 && fault.closedClients == 0 && result.clients.reconnects == 0)
        #expect(result.delivery.received == result.delivery.expected)
        #expect(try #require(fault.blackoutNanoseconds) >= #require(fault.healedAt) - fault.at - Self.lag)
        #expect(fault.recoveredAfterNanoseconds != nil)
    }

    @Test("A fault that outlasts the run is healed at its end, and the run ends in order")
    func outlasting() async throws {
        let result = try await run("instance.pause, target: 0, duration: 1h", duration: "1s")
        #expect(try #require(result.faults[0].healedAt) >= 1_000_000_000)
        #expect(result.delivery.received == result.delivery.expected)
        #expect(try guarantee("clean-shutdown", of: result).verdict == .holds)
    }

    @Test("An interrupted run heals what it broke, injects nothing more, and says so")
    func interrupted() async throws {
        let text = """
            name: interrupted
            warmup: 0s
            duration: 1m
            cluster: {}
            clients: {count: 3, connectRate: 500/s}
            workload: [{kind: broadcasts, rate: 50/s}]
            faults:
              - {at: 300ms, action: redis.pause, duration: 50s}
              - {at: 55s, action: redis.kill}
            """
        let interruption = Interruption()
        let began = MonotonicInstant.now()
        let result = try await TestRun.perform(
            text: text, interruption: interruption,
            progress: { if $0.phase == .measuring, $0.elapsed > .milliseconds(800) { interruption.request() } })
        #expect(MonotonicInstant.now() - began < .seconds(40))
        let faults = result.faults
        #expect(result.interrupted && result.exitCode == ExitCode.interrupted.rawValue)
        #expect(faults.count == 2 && faults[0].healedAt != nil)
        #expect(faults[1].lateNanoseconds == nil && faults[1].failure == nil)
        #expect(result.delivery.lostByCause["unexplained"] == nil)
    }
}
