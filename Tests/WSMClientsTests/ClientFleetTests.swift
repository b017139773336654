import NIOCore
import NIOHTTP1
import Testing
import WSMCore
import WSMRecord

@testable import WSMClients

@Suite("A fleet of clients against a WebSocket server", .timeLimit(.minutes(2)))
struct ClientFleetTests {
    private let quickly = BackoffPolicy(initial: .milliseconds(2), max: .milliseconds(20))

    @Test("Clients connect to their instances, receive in order what is sent, and leave with 1000")
    func connectAndReceive() async throws {
        let servers = [try await TestServer.start(), try await TestServer.start()]
        let (fleet, log) = makeFleet(servers.map { $0.endpoint(subprotocols: ["base64.bearer.token", "abc"]) })
        try await fleet.connectAll(plan(5, instances: 2), startingAt: .now())
        try await fleet.awaitConnected(deadline: soon())
        #expect(fleet.connectedCount == 5)
        try await eventually("both servers to see their clients") { servers.map(\.accepted) == [3, 2] }
        let large = String(repeating: "x", count: 300_000)
        for server in servers {
            server.send(ServerFrames.text("one") + ServerFrames.text("two") + ServerFrames.text(large))
            server.send(ServerFrames.text("fra", final: false) + ServerFrames.frame(9, []))
            server.send(ServerFrames.frame(0, Array("gmen".utf8), final: false))
            server.send(ServerFrames.frame(0, Array("ted".utf8)))
        }
        try await eventually("all messages") { log.messageCount == 20 }
        for client in 0..<5 { #expect(log.messages(of: UInt32(client)) == ["one", "two", large, "fragmented"]) }
        #expect(Set(log.events).contains(.opened(client: 3, instance: 1, slow: false)))
        let request = try #require(servers[0].requests.first)
        #expect(request.uri == "/api/ws/events")
        #expect(request.headers["Sec-WebSocket-Protocol"] == ["base64.bearer.token, abc"])
        #expect(request.headers["Host"] == ["127.0.0.1:\(servers[0].port)"])

        let ending = await fleet.endSessions(deadline: soon())
        #expect(ending.abandoned == 0)
        #expect(fleet.connectedCount == 0)
        #expect(log.ends == Array(repeating: .runEnded, count: 5))
        #expect(servers.flatMap(\.closeCodes) == Array(repeating: 1000, count: 5))
        let statistics = await fleet.statistics()
        #expect(statistics.attempts == 5 && statistics.opened == 5 && statistics.messages == 20)
        #expect(statistics.lateness.count == 5)
        #expect(try await fleet.finish().count == 2)
        for server in servers { try await server.stop() }
    }

    @Test("A frame that arrives together with the handshake's answer is not lost")
    func greetingWithHandshake() async throws {
        let server = try await RawServer.start { key in
            Array(RawServer.switching(key).utf8) + ServerFrames.text("hello") + Array(ServerFrames.text("split")[..<3])
        }
        let (fleet, log) = makeFleet([ClientEndpoint(host: "127.0.0.1", port: server.port, path: "/")])
        try await fleet.connectAll(plan(1), startingAt: .now())
        try await fleet.awaitConnected(deadline: soon())
        try await eventually("the greeting") { log.messages(of: 0) == ["hello"] }
        _ = try await fleet.finish()
        try await server.listener.close()
    }

    @Test("A server's ping is answered with its payload, masked as the RFC wants")
    func controlPing() async throws {
        try await withConnectedFleet(clients: plan(3)) { _, log, server in
            let payload = [UInt8](1...125)
            server.send(ServerFrames.frame(9, payload))
            try await eventually("three pongs") { server.pongs == Array(repeating: payload, count: 3) }
            #expect(log.messageCount == 0)
        }
    }

    @Test("Application pings go out on their interval, and __pong__ is counted, not delivered")
    func applicationPing() async throws {
        try await withConnectedFleet(clients: plan(4), ping: .milliseconds(10)) { fleet, log, server in
            try await eventually("pongs") { await fleet.statistics().pongsReceived >= 20 }
            #expect(server.pings >= 20)
            #expect(log.messageCount == 0)
        }
    }

    @Test("Pings that get no answer are counted when the next is due")
    func unansweredPings() async throws {
        let behaviour = TestServer.Behaviour(answersApplicationPings: false)
        try await withConnectedFleet(behaviour, clients: plan(2), ping: .milliseconds(10)) { fleet, _, _ in
            try await eventually("unanswered pings") { await fleet.statistics().pingsUnanswered >= 6 }
            let statistics = await fleet.statistics()
            #expect(statistics.pongsReceived == 0)
            // Each of the two clients has at most one ping on its way.
            #expect((0...2).contains(statistics.pingsSent - statistics.pingsUnanswered))
        }
    }

    @Test(
        "A server's close is echoed and reported with its code",
        arguments: [1000, 1001, 1008, 4001, nil] as [UInt16?])
    func serverCloses(code: UInt16?) async throws {
        try await withConnectedFleet(clients: plan(2)) { fleet, log, server in
            server.send(code.map { ServerFrames.close($0, "bye") } ?? ServerFrames.frame(8, []))
            let end = SessionEnd.closedByServer(code: code ?? 1005)
            try await eventually("both closes") { log.ends == [end, end] }
            try await eventually("the echoes") { server.closeCodes == [code, code] }
            #expect(fleet.connectedCount == 0)
            #expect(await fleet.statistics().closedByServer == 2)
        }
    }

    @Test("A connection dropped without a close frame is reported, and the client comes back")
    func dropAndReconnect() async throws {
        try await withConnectedFleet(clients: plan(3), reconnect: quickly) { fleet, log, server in
            server.dropAll()
            try await eventually("new sessions") { log.opened == 6 && server.openConnections == 3 }
            #expect(log.ends == [.dropped, .dropped, .dropped])
            server.send(ServerFrames.text("again"))
            try await eventually("messages in the new sessions") { log.messageCount == 3 }
            let statistics = await fleet.statistics()
            #expect(statistics.dropped == 3 && statistics.reconnects >= 3)
            #expect(fleet.connectedCount == 3)
        }
    }

    @Test("A refused handshake is a failed attempt with its status, and waiting for it ends early")
    func refusedHandshake() async throws {
        let server = try await TestServer.start(TestServer.Behaviour(refusesWith: .forbidden))
        let (fleet, log) = makeFleet([server.endpoint()])
        try await fleet.connectAll(plan(3), startingAt: .now())
        let error = await #expect(throws: FleetError.self) { try await fleet.awaitConnected(deadline: soon()) }
        #expect(error?.code == .notAllConnected)
        #expect(error?.message.contains("0 of 3 clients connected in time, 3 gave up") == true)
        #expect(error?.message.contains("3 × HTTP 403") == true)
        #expect(log.failed == 3 && log.opened == 0)
        _ = try await fleet.finish()
        try await server.stop()
    }

    @Test("A port that nobody listens on is refused; with a policy the client tries again")
    func refusedConnection() async throws {
        let server = try await TestServer.start()
        let endpoint = server.endpoint()
        try await server.stop()
        let (fleet, log) = makeFleet([endpoint], reconnect: quickly)
        try await fleet.connectAll(plan(2), startingAt: .now())
        try await eventually("several attempts") { log.failed >= 6 }
        await #expect(throws: FleetError.self) { try await fleet.awaitConnected(deadline: .now() + .milliseconds(50)) }
        let statistics = await fleet.statistics()
        // A server of another test may have got the port for a moment.
        #expect(statistics.failures["refused", default: 0] >= 2)
        #expect(statistics.reconnects >= 4)
        _ = try await fleet.finish()
    }

    @Test(
        "An answer that is no handshake is a failed attempt",
        arguments: [
            ("not http at all\r\n\r\n", "", "not a WebSocket handshake"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", "HTTP 200"),
            ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", "", "not a WebSocket handshake"),
            ("", "Sec-WebSocket-Extensions: permessage-deflate\r\n", "not a WebSocket handshake"),
            ("", "Sec-WebSocket-Protocol: never.offered\r\n", "not a WebSocket handshake"),
        ])
    func badHandshakes(answer: String, headers: String, reason: String) async throws {
        let server = try await RawServer.start { key in
            Array((answer.isEmpty ? RawServer.switching(key, headers: headers) : answer).utf8)
        }
        let (fleet, log) = makeFleet([ClientEndpoint(host: "127.0.0.1", port: server.port, path: "/")])
        try await fleet.connectAll(plan(1), startingAt: .now())
        await #expect(throws: FleetError.self) { try await fleet.awaitConnected(deadline: soon()) }
        #expect(await fleet.statistics().failures == [reason: 1])
        #expect(log.events == [.failed(client: 0)])
        _ = try await fleet.finish()
        try await server.listener.close()
    }

    @Test("The deadline of an attempt covers the handshake: a server that accepts and says nothing times out")
    func silentServer() async throws {
        let server = try await RawServer.start { _ in nil }
        let endpoint = ClientEndpoint(host: "127.0.0.1", port: server.port, path: "/")
        let (fleet, log) = makeFleet([endpoint], connectDeadline: .milliseconds(50))
        try await fleet.connectAll(plan(2), startingAt: .now())
        await #expect(throws: FleetError.self) { try await fleet.awaitConnected(deadline: soon()) }
        #expect(await fleet.statistics().failures == ["timed out": 2])
        #expect(log.failed == 2)
        _ = try await fleet.finish()
        try await server.listener.close()
    }

    @Test("Churn ends the session with 1000 and begins a new one; a client without a session is skipped")
    func churn() async throws {
        try await withConnectedFleet(clients: plan(3)) { fleet, log, server in
            try fleet.churn([FleetChurn(client: 1, at: .now()), FleetChurn(client: 2, at: .now())])
            try await eventually("new sessions") { log.opened == 5 && server.openConnections == 3 }
            #expect(log.ends == [.churned, .churned])
            #expect(server.closeCodes == [1000, 1000])
            server.send(ServerFrames.text("after"))
            try await eventually("a message in every session") { log.messageCount == 3 }
            #expect(log.messages(of: 1) == ["after"])
            server.send(ServerFrames.close(1001))
            try await eventually("all closed") { fleet.connectedCount == 0 }
            try fleet.churn(client: 0, at: .now())
            try await eventually("the skipped churn") { await fleet.statistics().churnsSkipped == 1 }
            #expect(throws: FleetError.self) { try fleet.churn(client: 99, at: .now()) }
        }
    }

    @Test("A slow reader holds the server up, and gets everything once it is released")
    func slowReader() async throws {
        try await withConnectedFleet(clients: plan(1, readRate: 4096)) { fleet, log, server in
            #expect(log.events == [.opened(client: 0, instance: 0, slow: true)])
            let filler = String(repeating: "s", count: 10_000)
            for number in 0..<1000 { server.send(ServerFrames.text("\(number) \(filler)")) }
            try await eventually("back pressure") { server.isBackedUp }
            try await eventually("the first message") { log.messageCount > 0 }
            #expect(log.messageCount < 500)
            fleet.releaseSlowReaders()
            try await eventually("all messages") { log.messageCount == 1000 }
            #expect(log.messages(of: 0) == (0..<1000).map { "\($0) \(filler)" })
        }
    }

    @Test("Five hundred clients connect at once, and each receives each message once")
    func manyClients() async throws {
        try await withConnectedFleet(clients: plan(500)) { fleet, log, server in
            #expect(fleet.connectedCount == 500)
            for number in 0..<3 { server.send(ServerFrames.text("message \(number)")) }
            try await eventually("all deliveries") { log.messageCount == 1500 }
            for client in 0..<500 {
                #expect(log.messages(of: UInt32(client)) == ["message 0", "message 1", "message 2"])
            }
            let ending = await fleet.endSessions(deadline: soon())
            #expect(ending.abandoned == 0)
            #expect(server.closeCodes.count == 500)
        }
    }

    @Test("Sessions whose server never answers the close are abandoned at the deadline and counted")
    func muteServer() async throws {
        let behaviour = TestServer.Behaviour(answersCloses: false)
        try await withConnectedFleet(behaviour, clients: plan(4)) { fleet, log, server in
            try fleet.churn(client: 0, at: .now())
            try await eventually("the churn") { log.opened == 5 }
            let ending = await fleet.endSessions(deadline: .now() + .milliseconds(50))
            // Client 0 twice: its first session has not been closed by the server either.
            #expect(ending.abandoned == 5)
            #expect(await fleet.statistics().unansweredCloses == 5)
            #expect(log.ends.count { $0 == .runEnded } == 4)
            try await eventually("the sockets to close") { server.openConnections == 0 }
        }
    }

    @Test("A session closed by churn is abandoned when its server does not close within the deadline")
    func closeDeadline() async throws {
        let server = try await TestServer.start(TestServer.Behaviour(answersCloses: false))
        let (fleet, _) = makeFleet([server.endpoint()], closeDeadline: .milliseconds(30))
        try await fleet.connectAll(plan(1), startingAt: .now())
        try await fleet.awaitConnected(deadline: soon())
        try fleet.churn(client: 0, at: .now())
        try await eventually("the old socket to close") { await fleet.statistics().unansweredCloses == 1 }
        _ = try await fleet.finish()
        try await server.stop()
    }

    @Test("A server that breaks the protocol is closed with 1002 and not asked again")
    func protocolError() async throws {
        try await withConnectedFleet(clients: plan(2), reconnect: quickly) { fleet, log, server in
            server.send(ServerFrames.text("fine") + [0x81, 0x80, 0, 0, 0, 0] + ServerFrames.text("never read"))
            try await eventually("both ends") { log.ends.count == 2 }
            #expect(log.ends == Array(repeating: .protocolError("masked server frame"), count: 2))
            try await eventually("the close frames") { server.closeCodes == [1002, 1002] }
            try await eventually("the sockets to close") { server.openConnections == 0 }
            #expect(log.messages(of: 0) == ["fine"] && log.messages(of: 1) == ["fine"])
            #expect(log.opened == 2)
            #expect(await fleet.statistics().protocolErrors == 2)
        }
    }

    @Test("Binary messages are counted and not delivered")
    func binary() async throws {
        try await withConnectedFleet(clients: plan(1)) { fleet, log, server in
            server.send(ServerFrames.frame(2, [1, 2, 3]) + ServerFrames.text("text"))
            try await eventually("the text") { log.messages(of: 0) == ["text"] }
            #expect(await fleet.statistics().binaryMessages == 1)
        }
    }

    @Test("Clients beyond one address's ports really leave from the next loopback address")
    func furtherSourceAddress() async throws {
        let clients = [0, 24_000, 48_000].map { FleetClient(index: $0, instance: 0, connectAt: .zero) }
        try await withConnectedFleet(clients: clients) { _, _, server in
            #expect(Set(server.sources) == ["127.0.0.1", "127.0.0.2", "127.0.0.3"])
        }
    }

    @Test("Sinks are reached on their loops while the fleet runs, and nothing of a finished fleet stays in memory")
    func sinksAndMemory() async throws {
        let server = try await TestServer.start()
        let released = ReleaseCount()
        do {
            let (fleet, _) = makeFleet([server.endpoint()], ping: .seconds(100), reconnect: quickly, released: released)
            try await fleet.connectAll(plan(4, readRate: 100_000), startingAt: .now())
            try await fleet.awaitConnected(deadline: soon())
            #expect(try await fleet.withSinks { $0.sessionCount }.reduce(0, +) == 4)
            try fleet.churn(client: 0, at: .now())
            try await eventually("the churn") { await fleet.statistics().opened == 5 }
            await fleet.endSessions(deadline: soon())
            #expect(try await fleet.finish().map(\.sessionCount).reduce(0, +) == 5)
        }
        try await eventually("both sinks to be released") { released.count == 2 }
        try await server.stop()
    }

    @Test("Ending while clients still connect tells the sink nothing of them")
    func endWhileConnecting() async throws {
        let server = try await RawServer.start { _ in nil }
        let endpoint = ClientEndpoint(host: "127.0.0.1", port: server.port, path: "/")
        let (fleet, log) = makeFleet([endpoint], reconnect: quickly)
        var clients = plan(4)
        clients[3].connectAt = .seconds(1000)
        try await fleet.connectAll(clients, startingAt: .now())
        try await eventually("three attempts") { await fleet.statistics().attempts == 3 }
        #expect(await fleet.endSessions(deadline: soon()).abandoned == 0)
        let sinks = try await fleet.finish()
        #expect(sinks.count == 2)
        #expect(log.events.isEmpty)
        try await server.listener.close()
    }

    @Test("A plan that cannot be is refused, and so is a second plan")
    func badPlans() async throws {
        let (fleet, _) = makeFleet([ClientEndpoint(host: "127.0.0.1", port: 1, path: "/")])
        func code(_ plan: [FleetClient]) async -> FleetError.Code? {
            await #expect(throws: FleetError.self) { try await fleet.connectAll(plan, startingAt: .now()) }?.code
        }
        #expect(await code([FleetClient(index: 0, instance: 1, connectAt: .zero)]) == .invalidPlan)
        #expect(await code(plan(1) + plan(1)) == .invalidPlan)
        #expect(await code(plan(1, readRate: 0)) == .invalidPlan)
        try await fleet.connectAll(plan(1), startingAt: .now() + .seconds(1000))
        #expect(await code(plan(1)) == .wrongPhase)
        _ = try await fleet.finish()
        let (lost, _) = makeFleet([ClientEndpoint(host: "127.0.0.1", port: 70_000, path: "/")])
        let error = await #expect(throws: FleetError.self) { try await lost.connectAll(plan(1), startingAt: .now()) }
        #expect(error?.code == .invalidEndpoint)
    }

    @Test("Waiting for clients ends when its task is cancelled")
    func cancelledWait() async throws {
        let (fleet, _) = makeFleet([ClientEndpoint(host: "127.0.0.1", port: 1, path: "/")])
        try await fleet.connectAll(
            [FleetClient(index: 0, instance: 0, connectAt: .seconds(1000))], startingAt: .now())
        let waiting = Task { try await fleet.awaitConnected(deadline: .now() + .seconds(1000)) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        _ = try await fleet.finish()
    }
}
