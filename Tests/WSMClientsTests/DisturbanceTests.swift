import Foundation
import NIOCore
import Testing
import WSMCore
import WSMRecord

@testable import WSMClients

@Suite("What happens to clients", .timeLimit(.minutes(2)))
struct DisturbanceTests {
    private let quickly = BackoffPolicy(initial: .milliseconds(2), max: .milliseconds(20))

    @Test("A client that is disconnected ends with an RST or a FIN, is told of as dropped, and comes back")
    func disconnects() async throws {
        try await withConnectedFleet(clients: plan(4), reconnect: quickly) { fleet, log, server in
            try fleet.disturb(.init(.disconnect(.reset), of: [0, 1], at: .now()))
            try fleet.disturb(.init(.disconnect(.close), of: [2], at: .now() + .milliseconds(20)))
            try await eventually("three to come back") { server.accepted == 7 && fleet.connectedCount == 4 }
            try await eventually("the server to see all ends") { server.ends.count == 3 }
            #expect(server.ends.sorted() == [0, ECONNRESET, ECONNRESET])
            #expect(log.ends == [.dropped, .dropped, .dropped])
            #expect(server.closeCodes.isEmpty)
            server.send(ServerFrames.text("again"))
            try await eventually("all to hear") { log.messageCount == 4 }
            let statistics = await fleet.statistics()
            #expect(statistics.disconnected == 3 && statistics.dropped == 0 && statistics.reconnects == 3)
        }
    }

    @Test("A vanished client leaves an open socket that reads nothing and answers nothing, and comes back on another")
    func vanishes() async throws {
        try await withConnectedFleet(clients: plan(2), reconnect: quickly) { fleet, log, server in
            try fleet.disturb(.init(.disconnect(.vanish), of: [0], at: .now()))
            try await eventually("the client to come back") { server.accepted == 3 && fleet.connectedCount == 2 }
            #expect(server.openConnections == 3)
            server.send(ServerFrames.text("hello") + ServerFrames.frame(9, [1]))
            try await eventually("both to hear") { log.messageCount == 2 }
            try await eventually("the living to answer") { server.pongs.count == 2 }
            #expect(log.messages(of: 0) == ["hello"])
            fleet.releaseSlowReaders()
            try await eventually("the old socket to go with the load") { server.openConnections == 2 }
            #expect(await fleet.statistics().vanishedFound == 0)
            #expect(log.ends == [.dropped])
        }
    }

    @Test("When the server closes the socket of a vanished client, that is counted and nobody else is told")
    func vanishedIsFound() async throws {
        try await withConnectedFleet(clients: plan(1)) { fleet, log, server in
            try fleet.disturb(.init(.disconnect(.vanish), of: [0], at: .now()))
            try await eventually("the client to be gone") { fleet.connectedCount == 0 }
            #expect(server.openConnections == 1)
            server.dropAll()
            try await eventually("the socket to be found") { await fleet.statistics().vanishedFound == 1 }
            #expect(log.ends == [.dropped])
        }
    }

    @Test("A stalled client fills its server's buffers, and hears all of it once its time is over")
    func stalls() async throws {
        try await withConnectedFleet(clients: plan(2)) { fleet, log, server in
            let until = MonotonicInstant.now() + .milliseconds(400)
            try fleet.disturb(.init(.stall(until: until), of: [1], at: .now()))
            try await eventually("the stall") { log.events.contains(.stalled(client: 1)) }
            let large = String(repeating: "x", count: 1 << 20)
            for _ in 0..<16 { server.send(ServerFrames.text(large)) }
            try await eventually("the healthy one to hear all") { log.messages(of: 0).count == 16 }
            if MonotonicInstant.now() < until {
                #expect(server.isBackedUp)
                #expect(log.messages(of: 1).count <= 1)
            }
            try await eventually("the stalled one to hear all") { log.messages(of: 1).count == 16 }
            #expect(MonotonicInstant.now() >= until)
            #expect(log.events.filter { $0 == .stalled(client: 1) || $0 == .resumed(client: 1) }.count == 2)
            #expect(await fleet.statistics().stalled == 1)
        }
    }

