import NIOPosix
import Testing
import WSMClients
import WSMCore
import WSMInstance
import WSMManagers
import WSMRecord
import WSMRedis

/// A manager under the conformance suite: which one, with whose policies, and what its clients are.
struct ManagerCase: CustomTestStringConvertible, Sendable {
    var kind: ManagerKind
    var profile: Profile
    /// Whether clients have no sockets.
    var direct: Bool

    var testDescription: String { "\(profile.rawValue) \(kind.rawValue), \(direct ? "direct" : "sockets")" }

    static let all = ManagerKind.allCases.flatMap { kind in
        Profile.allCases.flatMap { profile in
            [false, true].map { ManagerCase(kind: kind, profile: profile, direct: $0) }
        }
    }
    static let onSockets = all.filter { !$0.direct }
    static let hardened = all.filter { $0.profile == .hardened }
}

@Suite("What every manager does, live", .timeLimit(.minutes(2)))
struct ManagerConformanceTests {
    /// Broadcasts until every client has received something: then all are certainly subscribed.
    func fence(_ fixture: InstanceFixture, _ fleet: any Fleet<Receipts>, clients: Int) async throws {
        try await eventually("all clients are subscribed") {
            for instance in fixture.instances.indices { await fixture.broadcast([#"{"fence":1}"#], from: instance) }
            return try await received(fleet).values.filter { !$0.isEmpty }.count == clients
        }
    }

    @Test("Each client gets every broadcast, byte for byte, once and in order", arguments: ManagerCase.all)
    func delivery(manager: ManagerCase) async throws {
        try await InstanceFixture.with(manager.kind, profile: manager.profile) { fixture in
            let fleet = try await fixture.connect(8, direct: manager.direct)
            try await fence(fixture, fleet, clients: 8)
            let texts = (0..<100).map { #"{"n":\#($0),"text":"é\u{1F600} \#(String(repeating: "x", count: $0))"}"# }
            #expect(await fixture.broadcast(texts))
            try await eventually("100 messages at each client") {
                try await received(fleet).values.allSatisfy { $0.filter { !$0.contains("fence") }.count >= 100 }
            }
            for messages in try await received(fleet).values {
                #expect(messages.filter { !$0.contains("fence") } == texts)
            }
            _ = try await fleet.finish()
        }
    }

    @Test("A ping is answered with a pong", arguments: ManagerCase.onSockets)
    func ping(manager: ManagerCase) async throws {
        try await InstanceFixture.with(manager.kind, profile: manager.profile) { fixture in
            let endpoint = ClientEndpoint(host: "127.0.0.1", port: fixture.instances[0].port, path: "/api/ws/events")
            let options = FleetOptions(pingInterval: .milliseconds(20), seed: 1)
            let fleet = ClientFleet<Receipts>(loops: testLoops.all, endpoints: [endpoint], options: options) {
                _ in Receipts()
            }
            try await fleet.connectAll(
                [FleetClient(index: 0, instance: 0, connectAt: .zero)], startingAt: .now())
            try await eventually("three pongs") { await fleet.statistics().pongsReceived >= 3 }
            _ = try await fleet.finish()
        }
    }

    @Test("A client that leaves is forgotten", arguments: ManagerCase.all)
    func leaving(manager: ManagerCase) async throws {
        try await InstanceFixture.with(manager.kind, profile: manager.profile) { fixture in
            let fleet = try await fixture.connect(5, direct: manager.direct)
            try await fixture.awaitClients(5)
            await fleet.endSessions(deadline: .now() + .seconds(5))
            try await fixture.awaitClients(0)
            #expect(try await fixture.instances[0].manager.openSockets() == 0)
            _ = try await fleet.finish()
        }
    }

    @Test("A broadcast reaches the clients of the other instance only through Redis", arguments: ManagerCase.all)
    func reach(manager: ManagerCase) async throws {
        try await InstanceFixture.with(manager.kind, profile: manager.profile, instances: 2) { fixture in
            let fleet = try await fixture.connect(2, direct: manager.direct)
            try await fence(fixture, fleet, clients: 2)
            await fixture.broadcast([#"{"from":0}"#], from: 0)
            await fixture.broadcast([#"{"from":1}"#], from: 1)
            let both = manager.kind == .broadcast
            try await eventually("what each client should get") {
                let texts = try await received(fleet)
                return texts[0]?.contains(#"{"from":0}"#) == true && texts[1]?.contains(#"{"from":1}"#) == true
                    && (!both || texts[0]?.contains(#"{"from":1}"#) == true)
                    && (!both || texts[1]?.contains(#"{"from":0}"#) == true)
            }
            // A later message has passed every client, so that what is missing now would have come before it.
            let texts = try await received(fleet)
            #expect(texts[0]?.contains(#"{"from":1}"#) == both)
            #expect(texts[1]?.contains(#"{"from":0}"#) == both)
            _ = try await fleet.finish()
        }
    }

    @Test("A hardened stop closes every client with 1001", arguments: ManagerCase.hardened)
    func cleanShutdown(manager: ManagerCase) async throws {
        try await InstanceFixture.with(manager.kind) { fixture in
            let fleet = try await fixture.connect(7, direct: manager.direct)
            try await fixture.awaitClients(7)
            let report = try await fixture.instances[0].stop()
            #expect(report.clientsCut == 0 && report.busyThreads.isEmpty)
            let sinks = try await fleet.finish()
            #expect(sinks.flatMap { $0.ends.values } == Array(repeating: .closedByServer(code: 1001), count: 7))
        }
    }

    @Test("A stop of the reference leaves every second client without a close frame", arguments: [false, true])
    func skippingShutdown(direct: Bool) async throws {
        try await InstanceFixture.with(.broadcast, profile: .reference) { fixture in
            let fleet = try await fixture.connect(6, direct: direct)
            try await fixture.awaitClients(6)
            let report = try await fixture.instances[0].stop(deadline: .milliseconds(500))
            #expect(report.clientsCut == 3)
            let ends = try await fleet.finish().flatMap { $0.ends.values }
            #expect(ends.filter { $0 == .closedByServer(code: 1001) }.count == 3)
        }
    }

    /// Without sockets only: on a socket the drop may come before the handshake's answer, and is a failed attempt then.
    @Test("One client too many for the Redis pool is accepted and dropped")
    func poolLimit() async throws {
        let limited = { (configuration: inout LiveInstance.Configuration) in
            configuration.manager.policies.redisPool = 3
        }
        try await InstanceFixture.with(.broadcast, profile: .reference, change: limited) { fixture in
            let fleet = try await fixture.connect(5, direct: true)
            try await fixture.awaitClients(3)
            try await eventually("two clients to be dropped") { await fleet.statistics().dropped == 2 }
            #expect(fleet.connectedCount == 3)
            _ = try await fleet.finish()
        }
    }

    @Test("When Redis goes, clients are told of the gap: closed with 1012", arguments: [false, true])
    func brokerGap(direct: Bool) async throws {
        try await InstanceFixture.with(.broadcast) { fixture in
            let fleet = try await fixture.connect(4, direct: direct)
            try await fixture.awaitClients(4)
            try await fixture.redis?.kill()
            try await fixture.redis?.startAgain()
            try await eventually("all to be closed") { await fleet.statistics().closedByServer == 4 }
            let ends = try await fleet.finish().flatMap { $0.ends.values }
            #expect(ends == Array(repeating: .closedByServer(code: 1012), count: 4))
        }
    }

    @Test("Direct clients and sockets of one instance get the same, and a stopped instance takes neither")
    func mixed() async throws {
        try await InstanceFixture.with(.memory) { fixture in
            let direct = try await fixture.connect(3, direct: true, reconnects: true)
            let sockets = try await fixture.connect(3, direct: false, reconnects: true)
            try await fixture.awaitClients(6)
            await fixture.broadcast([#"{"n":1}"#, #"{"n":2}"#])
            for fleet in [direct, sockets] {
                try await eventually("two messages at each client") {
                    try await received(fleet).values.filter { $0 == [#"{"n":1}"#, #"{"n":2}"#] }.count == 3
                }
            }
            #expect(try await fixture.instances[0].manager.openSockets() == 6)
            let report = try await fixture.instances[0].stop()
            #expect(report.clientsCut == 0)
            try await eventually("attempts to be refused") {
                let both = [await direct.statistics(), await sockets.statistics()]
                return both.allSatisfy { $0.closedByServer == 3 && $0.failures.values.reduce(0, +) >= 3 }
            }
            #expect(direct.connectedCount == 0)
            _ = try await direct.finish()
            _ = try await sockets.finish()
        }
    }
}
