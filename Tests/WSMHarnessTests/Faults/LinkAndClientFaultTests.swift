import Foundation
import Testing
import WSMCore
import WSMHarness
import WSMRecord
import WSMScenario
import WSMVerify

/// What is done to links and to clients, each in a run on real sockets and a real Redis.
@Suite("Faults of links and of clients", .serialized, .timeLimit(.minutes(4)))
struct LinkAndClientFaultTests {
    private func run(
        _ fault: String, cluster: String = "", clients: String = "", placement: String = "in-process"
    ) async throws -> RunResult {
        let text = """
            name: links
            seed: 5
            warmup: 200ms
            duration: 2s
            cluster: {instances: 2, workers: 2, placement: \(placement)\(cluster)}
            clients: {count: 12, connectRate: 500/s, reconnect: {initial: 50ms, max: 200ms}\(clients)}
            workload: [{kind: broadcasts, rate: 80/s, arrival: constant, publishers: 2}]
            faults:
              - {at: 500ms, action: \(fault)}
            expect: {bounds: {recovery: 1h, isolation: 1h}}
            """
        let result = try await TestRun.perform(text: text)
        #expect(result.delivery.lostByCause["unexplained"] == nil, "\(result.delivery)")
        #expect(result.validity.verdict != .invalid, "\(result.validity.reasons)")
        let one = try #require(result.faults.first)
        #expect(result.faults.count == 1 && one.failure == nil, "\(one)")
        return result
    }