    @Test("The end of the load ends every stall, and a client that has no session is skipped and counted")
    func endsStalls() async throws {
        try await withConnectedFleet(clients: plan(2)) { fleet, log, server in
            try fleet.disturb(.init(.stall(until: .now() + .seconds(3600)), of: [0], at: .now()))
            try await eventually("the stall") { log.events.contains(.stalled(client: 0)) }
            server.send(ServerFrames.text("one"))
            try await eventually("the other to hear") { log.messages(of: 1) == ["one"] }
            #expect(log.messages(of: 0).isEmpty)
            fleet.releaseSlowReaders()
            try await eventually("the stalled one to hear") { log.messages(of: 0) == ["one"] }
            try fleet.disturb(.init(.disconnect(.reset), of: [1], at: .now()))
            try await eventually("it to be gone") { fleet.connectedCount == 1 }
            try fleet.disturb(.init(.disconnect(.reset), of: [1], at: .now()))
            try await eventually("it to be skipped") { await fleet.statistics().disturbancesSkipped == 1 }
        }
        let (fleet, _) = makeFleet([ClientEndpoint(host: "127.0.0.1", port: 1, path: "/")])
        #expect(throws: FleetError.self) { try fleet.disturb(.init(.disconnect(.reset), of: [9], at: .now())) }
        _ = try await fleet.finish()
    }

    @Test("A client whose ping is not answered in time closes and connects anew; a stalled one does not notice")
    func givesUpOnPings() async throws {
        var silent = TestServer.Behaviour()
        silent.answersApplicationPings = false
        let patience = TimeSpan.milliseconds(60)
        try await withConnectedFleet(
            silent, clients: plan(3), ping: .milliseconds(20), pongTimeout: patience, reconnect: quickly
        ) { fleet, log, server in
            // It may be about to give up when it is to stall, so it is told until it does.
            try await eventually("the stall") {
                try fleet.disturb(.init(.stall(until: .now() + .seconds(3600)), of: [2], at: .now()))
                return log.events.contains(.stalled(client: 2))
            }
            let before = await fleet.statistics().pongTimeouts
            try await eventually("the others to give up again and again") {
                await fleet.statistics().pongTimeouts >= before + 6
            }
            let events = log.events
            let since = try #require(events.firstIndex(of: .stalled(client: 2)))
            #expect(!events[since...].contains(.closed(client: 2, .dropped)))
            #expect(log.ends.allSatisfy { $0 == .dropped })
            try await eventually("the server to be told in good order") { server.closeCodes.contains(1000) }
        }
    }

    @Test("A server that answers its pings in time keeps its clients")
    func keepsClients() async throws {
        try await withConnectedFleet(
            clients: plan(3), ping: .milliseconds(5), pongTimeout: .seconds(10), reconnect: quickly
        ) { fleet, _, _ in
            try await eventually("many pongs") { await fleet.statistics().pongsReceived >= 50 }
            #expect(await fleet.statistics().pongTimeouts == 0)
        }
    }

    @Test(
        "After a storm the jitter spreads the reconnects over the backoff, the same for the same seed, and bounds them")
    func spreadsReconnects() async throws {
        let policy = BackoffPolicy(initial: .milliseconds(100), max: .seconds(5))
        var life: [[TimeSpan]] = []
        for _ in 0..<2 {
            let server = try await TestServer.start()
            let (fleet, _) = makeFleet([server.endpoint()], reconnect: policy)
            try await fleet.connectAll(plan(200), startingAt: .now())
            try await fleet.awaitConnected(deadline: soon())
            let delays = try await fleet.shards[0].eventLoop.submit {
                let shard = fleet.shards[0].value
                return (0..<shard.clients.count).map { policy.delay(attempt: 0, unit: shard.drawUnit($0)) }
            }.get()
            life.append(delays)
            _ = try await fleet.finish()
            try await server.stop()
        }
        #expect(life[0] == life[1])
        // Each tenth of the time from the half to the whole of the first delay has its part.
        let tenths = Dictionary(grouping: life[0]) { Int(($0 - .milliseconds(50)).nanoseconds / 5_000_000) }
        #expect(Set(tenths.keys) == Set(0..<10))
        #expect(tenths.values.allSatisfy { $0.count <= 25 })
    }

    @Test("A disturbance goes over a pipe as plain data")
    func isPlainData() throws {
        let all: [FleetDisturbance] = [
            .init(.disconnect(.vanish), of: [1, 2], at: MonotonicInstant(nanoseconds: 5)),
            .init(.stall(until: MonotonicInstant(nanoseconds: 9)), of: [3], at: MonotonicInstant(nanoseconds: 7)),
        ]
        let bytes = try JSONEncoder().encode(all)
        #expect(try JSONDecoder().decode([FleetDisturbance].self, from: bytes) == all)
    }
}
