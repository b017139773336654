import NIOCore
import NIOPosix
import Testing
import WSMCore

@testable import WSMRedis

@Suite(.needsRedis, .timeLimit(.minutes(2)))
struct RedisConnectionTests {
    @Test("Ten thousand commands sent at once are answered in their order")
    func pipelining() async throws {
        try await withRedis { redis in
            let connection = try await connect(redis.url)
            let futures = (0..<10_000).map { connection.send("ECHO", "\($0)") }
            let replies = try await EventLoopFuture.whenAllSucceed(futures, on: connection.eventLoop).get()
            #expect(replies.count == 10_000)
            for (index, reply) in replies.enumerated() where reply.text != "\(index)" {
                Issue.record("reply \(index) is \(reply)")
                return
            }
            connection.close()
            #expect(try await connection.ended.get() == nil)
        }
    }

    @Test("Any bytes come back as they were, small and large")
    func binary() async throws {
        try await withRedis { redis in
            let connection = try await connect(redis.url)
            for size in [0, 1, 255, 70_000, 5_000_000] {
                let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
                _ = try await connection.send([Array("SET".utf8), [0, 13, 10], payload]).get().success()
                let words = [ByteBuffer(string: "GET"), ByteBuffer(bytes: [0, 13, 10])]
                #expect(try await connection.send(words).get() == .string(ByteBuffer(bytes: payload)))
            }
            #expect(try await connection.send("GET", "nothing").get() == .null)
            #expect(try await connection.send("INCR", "number").get().integer == 1)
            let reply = try await connection.send("INCR").get()
            let error = #expect(throws: RedisError.self) { try reply.success() }
            #expect(error?.code == .serverError)
            let empty = await #expect(throws: RedisError.self) { try await connection.send([[UInt8]]()).get() }
            #expect(empty?.code == .invalidCommand)
        }
    }

