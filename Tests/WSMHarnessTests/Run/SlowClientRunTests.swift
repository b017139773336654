import Foundation
import Testing
import WSMCore
import WSMHarness
import WSMRecord
import WSMScenario

/// Runs with a client that hardly reads: what it loses has its cause, and nobody else loses anything.
@Suite("A run with slow clients", .serialized, .timeLimit(.minutes(3)))
struct SlowClientRunTests {
    private func run(_ cluster: String, clients: String = "slow: {count: 1, readRate: 64B/s}") async throws -> RunResult
    {
        let text = """
            name: slow
            warmup: 100ms
            duration: 4s
            cluster: {instances: 1, workers: 1, \(cluster)}
            clients: {count: 4, connectRate: 500/s, \(clients)}
            workload: [{kind: broadcasts, rate: 40/s, arrival: constant, payload: 256KiB}]
            expect: {guarantees: {isolation: any, completeness: any, no-gap: any, no-silent-loss: any}}
            """
        return try await ScenarioRunTests().run(text)
    }

    private func isAccounted(_ delivery: DeliveryCounts, for causes: Set<String>) {
        #expect(delivery.lostByCause["unexplained"] == nil, "\(delivery)")
        #expect(Set(delivery.lostByCause.keys).isSubset(of: causes), "\(delivery)")
    }

    @Test("Evicted: recorded with its cause, and what came after is missed offline or expected of its next session")
    func evicted() async throws {
        let result = try await run("slowClient: {policy: disconnect, limit: 256KiB}")
        #expect(try #require(result.instances.first).evicted >= 1)
        isAccounted(result.delivery, for: ["evicted"])
        #expect(result.delivery.missedOffline + result.delivery.lost + result.delivery.indeterminate > 0)
        #expect(result.delivery.lostBySlowReaders ?? 0 == result.delivery.lost, "only the slow client loses anything")
    }

    @Test("Left out: each message that is dropped is lost with the cause evicted, and counted by the instance")
    func dropped() async throws {
        let result = try await run("slowClient: {policy: drop, limit: 256KiB}")
        let leftOut = try #require(result.instances.first).leftOutForSlowClients
        #expect(leftOut > 0)
        isAccounted(result.delivery, for: ["evicted"])
        #expect(result.delivery.lostByCause["evicted"] ?? 0 > 0)
        #expect(result.delivery.lostBySlowReaders == result.delivery.lostByCause["evicted"])
        #expect(result.delivery.lost + result.delivery.indeterminate <= leftOut)
    }

    @Test("A subscription that its client leaves unread is cut by Redis, and what Redis threw away is a broker gap")
    func cutByRedis() async throws {
        let result = try await run(
            "profile: reference, brokerLoss: resubscribe-silently, redis: {mode: embedded, pubsubBufferLimit: 256KiB}")
        #expect(try #require(result.instances.first).brokerLosses >= 1)
        isAccounted(result.delivery, for: ["broker-gap"])
        #expect(result.delivery.lostByCause["broker-gap"] ?? 0 > 0, "\(result.delivery)")
    }

    @Test("Without a limit of its own the same subscription is not cut, and nothing is lost")
    func keptByRedis() async throws {
        let result = try await run("profile: reference, redis: {mode: embedded, pubsubBufferLimit: 512MiB}")
        #expect(try #require(result.instances.first).brokerLosses == 0)
        #expect(result.delivery.lost == 0, "\(result.delivery)")
    }
}
