import NIOCore
import NIOPosix
import Testing
import WSMCore

@testable import WSMRedis

/// Clusters and sentinels that lie.
@Suite(.timeLimit(.minutes(2)))
struct HostileNodeTests {
    /// `CLUSTER SLOTS` with all slots at `port`.
    private static func allSlots(at port: Int) -> String {
        "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:\(port)\r\n"
    }

    private func publish(
        _ topology: RedisTopology, _ batches: [[RedisPublisher.Publication]]
    ) async throws -> (outcomes: [RedisPublishAcknowledgement], isUsable: Bool) {
        try await onThread {
            let publisher = try RedisPublisher(
                RedisRouter(topology, questionDeadline: patience), deadline: patience)
            var outcomes: [RedisPublishAcknowledgement] = []
            publisher.publishPipelined(batches) { outcomes.append($0) }
            return (outcomes, publisher.isUsable)
        }
    }

    @Test("A loop of redirections ends after a few, and the message was certainly not published")
    func redirectionLoop() async throws {
        let server = try await ScriptedServer.start { words, port in
            words[0] == "CLUSTER" ? Self.allSlots(at: port) : "-MOVED 1 127.0.0.1:\(port)\r\n"
        }
        // Whatever slot it names, it is its own that it is asked for again.
        let (outcomes, isUsable) = try await publish(.clusterSharded([server.url]), [[(.events, [1])]])
        let error = #expect(throws: RedisError.self) { try outcomes[0].receivers.get() }
        #expect(error?.code == .tooManyRedirections)
        #expect(error?.maybePublished == false)
        #expect(!isUsable)
        let asked = server.commands.all.filter { $0.hasPrefix("SPUBLISH") }.count
        #expect(asked == RedisRouter.maximumRedirections + 1)
        try await server.stop()
    }

    @Test(
        "Nonsense in place of a redirection is a typed error",
        arguments: ["-MOVED\r\n", "-MOVED 99999 h:1\r\n", "-MOVED 1 h:0\r\n", "-MOVED 1 \u{1}:1\r\n"])
    func nonsenseRedirection(_ answer: String) async throws {
        let server = try await ScriptedServer.start { words, port in
            words[0] == "CLUSTER" ? Self.allSlots(at: port) : answer
        }
        let (outcomes, _) = try await publish(.clusterSharded([server.url]), [[(.events, [1])], [(.events, [2])]])
        #expect(outcomes.map(\.index) == [0, 1])
        for outcome in outcomes {
            let error = #expect(throws: RedisError.self) { try outcome.receivers.get() }
            #expect(error?.code == .protocolViolation)
        }
        try await server.stop()
    }

    @Test("A redirection to where nobody listens is a failed connect, and nothing was published")
    func redirectionToNowhere() async throws {
        let dead = try FreePort.choose()
        let slot = HashSlot(of: .events).number
        let server = try await ScriptedServer.start { words, port in
            words[0] == "CLUSTER" ? Self.allSlots(at: port) : "-MOVED \(slot) 127.0.0.1:\(dead)\r\n"
        }
        let (outcomes, isUsable) = try await publish(.clusterSharded([server.url]), [[(.events, [1])]])
        let error = #expect(throws: RedisError.self) { try outcomes[0].receivers.get() }
        #expect(error?.code == .connectFailed)
        #expect(error?.maybePublished == false)
        #expect(!isUsable)
        try await server.stop()
    }

    @Test(
        "A node that says nothing sensible about the slots is no node",
        arguments: [
            "*0\r\n", "-ERR This instance has cluster support disabled\r\n", "$-1\r\n",
            "*1\r\n*3\r\n:0\r\n:99999\r\n*2\r\n$1\r\nh\r\n:1\r\n",
        ])
    func badSlots(_ answer: String) async throws {
        let server = try await ScriptedServer.start { _, _ in answer }
        let topology = RedisTopology.clusterSharded([server.url])
        let error = await #expect(throws: RedisError.self) {
            let (outcomes, _) = try await publish(topology, [[(.events, [1])]])
            _ = try outcomes[0].receivers.get()
        }
        let codes: [RedisError.Code?] = [.unavailable, .serverError, .protocolViolation]
        #expect(codes.contains(error?.code))
        let subscribing = await #expect(throws: RedisError.self) {
            _ = try await RedisRouter(topology, questionDeadline: patience).connectSubscription(
                for: .events, on: loops.next(), deadline: patience
            ) { _ in }.get()
        }
        #expect(subscribing?.code == error?.code)
        try await server.stop()
    }

    @Test("Of several sentinels the first that names a real master is believed")
    func lyingSentinels() async throws {
        let master = try await ScriptedServer.start { words, _ in
            words[0] == "ROLE" ? "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n" : words[0] == "PING" ? "+PONG\r\n" : ":7\r\n"
        }
        let replica = try await ScriptedServer.start { words, _ in
            words[0] == "ROLE" ? "*1\r\n$5\r\nslave\r\n" : "+PONG\r\n"
        }
        func sentinel(naming answer: String) async throws -> ScriptedServer {
            try await ScriptedServer.start { words, _ in words[0] == "PING" ? "+PONG\r\n" : answer }
        }
        func address(_ url: RedisURL) -> String {
            let port = "\(url.port ?? 0)"
            return "*2\r\n$9\r\n127.0.0.1\r\n$\(port.utf8.count)\r\n\(port)\r\n"
        }
        let sentinels = [
            try await sentinel(naming: "*-1\r\n"), try await sentinel(naming: "*2\r\n$0\r\n\r\n$1\r\nx\r\n"),
            try await sentinel(naming: address(replica.url)), try await sentinel(naming: address(master.url)),
        ]
        let topology = RedisTopology.sentinel(sentinels.map(\.url), master: "m")
        let (outcomes, _) = try await publish(topology, [[(.events, [1])]])
        #expect(try outcomes[0].receivers.get() == [7])
        let found = try await RedisRouter(topology, questionDeadline: patience).connect(
            on: loops.next(), deadline: patience
        ).get()
        #expect(found.url.port == master.url.port)
        found.close()
        let liars = RedisTopology.sentinel(sentinels.dropLast().map(\.url), master: "m")
        let error = await #expect(throws: RedisError.self) {
            _ = try await RedisRouter(liars, questionDeadline: patience).connect(on: loops.next(), deadline: patience)
                .get()
        }
        #expect(error?.code == .notMaster)
        for server in sentinels + [master, replica] { try await server.stop() }
    }

    @Test("A topology without servers says so")
    func noServers() async throws {
        for topology in [RedisTopology.clusterBus([]), .clusterSharded([]), .sentinel([], master: "m")] {
            let error = await #expect(throws: RedisError.self) { _ = try await publish(topology, []) }
            #expect(error?.code == .connectFailed)
        }
    }
}
