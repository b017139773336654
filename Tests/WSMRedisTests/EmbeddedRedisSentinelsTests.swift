import NIOCore
import NIOPosix
import Testing
import WSMCore

@testable import WSMRedis

@Suite(.needsRedis, .timeLimit(.minutes(4)))
struct EmbeddedRedisSentinelsTests {
    private func withSentinels(_ body: (EmbeddedRedisSentinels) async throws -> Void) async throws {
        // Long enough that a busy machine brings about no failover of its own.
        let group = try await EmbeddedRedisSentinels.start(.init(downAfter: .seconds(3)))
        do {
            try await body(group)
        } catch {
            await group.stop()
            throw error
        }
        await group.stop()
    }

    private func topology(_ group: EmbeddedRedisSentinels) -> RedisTopology {
        .sentinel(group.sentinelURLs, master: EmbeddedRedisSentinels.masterName)
    }

    /// Listens to events at the master and waits for the confirmation.
    private func listen(
        _ router: RedisRouter
    ) async throws -> (subscription: RedisSubscription, events: Recorder<RedisSubscriptionEvent>) {
        let events = Recorder<RedisSubscriptionEvent>()
        let subscription = try await router.connectSubscription(
            for: .events, on: loops.next(), deadline: patience
        ) { events.append($0) }.get()
        subscription.subscribe(.events)
        try await eventually("the confirmation") { events.all.contains(.subscribed(.events)) }
        return (subscription, events)
    }

    private func isDown(_ events: Recorder<RedisSubscriptionEvent>) -> Bool {
        events.all.contains { if case .down = $0 { true } else { false } }
    }

    /// Publishes until a subscriber has got it: while servers change their roles their connections end.
    private func publish(_ router: RedisRouter) async throws {
        try await eventually("a message that one subscriber gets") {
            let counts = try? await onThread {
                try RedisPublisher(router, deadline: patience).publish([(.events, [1])])
            }
            return counts == [1]
        }
    }

    @Test("When the master dies, publishers and subscribers find the new one, and nothing is left at the end")
    func failover() async throws {
        var pids: [Int32] = []
        var folders: [String] = []
        try await withSentinels { group in
            for server in group.servers + group.sentinels {
                pids.append(try #require(await server.pid))
                folders.append(server.folder)
            }
            let router = RedisRouter(topology(group))
            let first = try await group.master()
            #expect(first === group.servers[0])
            let before = try await listen(router)
            #expect(before.subscription.url.port == first.url.port)
            try await publish(router)

            try await first.kill()
            try await eventually("the end of the subscription") { isDown(before.events) }
            let second = try await group.awaitMaster(otherThan: first)
            #expect(second === group.servers[1])
            let after = try await listen(router)
            #expect(after.subscription.url.port == second.url.port)
            try await publish(router)

            // The old one takes itself for a master when it comes back, until the sentinels tell it otherwise.
            try await first.startAgain()
            #expect(try await group.master() === second)
            try await publish(router)
            try await eventually("the old master to become a replica", within: .seconds(60)) {
                // It ends its connections when it changes.
                guard let reply = try? await RedisQuestion.ask(first.url, RedisCommand("ROLE")),
                    case .array(let parts) = reply[0]
                else { return false }
                return parts.first?.text == "slave"
            }
            let error = await #expect(throws: RedisError.self) {
                let url = first.url
                _ = try await onThread {
                    try BlockingRedisConnection(url: url, deadline: patience, requiresMaster: true).ping()
                }
            }
            #expect(error?.code == .notMaster)
        }
        #expect(pids.count == 5)
        #expect(!pids.contains { isAlive($0) })
        #expect(!folders.contains { exists($0) })
    }

    @Test("An orderly failover ends the connections to the old master, which is a replica then")
    func orderly() async throws {
        try await withSentinels { group in
            let router = RedisRouter(topology(group))
            let first = try await group.master()
            let before = try await listen(router)
            try await group.failOver()
            let second = try await group.awaitMaster(otherThan: first)
            try await eventually("the end of the subscription", within: .seconds(60)) { isDown(before.events) }
            let after = try await listen(router)
            #expect(after.subscription.url.port == second.url.port)
        }
    }
}
