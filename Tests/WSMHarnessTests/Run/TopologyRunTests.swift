import Testing
import WSMCore
import WSMHarness
import WSMVerify

/// Runs behind several Redis servers.
@Suite("A run behind a Redis cluster or behind sentinels", .serialized, .timeLimit(.minutes(5)))
struct TopologyRunTests {
    private func run(_ redis: String, placement: String = "in-process", more: String = "") async throws -> RunResult {
        let text = """
            name: topology
            warmup: 200ms
            duration: 2s
            cluster: {instances: 3, workers: 2, placement: \(placement), gapMark: event, redis: \(redis)}
            clients: {count: 9, connectRate: 500/s}
            workload:
              - {kind: broadcasts, rate: 200/s, publishers: 6}
              - {kind: processes, rate: 10/s, steps: 3, stepDuration: exponential(5ms)}
            \(more)
            """
        return try await ScenarioRunTests().run(text)
    }

    private func guarantee(_ id: String, of result: RunResult) throws -> GuaranteeResult {
        try ScenarioRunTests().guarantee(id, of: result)
    }

    @Test("Sharded, a cluster promises and keeps what one server does", arguments: ["in-process", "processes"])
    func sharded(placement: String) async throws {
        let result = try await run("{mode: cluster, publish: sharded}", placement: placement)
        #expect(result.delivery.published > 300)
        #expect(result.delivery.received == result.delivery.expected)
        for id in ["total-order", "real-time-order", "completeness", "cross-instance-reach", "clean-shutdown"] {
            let found = try guarantee(id, of: result)
            #expect(found.promised && found.verdict == .holds, "\(id): \(found.witness ?? "")")
        }
        #expect(result.exitCode == 0)
    }

    /// The last messages are still on their way from other nodes when the first fences come: they must not count as lost.
    @Test("Over the bus, everything arrives, and no order over all instances is promised")
    func bus() async throws {
        let result = try await run("{mode: cluster}")
        #expect(result.delivery.received == result.delivery.expected)
        for id in ["total-order", "real-time-order"] { #expect(try !guarantee(id, of: result).promised) }
        for id in ["publisher-order", "process-order", "completeness", "no-gap", "cross-instance-reach"] {
            let found = try guarantee(id, of: result)
            #expect(found.promised && found.verdict == .holds, "\(id): \(found.witness ?? "")")
        }
        #expect(result.exitCode == 0)
    }

    @Test(
        "After a failover every loss has its cause, and is told of unless the old master lives on",
        arguments: ["redis.failover", "redis.restart, downtime: 1s"])
    func failover(action: String) async throws {
        let more = "faults: [{at: 500ms, action: \(action)}]\nexpect: {bounds: {recovery: 1h}}"
        let result = try await run("{mode: sentinel, downAfter: 1s}", more: more)
        let fault = try #require(result.faults.first)
        #expect(fault.failure == nil)
        #expect(fault.healedAt != nil)
        #expect(Set(result.delivery.lostByCause.keys).isSubset(of: ["broker-gap", "publish-failed"]))
        // After an orderly failover the old master lives on: a publisher that hears of it late loses without a sign.
        let silent = try guarantee("no-silent-loss", of: result)
        let isPromised = action != "redis.failover"
        #expect(silent.promised == isPromised)
        if isPromised { #expect(silent.verdict == .holds, "\(silent.witness ?? "")") }
        #expect(try guarantee("at-most-once", of: result).verdict == .holds)
    }
}
