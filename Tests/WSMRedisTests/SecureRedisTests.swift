import Foundation
import NIOCore
import NIOPosix
import Testing
import WSMCertificates
import WSMCore
import WSMTLS

@testable import WSMRedis

@Suite("Redis over TLS, and its users", .needsRedis, .timeLimit(.minutes(2)))
struct SecureRedisTests {
    let authority: RunAuthority

    init() throws { authority = try RunAuthority(now: Date()) }

    func options(users: [RedisUser] = [], password: String? = nil) throws -> EmbeddedRedis.Options {
        let identity = try authority.issue()
        return EmbeddedRedis.Options(
            password: password,
            tls: .init(
                identity: TLSIdentity(certificate: identity.certificate, privateKey: identity.privateKey),
                authority: authority.certificate), users: users)
    }

    @Test("Every kind of connection works over TLS, and the URL says how")
    func all() async throws {
        try await withRedis(try options(password: "pw")) { redis in
            #expect(redis.url.description.hasPrefix("rediss://:***@127.0.0.1:"))
            let received = Recorder<[UInt8]>()
            let confirmed = Recorder<ChannelName>()
            let subscription = try await RedisSubscription.connect(
                to: redis.url, on: loops.next(), deadline: patience
            ) { event in
                if case .subscribed(let channel) = event { confirmed.append(channel) }
                if case .message(_, let payload) = event { received.append(Array(payload.readableBytesView)) }
            }.get()
            subscription.subscribe(.events)
            try await eventually("the subscription") { confirmed.all == [.events] }
            let connection = try await connect(redis.url)
            #expect(try await connection.send("PING").get() == .status("PONG"))
            let url = redis.url
            let outcomes = try await onThread {
                let connection = try BlockingRedisConnection(url: url, deadline: patience)
                try connection.ping()
                var outcomes: [RedisPublishAcknowledgement] = []
                connection.publishPipelined((0..<2000).map { [(.events, Array("\($0)".utf8))] }) { outcomes.append($0) }
                #expect(try connection.publish([(.events, [1]), (.processes, [2])]) == [1, 0])
                return outcomes
            }
            #expect(outcomes.map(\.index) == Array(0..<2000))
            for outcome in outcomes { #expect(try outcome.receivers.get() == [1]) }
            #expect(zip(outcomes, outcomes.dropFirst()).allSatisfy { $0.at <= $1.at })
            try await eventually("all messages") { received.all.count == 2001 }
            #expect(received.all == (0..<2000).map { Array("\($0)".utf8) } + [[1]])
            subscription.close()
            connection.close()
        }
    }

    @Test("Its certificates lie in its folder and go with it; started again it has the same")
    func folder() async throws {
        try await withRedis(try options()) { redis in
            #expect(exists("\(redis.folder)/redis.key"))
            let url = redis.url
            let connection = try await onThread {
                HandedOver(try BlockingRedisConnection(url: url, deadline: patience))
            }
            try await redis.kill()
            try await onThread {
                let error = #expect(throws: RedisError.self) { try connection.value.ping() }
                #expect(error?.code == .connectionLost)
                #expect(!connection.value.isUsable)
                let closed = #expect(throws: RedisError.self) { try connection.value.ping() }
                #expect(closed?.maybePublished == false)
            }
            try await redis.startAgain()
            #expect(try await connect(url).send("PING").get() == .status("PONG"))
            await redis.stop()
            #expect(!exists(redis.folder))
        }
    }

    @Test("A server that stands still is given up at the deadline; what was sent may have been published")
    func deadline() async throws {
        try await withRedis(try options()) { redis in
            let url = redis.url
            let connection = try await onThread {
                HandedOver(try BlockingRedisConnection(url: url, deadline: .seconds(3)))
            }
            try await redis.pause()
            try await onThread {
                let error = #expect(throws: RedisError.self) { try connection.value.publish([(.events, [1])]) }
                #expect(error?.code == .timedOut)
                #expect(error?.maybePublished == true)
                let late = #expect(throws: RedisError.self) {
                    _ = try BlockingRedisConnection(url: url, deadline: .milliseconds(300))
                }
                #expect(late?.code == .timedOut, "\(String(describing: late))")
            }
            try await redis.resume()
        }
    }