    @Test("The database of the URL is selected, and one that is not there is an error")
    func database() async throws {
        try await withRedis { redis in
            let port = try #require(redis.url.port)
            let second = try await connect(RedisURL("redis://127.0.0.1:\(port)/2"))
            let first = try await connect(redis.url)
            _ = try await second.send("SET", "key", "value").get()
            #expect(try await first.send("GET", "key").get() == .null)
            let error = await #expect(throws: RedisError.self) {
                _ = try await connect(RedisURL("redis://127.0.0.1:\(port)/9999"))
            }
            #expect(error?.code == .serverError)
            #expect(error?.message.contains("9999") == true)
        }
    }

    @Test("The right password is let in; a wrong one and none are told apart from other failures")
    func authentication() async throws {
        try await withRedis(.init(password: "pa\"ss w\\örd")) { redis in
            let port = try #require(redis.url.port)
            let connection = try await connect(redis.url)
            #expect(try await connection.send("PING").get() == .status("PONG"))
            for login in [":wrong@", "", "nobody:pw@"] {
                let url = try RedisURL("redis://\(login)127.0.0.1:\(port)")
                let error = await #expect(throws: RedisError.self) { _ = try await connect(url) }
                #expect(error?.code == .authenticationFailed)
                let subscribing = await #expect(throws: RedisError.self) {
                    _ = try await RedisSubscription.connect(to: url, on: loops.next(), deadline: patience) { _ in }
                        .get()
                }
                #expect(subscribing?.code == .authenticationFailed)
                let blocking = await #expect(throws: RedisError.self) {
                    try await onThread { try BlockingRedisConnection(url: url, deadline: patience).ping() }
                }
                #expect(blocking?.code == .authenticationFailed)
            }
        }
    }

    @Test("Nobody listening is an error that names the URL without its password", arguments: [true, false])
    func refused(_ overTCP: Bool) async throws {
        let url = try RedisURL(
            overTCP ? "redis://:secret@127.0.0.1:\(try FreePort.choose())" : "unix://:secret@/tmp/no-such-redis.sock")
        let error = await #expect(throws: RedisError.self) { _ = try await connect(url) }
        #expect(error?.code == .connectFailed)
        #expect(error?.message.contains(url.description) == true)
        #expect(error.map { "\($0)" }?.contains("secret") == false)
        let blocking = await #expect(throws: RedisError.self) {
            try await onThread { _ = try BlockingRedisConnection(url: url, deadline: patience) }
        }
        #expect(blocking?.code == .connectFailed)
        #expect(blocking?.message.contains(url.description) == true)
    }

    @Test("When the server is killed all that waits fails, once, and what is sent later too")
    func serverKilled() async throws {
        try await withRedis { redis in
            let connection = try await connect(redis.url)
            try await redis.pause()
            let futures = (0..<100).map { connection.send("ECHO", "\($0)") }
            // The loop takes things in order: after this the commands are on their way.
            try await connection.eventLoop.submit {}.get()
            try await redis.kill()
            for future in futures {
                let error = await #expect(throws: RedisError.self) { try await future.get() }
                #expect(error?.code == .connectionLost)
                #expect(error?.maybePublished == true)
            }
            #expect(try await connection.ended.get()?.code == .connectionLost)
            let later = await #expect(throws: RedisError.self) { try await connection.send("PING").get() }
            #expect(later?.code == .connectionLost)
            #expect(later?.maybePublished == false)
        }
    }

    @Test("A command that a stopped server does not answer fails at its deadline and ends the connection")
    func deadline() async throws {
        try await withRedis { redis in
            let connection = try await connect(redis.url)
            try await redis.pause()
            let patient = connection.send(RedisCommand("PING"), deadline: patience)
            let hasty = connection.send(RedisCommand("PING"), deadline: .milliseconds(50))
            let error = await #expect(throws: RedisError.self) { try await hasty.get() }
            #expect(error?.code == .timedOut)
            await #expect(throws: RedisError.self) { try await patient.get() }
            #expect(try await connection.ended.get()?.code == .timedOut)
            let connecting = await #expect(throws: RedisError.self) {
                _ = try await RedisConnection.connect(
                    to: redis.url, on: loops.next(), deadline: .milliseconds(100)
                ).get()
            }
            #expect(connecting?.code == .timedOut)
            let subscribing = await #expect(throws: RedisError.self) {
                _ = try await RedisSubscription.connect(
                    to: redis.url, on: loops.next(), deadline: .milliseconds(100)
                ) { _ in }.get()
            }
            #expect(subscribing?.code == .timedOut)
            try await redis.resume()
            #expect(try await connect(redis.url).send("PING").get() == .status("PONG"))
        }
    }

    @Test("More commands than the bound are refused at once and the others are not harmed")
    func bounded() async throws {
        try await withRedis { redis in
            let connection = try await connect(redis.url, options: .init(maximumPendingCommands: 10))
            try await redis.pause()
            let futures = (0..<12).map { connection.send("ECHO", "\($0)") }
            for future in futures.suffix(2) {
                let error = await #expect(throws: RedisError.self) { try await future.get() }
                #expect(error?.code == .tooManyPending)
            }
            try await redis.resume()
            for (index, future) in futures.prefix(10).enumerated() {
                #expect(try await future.get().text == "\(index)")
            }
        }
    }

    @Test("close() fails what waits with the code closed")
    func close() async throws {
        try await withRedis { redis in
            let connection = try await connect(redis.url, options: .init(clientName: "me"))
            #expect(try await connection.send("CLIENT", "GETNAME").get().text == "me")
            try await redis.pause()
            let future = connection.send("PING")
            connection.close()
            let error = await #expect(throws: RedisError.self) { try await future.get() }
            #expect(error?.code == .closed)
            try await connection.closeFuture.get()
            try await redis.resume()
        }
    }

    @Test("Something that is not Redis is a protocol violation, not a trap")
    func notRedis() async throws {
        let server = try await ServerBootstrap(group: loops)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(HTTPGreeter()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let url = try RedisURL("redis://127.0.0.1:\(port)")
        let error = await #expect(throws: RedisError.self) { _ = try await connect(url) }
        #expect(error?.code == .protocolViolation)
        let subscribing = await #expect(throws: RedisError.self) {
            _ = try await RedisSubscription.connect(to: url, on: loops.next(), deadline: patience) { _ in }.get()
        }
        #expect(subscribing?.code == .protocolViolation)
        let blocking = await #expect(throws: RedisError.self) {
            try await onThread { try BlockingRedisConnection(url: url, deadline: patience).ping() }
        }
        // What it says unasked may already be there when the connection looks whether it is still good.
        #expect(blocking?.code == .protocolViolation || blocking?.code == .connectionLost)
        try await server.close()
    }
}

/// A server of another protocol, which speaks first.
private final class HTTPGreeter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n")), promise: nil)
    }
}
