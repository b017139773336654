import NIOCore
import NIOPosix
import Testing
import WSMCore
import WSMHarness
import WSMRedis

/// The relay on real sockets.
@Suite(.timeLimit(.minutes(2)))
struct LinkRelayTests {
    private func withRelay(
        echoes: Bool = false, seed: UInt64 = 1, _ body: (LinkRelay, LinkServer) async throws -> Void
    ) async throws {
        let server = try await LinkServer.start(echoes: echoes)
        let relay = try await LinkRelay.start(to: server.address, seed: seed)
        try await body(relay, server)
        await relay.shutDown()
        try await server.stop()
    }

    private func bytes(_ count: Int, _ random: inout CounterRNG) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count { withUnsafeBytes(of: random.next()) { bytes.append(contentsOf: $0) } }
        return Array(bytes.prefix(count))
    }

    @Test(
        "What comes out is what went in, whatever is done to the link and however the bytes are cut",
        arguments: 1...12 as ClosedRange<UInt64>)
    func keepsEveryByte(seed: UInt64) async throws {
        try await withRelay(echoes: true, seed: seed) { relay, server in
            var random = CounterRNG(seed: seed, stream: .payload, entity: 7)
            let peers = [try await LinkPeer.connect(to: relay.port), try await LinkPeer.connect(to: relay.port)]
            let faults: [LinkFault] = [
                .delay(.uniform(from: .zero, to: .milliseconds(3))), .delay(.constant(.milliseconds(2))),
                .throttle(bytesPerSecond: 4 << 20, isShared: true),
                .throttle(bytesPerSecond: 8 << 20, isShared: false), .cut(.resume),
            ]
            var sent = [[UInt8]](repeating: [], count: peers.count)
            var running: [Int] = []
            for _ in 0..<60 {
                switch random.below(4) {
                case 0: running.append(relay.begin(faults[random.below(faults.count)], share: random.unit() * 1.5))
                case 1: if !running.isEmpty { relay.heal(running.remove(at: random.below(running.count))) }
                default:
                    let which = random.below(peers.count)
                    let chunk = bytes(1 + random.below(1 << (1 + random.below(16))), &random)
                    sent[which] += chunk
                    peers[which].send(chunk)
                }
                if random.below(4) == 0 { try await Task.sleep(for: .milliseconds(1)) }
            }
            for id in running { relay.heal(id) }
            for peer in peers { peer.finish() }
            try await eventually("both echoes to end (seed \(seed))") { peers.allSatisfy { $0.seen.hasEnded } }
            for (peer, sent) in zip(peers, sent) {
                // Compared apart, so that a failure does not print all the bytes.
                let isSame = peer.received == sent
                #expect(isSame, "seed \(seed): \(peer.received.count) of \(sent.count) bytes")
                #expect(peer.seen.error == nil, "seed \(seed)")
            }
            let traffic = await relay.traffic()
            #expect(traffic.bytesUp == sent.reduce(0) { $0 + $1.count }, "seed \(seed)")
            #expect(traffic.bytesDown == traffic.bytesUp, "seed \(seed)")
            try await eventually("no connection to be left") { await relay.traffic().open == 0 }
        }
    }

    @Test("A FIN goes through as a FIN, behind the bytes before it, and the other direction lives on")
    func passesHalfClose() async throws {
        try await withRelay { relay, server in
            let client = try await LinkPeer.connect(to: relay.port)
            client.send([1, 2, 3])
            client.finish()
            try await eventually("the server to see the end") { server.peers.first?.seen.ended == true }
            let peer = try #require(server.peers.first)
            #expect(peer.received == [1, 2, 3])
            #expect(client.seen.isOpen)
            peer.send([4, 5])
            try await eventually("the answer") { client.received == [4, 5] }
            peer.finish()
            try await eventually("the client to see the end") { client.seen.hasEnded }
            try await eventually("the relay to forget it") { await relay.traffic().open == 0 }
        }
    }

    @Test("During a cut neither end hears anything, not even that the other is gone; afterwards both are reset")
    func cutsAndResets() async throws {
        try await withRelay { relay, server in
            let clients = [try await LinkPeer.connect(to: relay.port), try await LinkPeer.connect(to: relay.port)]
            for client in clients { client.send([1]) }
            try await eventually("the server to have both") { server.peers.count { $0.received == [1] } == 2 }
            let cut = relay.begin(.cut(.reset(within: .seconds(20))))
            try await eventually("the cut") { await relay.disturbances().first?.beganAt != nil }
            for client in clients { client.send([2]) }
            clients[0].close()
            let late = try await LinkPeer.connect(to: relay.port)
            late.send([3])
            try await eventually("the late one to be held") { await relay.disturbances()[cut].held == 1 }
            // Long enough for a byte on the loopback interface; what must not happen cannot be waited for.
            try await Task.sleep(for: .milliseconds(100))
            #expect(server.peers.count == 2)
            #expect(server.peers.allSatisfy { $0.received == [1] && !$0.seen.ended && $0.seen.isOpen })
            #expect(clients[1].seen.isOpen && late.seen.isOpen)
            relay.heal(cut)
            try await eventually("all to be reset") {
                clients[1].wasReset && late.wasReset && server.peers.allSatisfy { $0.wasReset }
            }
            #expect(server.peers.allSatisfy { $0.received == [1] })
            let record = try #require(await relay.disturbances().first)
            #expect(record.hit == 3)
            #expect(record.reset == 3)
            let healed = try #require(record.healedAt)
            let began = try #require(record.beganAt)
            let lastReset = try #require(record.lastResetAt)
            #expect(record.requestedAt <= began && began <= healed && healed <= lastReset)
        }
    }

    @Test("A connection that a cut has left dead and on which nobody speaks is reset after its time")
    func buriesSilentConnections() async throws {
        try await withRelay { relay, server in
            let client = try await LinkPeer.connect(to: relay.port)
            client.send([1])
            try await eventually("the server to have it") { server.peers.first?.received == [1] }
            relay.heal(relay.begin(.cut(.reset(within: .milliseconds(50)))))
            try await eventually("the reset") { client.wasReset && server.peers[0].wasReset }
        }
    }

    @Test("A reset reaches both ends, and those who connect afterwards are served")
    func resets() async throws {
        try await withRelay { relay, server in
            let client = try await LinkPeer.connect(to: relay.port)
            client.send([1])
            try await eventually("the server to have it") { server.peers.first?.received == [1] }
            relay.begin(.reset)
            try await eventually("the reset") { client.wasReset && server.peers[0].wasReset }
            let record = try #require(await relay.disturbances().first)
            #expect(record.reset == 1 && record.healedAt != nil)
            let next = try await LinkPeer.connect(to: relay.port)
            next.send([2])
            try await eventually("the next to be served") { server.peers.last?.received == [2] }
        }
    }

    @Test("A share hits that part of the connections, the same ones for the same seed")
    func drawsShares() async throws {
        var hit: [[Bool]] = []
        for _ in 0..<2 {
            try await withRelay(seed: 5) { relay, server in
                var clients: [LinkPeer] = []
                for number in 0..<40 {
                    clients.append(try await LinkPeer.connect(to: relay.port))
                    try await eventually("connection \(number)") { await relay.traffic().accepted == number + 1 }
                }
                try await eventually("all upstream") { server.peers.count == 40 }
                relay.begin(.reset, share: 0.5)
                let count = try #require(await relay.disturbances().first).reset
                try await eventually("the resets") { clients.count { $0.wasReset } == count }
                hit.append(clients.map(\.wasReset))
            }
        }
        #expect(hit[0] == hit[1])
        #expect((8...32).contains(hit[0].count { $0 }), "of 40: \(hit[0].count { $0 })")
    }

    @Test("A delay holds each byte back for its time, a throttle lets no more through than its rate")
    func slowsDown() async throws {
        try await withRelay(echoes: true) { relay, _ in
            let client = try await LinkPeer.connect(to: relay.port)
            let delay = relay.begin(.delay(.constant(.milliseconds(60))))
            try await eventually("the delay") { await relay.disturbances().first?.beganAt != nil }
            let start = MonotonicInstant.now()
            client.send([1])
            try await eventually("the echo") { client.received == [1] }
            #expect(MonotonicInstant.now() - start >= .milliseconds(120))
            #expect(await relay.disturbances()[delay].chunksDelayed == 2)
            relay.heal(delay)
            relay.begin(.throttle(bytesPerSecond: 100_000, isShared: false))
            try await eventually("the throttle") { await relay.disturbances().last?.beganAt != nil }
            let throttled = MonotonicInstant.now()
            client.send([UInt8](repeating: 7, count: 30_000))
            try await eventually("all of it") { client.received.count == 30_001 }
            // The last piece of a twentieth of a second leaves at the start of its time.
            #expect(MonotonicInstant.now() - throttled >= .milliseconds(240))
        }
    }

    @Test("A sender feels that nobody reads: the relay holds a bounded number of bytes")
    func pushesBack() async throws {
        try await withRelay { relay, server in
            let client = try await LinkPeer.connect(to: relay.port)
            client.send([1])
            try await eventually("the server to have it") { server.peers.first?.received == [1] }
            let throttle = relay.begin(.throttle(bytesPerSecond: 1, isShared: false))
            try await eventually("the throttle") { await relay.disturbances()[throttle].beganAt != nil }
            var sent = 0
            var quietSince = MonotonicInstant.now()
            try await eventually("the sender to be held up") {
                if client.channel.isWritable {
                    client.send([UInt8](repeating: 0, count: 1 << 20))
                    sent += 1 << 20
                    quietSince = .now()
                }
                return .now() - quietSince > .milliseconds(200)
            }
            // Far more than kernels keep for two sockets, and than the relay's bound.
            #expect(sent <= 64 << 20)
        }
    }

    @Test("Whoever connects to a relay whose upstream is gone gets a reset")
    func resetsWithoutUpstream() async throws {
        // A port that no program takes by chance, as it would one of a server that has just stopped.
        let nobody = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        let relay = try await LinkRelay.start(to: nobody, seed: 1)
        do {
            let client = try await LinkPeer.connect(to: relay.port)
            try await eventually("the reset") { client.wasReset }
        } catch let error as NIOConnectionError {
            // So fast that connecting itself was reset.
            let reason = error.connectionErrors.first?.error as? IOError
            #expect(reason?.errnoCode == ECONNRESET)
        }
        #expect(await relay.traffic().unreachable == 1)
        await relay.shutDown()
    }

    @Test("Shut down, a relay leaves no socket open, whatever state its connections were in")
    func closesAll() async throws {
        let server = try await LinkServer.start(echoes: false)
        let relay = try await LinkRelay.start(to: server.address, seed: 1)
        let client = try await LinkPeer.connect(to: relay.port)
        client.send([1])
        try await eventually("the server to have it") { server.peers.first?.received == [1] }
        relay.begin(.cut(.resume))
        let held = try await LinkPeer.connect(to: relay.port)
        try await eventually("the held one") { await relay.traffic().accepted == 2 }
        await relay.shutDown()
        try await eventually("all to see the end") {
            [client, held, server.peers[0]].allSatisfy { $0.seen.hasEnded }
        }
        await #expect(throws: (any Error).self) { _ = try await LinkPeer.connect(to: relay.port) }
        try await server.stop()
    }

    @Test(
        "Redis behind a relay answers over TCP as over a Unix socket, with its password",
        arguments: [EmbeddedRedis.Options.Listen.tcp, .unixSocket])
    func carriesRedis(listen: EmbeddedRedis.Options.Listen) async throws {
        var options = EmbeddedRedis.Options()
        options.listen = listen
        options.password = "p@ss"
        let redis = try await EmbeddedRedis.start(options)
        let relay = try await LinkRelay.start(toRedisAt: redis.url, seed: 1)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let url = relay.url(for: redis.url)
        let connection = try await RedisConnection.connect(to: url, on: loop, deadline: .seconds(10)).get()
        #expect(try await connection.send("SET", "key", "value").get() == .status("OK"))
        relay.begin(.cut(.resume))
        await #expect(throws: RedisError.self, "a cut link answers to nobody") {
            _ = try await RedisConnection.connect(to: url, on: loop, deadline: .milliseconds(200)).get()
        }
        connection.close()
        await relay.shutDown()
        await redis.stop()
    }
}
