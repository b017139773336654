import NIOCore
import NIOPosix
import Testing
import WSMClients
import WSMCore
import WSMInstance
import WSMManagers
import WSMRedis

/// Instances behind several Redis servers: a cluster, and a master that can be replaced.
@Suite("Instances behind several Redis servers", .timeLimit(.minutes(4)))
struct TopologyTests {
    /// Runs `body` with three instances, each with its own first server.
    private func withInstances(
        _ urls: [RedisURL], profile: Profile = .hardened, _ topology: ([RedisURL]) -> RedisTopology,
        _ body: (InstanceFixture) async throws -> Void
    ) async throws {
        var rotated = urls
        let change = { (configuration: inout LiveInstance.Configuration) in
            configuration.manager.redis = topology(rotated)
            rotated.append(rotated.removeFirst())
        }
        try await InstanceFixture.with(.broadcast, profile: profile, instances: 3, change: change, body)
    }

    private func withCluster(_ body: (EmbeddedRedisCluster) async throws -> Void) async throws {
        let cluster = try await EmbeddedRedisCluster.start()
        do {
            try await body(cluster)
        } catch {
            await cluster.stop()
            throw error
        }
        await cluster.stop()
    }

    /// Broadcasts until every one of the clients has received something that was broadcast after the call.
    private func broadcastUntilHeard(
        _ fixture: InstanceFixture, _ fleet: any Fleet<Receipts>, _ name: String, clients: Int, within seconds: Int64
    ) async throws {
        var number = 0
        try await eventually("\(name) at each of \(clients) clients", within: seconds) {
            number += 1
            await fixture.broadcast(["{\"\(name)\":\(number)}"], from: number % fixture.instances.count)
            let texts = try await received(fleet).values
            return texts.filter { $0.contains { $0.hasPrefix("{\"\(name)\"") } }.count == clients
        }
    }

    @Test(
        "In a cluster what one instance broadcasts reaches the clients of all, over the bus and sharded",
        arguments: [false, true], [Profile.hardened, .reference])
    func reach(sharded: Bool, profile: Profile) async throws {
        try await withCluster { cluster in
            let topology = { sharded ? RedisTopology.clusterSharded($0) : .clusterBus($0) }
            try await withInstances(cluster.urls, profile: profile, topology) { fixture in
                let fleet = try await fixture.connect(6, direct: true)
                try await fixture.awaitClients(6)
                try await broadcastUntilHeard(fixture, fleet, "first", clients: 6, within: 30)
                for instance in 0..<3 { #expect(await fixture.broadcast([#"{"from":\#(instance)}"#], from: instance)) }
                try await eventually("a message of each instance at each client") {
                    let texts = try await received(fleet).values
                    return texts.allSatisfy { text in (0..<3).allSatisfy { text.contains(#"{"from":\#($0)}"#) } }
                }
                _ = try await fleet.finish()
            }
        }
    }

    @Test("When the channel's slot goes to another node, instances follow it")
    func movedSlot() async throws {
        try await withCluster { cluster in
            try await withInstances(cluster.urls, RedisTopology.clusterSharded) { fixture in
                let fleet = try await fixture.connect(6, direct: true, reconnects: true)
                try await fixture.awaitClients(6)
                try await broadcastUntilHeard(fixture, fleet, "before", clients: 6, within: 30)
                try await moveEvents(of: cluster, on: fixture.group.any())
                // The clients were told of the gap and came back, or are about to.
                try await broadcastUntilHeard(fixture, fleet, "after", clients: 6, within: 30)
                _ = try await fleet.finish()
            }
        }
    }

    @Test("When the master dies, instances publish to and listen at the new one")
    func failover() async throws {
        // Long enough that a busy machine brings about no failover of its own.
        let group = try await EmbeddedRedisSentinels.start(.init(downAfter: .seconds(2)))
        let topology = { RedisTopology.sentinel($0, master: EmbeddedRedisSentinels.masterName) }
        do {
            try await withInstances(group.sentinelURLs, topology) { fixture in
                let fleet = try await fixture.connect(6, direct: true, reconnects: true)
                try await fixture.awaitClients(6)
                try await broadcastUntilHeard(fixture, fleet, "before", clients: 6, within: 30)
                let old = try await group.master()
                try await old.kill()
                let new = try await group.awaitMaster(otherThan: old)
                #expect(new !== old)
                try await broadcastUntilHeard(fixture, fleet, "after", clients: 6, within: 30)
                _ = try await fleet.finish()
            }
        } catch {
            await group.stop()
            throw error
        }
        await group.stop()
    }

    /// Gives the slot of the channel of events to the next node.
    private func moveEvents(of cluster: EmbeddedRedisCluster, on loop: any EventLoop) async throws {
        func ask(_ url: RedisURL, _ words: String...) async throws -> RedisReply {
            let connection = try await RedisConnection.connect(to: url, on: loop, deadline: .seconds(10)).get()
            defer { connection.close() }
            return try await connection.send(RedisCommand(words)).get().success()
        }
        let slot = try #require(try await ask(cluster.urls[0], "CLUSTER", "KEYSLOT", ChannelName.events.name).integer)
        // Slots are dealt out in order, a third each.
        let target = cluster.urls[(Int(slot) * 3 / 16_384 + 1) % 3]
        let id = try #require(try await ask(target, "CLUSTER", "MYID").text)
        for url in [target] + cluster.urls { _ = try await ask(url, "CLUSTER", "SETSLOT", "\(slot)", "NODE", id) }
    }
}