    @Test("A certificate that does not fit is refused, and the error says what to do")
    func refused() async throws {
        let other = try RunAuthority(now: Date())
        let file = NSTemporaryDirectory() + "wsmlab-ca-\(UUID().uuidString).pem"
        try other.certificate.write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        try await withRedis(try options()) { redis in
            let port = try #require(redis.url.port)
            let cases = [
                ("rediss://127.0.0.1:\(port)", "ssl_ca_certs="),
                ("rediss://127.0.0.1:\(port)?ssl_ca_certs=\(file)", "ssl_ca_certs="),
                ("rediss://127.0.0.1:\(port)?ssl_ca_certs=/nowhere", "/nowhere"),
            ]
            for (text, advice) in cases {
                let url = try RedisURL(text)
                let error = await #expect(throws: RedisError.self) { _ = try await connect(url) }
                #expect(error?.code == .connectFailed)
                #expect(error?.message.contains(advice) == true, "\(String(describing: error))")
                try await onThread {
                    let error = #expect(throws: RedisError.self) {
                        _ = try BlockingRedisConnection(url: url, deadline: patience)
                    }
                    #expect(error?.code == .connectFailed)
                }
            }
            // Without TLS to the port for it: Redis hangs up.
            let plain = try RedisURL("redis://127.0.0.1:\(port)")
            await #expect(throws: RedisError.self) { _ = try await connect(plain) }
        }
        try await withRedis { redis in
            let url = try RedisURL("rediss://127.0.0.1:\(try #require(redis.url.port))")
            // Redis takes the beginning of a handshake for the beginning of a command, and waits for its end.
            let error = await #expect(throws: RedisError.self) {
                _ = try await RedisConnection.connect(to: url, on: loops.next(), deadline: .milliseconds(300)).get()
            }
            #expect(error?.code == .timedOut)
            #expect(error?.message.contains("redis://") == true, "\(String(describing: error))")
        }
    }

    @Test("A user may do what it is for and no more, and errors say which of login and permission is wrong")
    func users() async throws {
        let user = RedisUser(name: "limited", password: "secret", channels: ["events"])
        try await withRedis(try options(users: [user], password: "admin")) { redis in
            let url = try #require(redis.url(as: "limited"))
            #expect(redis.url(as: "nobody") == nil)
            try await onThread {
                let connection = try BlockingRedisConnection(url: url, deadline: patience)
                #expect(try connection.publish([(.events, [1])]) == [0])
                let channel = #expect(throws: RedisError.self) { try connection.publish([(.processes, [1])]) }
                #expect(channel?.message.contains("ACL SETUSER") == true, "\(String(describing: channel))")
                let command = #expect(throws: RedisError.self) { try connection.send(RedisCommand("FLUSHALL")) }
                #expect(command?.code == .serverError)
                #expect(connection.isUsable)
            }
            let down = Recorder<RedisError>()
            let subscription = try await RedisSubscription.connect(to: url, on: loops.next(), deadline: patience) {
                if case .down(let error) = $0 { down.append(error) }
            }.get()
            subscription.subscribe(.processes)
            try await eventually("the refusal") { down.all.first?.message.contains("NOPERM") == true }
            let wrong = url.login(as: "limited", password: "wrong")
            let error = await #expect(throws: RedisError.self) { _ = try await connect(wrong) }
            #expect(error?.code == .authenticationFailed)
            #expect(error?.message.contains("user and password") == true)
            #expect(error?.message.contains("wrong") == false || error?.message.contains("WRONGPASS") == true)
            // The first user may do all, and needs its own password.
            #expect(try await connect(redis.url).send("DBSIZE").get() == .integer(0))
            let nobody = redis.url.login(as: nil, password: nil)
            await #expect(throws: RedisError.self) { _ = try await connect(nobody) }
        }
    }
}