    private func fault(_ result: RunResult) throws -> FaultResult { try #require(result.faults.first) }

    /// A quantile of the latencies that lies among those of messages which were sent while the fault lasted, in nanoseconds.
    ///
    /// That is half of them as planned; on a busy machine the fault begins later, and less of it lies in the window.
    private func latencyDuring(_ result: RunResult) throws -> Int64 {
        let fault = try fault(result)
        let until = min(fault.healedAt ?? result.durationNanoseconds, result.durationNanoseconds)
        let share = Double(until - fault.at) / Double(result.durationNanoseconds)
        try #require(share > 0, "the fault began behind the window: \(fault)")
        return share > 0.2 ? result.latency.p90 : share > 0.02 ? result.latency.p99 : result.latency.max
    }

    @Test("A delayed link to clients delays every message, and loses none")
    func delaysClients() async throws {
        let result = try await run("link.delay, between: clients, duration: 1s, delay: 80ms")
        #expect(result.delivery.lost == 0 && result.delivery.indeterminate == 0, "\(result.delivery)")
        #expect(try latencyDuring(result) >= 80_000_000)
        #expect(try fault(result).hit.connections == 12)
        #expect(try fault(result).droppedClients == 0)
    }

    @Test("A delayed link to Redis keeps the order of its messages, whatever each one's delay")
    func delaysRedis() async throws {
        let result = try await run("link.delay, duration: 1s, delay: 'uniform(1ms, 60ms)'")
        #expect(result.delivery.lost == 0 && result.delivery.reordered == 0, "\(result.delivery)")
        #expect(try latencyDuring(result) >= 20_000_000)
        #expect(try fault(result).hit.instances == 2)
    }

    @Test("A link to clients that is cut and resumes has lost nothing")
    func cutsAndResumes() async throws {
        let result = try await run("link.cut, between: clients, target: 0, duration: 400ms, afterwards: resume")
        #expect(result.delivery.lost == 0 && result.delivery.indeterminate == 0, "\(result.delivery)")
        #expect(try fault(result).hit.clients == 6 && fault(result).droppedClients == 0)
        // A busy machine begins late and heals in time.
        let length = try #require(fault(result).healedAt) - fault(result).at
        #expect(try #require(fault(result).blackoutNanoseconds) >= length - 200_000_000)
    }

    @Test("Clients behind a cut link hear nothing and are reset when it is healed; they come back and know it")
    func cutsAndResets() async throws {
        let result = try await run("link.cut, between: clients, target: 0, duration: 400ms")
        #expect(result.delivery.lost == 0, "\(result.delivery)")
        #expect(result.delivery.indeterminate + result.delivery.missedOffline > 0)
        #expect(try fault(result).droppedClients == 6 && fault(result).reconnectedClients == 6)
    }

    @Test(
        "With a cut link to Redis an instance hears nothing and publishes nothing; its clients are told of the gap by a close"
    )
    func cutsRedis() async throws {
        let result = try await run("link.cut, target: 0, duration: 500ms")
        let causes = Set(result.delivery.lostByCause.keys)
        #expect(causes.isSubset(of: ["broker-gap", "publish-failed"]), "\(result.delivery)")
        #expect(result.instances[0].brokerLosses >= 1 && result.instances[1].brokerLosses == 0)
        let silent = try #require(result.guarantees.first { $0.id == "no-silent-loss" })
        // What the instance could not publish is missing at the other's clients too, and only its publisher knows.
        if result.delivery.lostByCause["publish-failed"] == nil { #expect(silent.verdict == .holds, "\(silent)") }
        #expect(try fault(result).closedClients == 6)
    }

    @Test("A throttled link to Redis lets through what it can, and the rest is late")
    func throttles() async throws {
        // Some 40 messages a second each way and instance, with 300 bytes each and more from the other.
        let result = try await run("link.throttle, duration: 1s, rate: 10KiB/s")
        #expect(result.delivery.lost == 0, "\(result.delivery)")
        #expect(result.latency.max >= 300_000_000)
    }

    @Test("Disconnected clients come back, however they went", arguments: ["reset", "close", "vanish"])
    func disconnects(how: String) async throws {
        let result = try await run("clients.disconnect, how: \(how), share: 50%")
        #expect(try fault(result).hit.clients == 6)
        #expect(try fault(result).droppedClients == 6 && fault(result).reconnectedClients == 6)
        #expect(result.delivery.lost == 0 && result.delivery.missedOffline > 0, "\(result.delivery)")
        #expect(result.clients.reconnects == 6)
        let shutdown = try #require(result.guarantees.first { $0.id == "clean-shutdown" })
        #expect(shutdown.verdict == .holds, "\(shutdown)")
    }

    @Test("A stalled client hears all of it afterwards, its latency is not the others', and isolation is judged")
    func stalls() async throws {
        let result = try await run("clients.stall, target: 1, share: 10%, duration: 600ms")
        #expect(try fault(result).hit.clients == 1)
        #expect(result.delivery.lost == 0 && result.delivery.indeterminate == 0, "\(result.delivery)")
        #expect(result.latencySlowReaders.count > 0)
        #expect(result.latencySlowReaders.max >= 400_000_000)
        let neighbours = try #require(result.neighbours)
        #expect(neighbours.sickClients == 1)
        #expect(neighbours.besideSick.clients == 5 && neighbours.elsewhere.clients == 6)
        let isolation = try #require(result.guarantees.first { $0.id == "isolation" })
        #expect(isolation.promised && isolation.verdict == .holds, "\(isolation)")
    }

    @Test("A client whose pings go unanswered behind a cut link gives up before the link tells it")
    func givesUp() async throws {
        let result = try await run(
            "link.cut, between: clients, target: 0, duration: 1s", clients: ", ping: 100ms, pongTimeout: 200ms")
        #expect(result.delivery.lost == 0, "\(result.delivery)")
        #expect(try fault(result).droppedClients == 6)
        #expect(result.delivery.missedOffline > 0)
        #expect(result.clients.reconnects >= 6)
    }

    @Test("Instances and clients in processes of their own are disturbed in the same way")
    func inProcesses() async throws {
        let cut = try await run("link.cut, target: 0, duration: 500ms", placement: "processes")
        #expect(cut.instances[0].brokerLosses >= 1)
        let gone = try await run("clients.disconnect, how: reset, share: 50%", placement: "processes")
        #expect(try fault(gone).droppedClients == 6 && fault(gone).reconnectedClients == 6)
        let stalled = try await run("clients.stall, target: 1, share: 10%, duration: 600ms", placement: "processes")
        #expect(stalled.delivery.lost == 0 && stalled.neighbours?.sickClients == 1, "\(stalled.delivery)")
    }
}
