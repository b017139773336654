import NIOCore
import NIOPosix
import Testing
import WSMCore

@testable import WSMRedis

@Suite(.needsRedis, .timeLimit(.minutes(2)))
struct BlockingRedisConnectionTests {
    /// Everything that happened on a channel, as seen by a subscriber.
    private func subscriber(_ redis: EmbeddedRedis, _ channels: [ChannelName]) async throws -> Recorder<[UInt8]> {
        let payloads = Recorder<[UInt8]>()
        let confirmed = Recorder<ChannelName>()
        let subscription = try await RedisSubscription.connect(
            to: redis.url, on: loops.next(), deadline: patience
        ) { event in
            switch event {
            case .message(_, let payload): payloads.append(Array(payload.readableBytesView))
            case .subscribed(let channel): confirmed.append(channel)
            case .unsubscribed, .batchComplete, .down: break
            }
        }.get()
        subscription.subscribe(channels)
        try await eventually("the subscriptions") { confirmed.all == channels }
        return payloads
    }

    private static func outcomes(
        _ connection: BlockingRedisConnection, _ batches: [[BlockingRedisConnection.Publication]]
    ) -> [RedisPublishAcknowledgement] {
        var outcomes: [RedisPublishAcknowledgement] = []
        connection.publishPipelined(batches) { outcomes.append($0) }
        return outcomes
    }

    @Test("A transaction publishes its messages in order, any bytes, and counts their receivers")
    func publish() async throws {
        try await withRedis { redis in
            let received = try await subscriber(redis, [.events, .processes])
            let url = redis.url
            let binary: [UInt8] = [0, 13, 10, 255, 37, 115]
            let counts = try await onThread {
                let connection = try BlockingRedisConnection(url: url, deadline: patience)
                try connection.ping()
                #expect(try connection.publish([]).isEmpty)
                return try connection.publish([(.events, binary), (.engineSettings, [1]), (.processes, [])])
            }
            #expect(counts == [1, 0, 1])
            try await eventually("the messages") { received.all.count == 2 }
            #expect(received.all == [binary, []])
            let monitor = try await connect(url)
            let statistics = try await monitor.send("INFO", "commandstats").get().text
            #expect(statistics?.contains("cmdstat_exec:calls=1,") == true)
        }
    }

    @Test("Pipelined broadcasts are acknowledged one by one and arrive in order; a single one needs no transaction")
    func pipelined() async throws {
        try await withRedis { redis in
            let received = try await subscriber(redis, [.events])
            let url = redis.url
            let outcomes = try await onThread {
                let connection = try BlockingRedisConnection(url: url, deadline: patience)
                let batches: [[BlockingRedisConnection.Publication]] = (0..<3000).map { index in
                    let payload = Array("\(index)".utf8)
                    return index % 3 == 2 ? [] : (0...(index % 3)).map { _ in (.events, payload) }
                }
                return Self.outcomes(connection, batches)
            }
            #expect(outcomes.map(\.index) == Array(0..<3000))
            #expect(zip(outcomes, outcomes.dropFirst()).allSatisfy { $0.at <= $1.at })
            for outcome in outcomes {
                let expected = [[1], [1, 1], []][outcome.index % 3] as [Int64]
                guard try outcome.receivers.get() == expected else {
                    Issue.record("broadcast \(outcome.index): \(outcome.receivers)")
                    return
                }
            }
            let sent = (0..<3000).flatMap { index in
                Array(repeating: Array("\(index)".utf8), count: index % 3 == 2 ? 0 : index % 3 + 1)
            }
            try await eventually("all messages") { received.all.count == sent.count }
            #expect(received.all == sent)
            let monitor = try await connect(url)
            let statistics = try await monitor.send("INFO", "commandstats").get().text
            #expect(statistics?.contains("cmdstat_exec:calls=1000,") == true)
        }
    }

    @Test("What Redis refuses is an error of that broadcast alone, and it was not published")
    func refused() async throws {
        try await withRedis { redis in
            let admin = try await connect(redis.url)
            _ = try await admin.send(
                "ACL", "SETUSER", "limited", "on", ">pw", "resetchannels", "&events", "+@all"
            ).get().success()
            let url = try RedisURL("redis://limited:pw@127.0.0.1:\(try #require(redis.url.port))")
            let received = try await subscriber(redis, [.events])
            let outcomes = try await onThread {
                let connection = try BlockingRedisConnection(url: url, deadline: patience)
                let outcomes = Self.outcomes(
                    connection,
                    [[(.events, [1])], [(.processes, [2])], [(.events, [3]), (.processes, [3])], [(.events, [4])]])
                #expect(connection.isUsable)
                let error = #expect(throws: RedisError.self) { try connection.publish([(.processes, [5])]) }
                #expect(error?.message.contains("NOPERM") == true)
                try connection.ping()
                return outcomes
            }
            #expect(try outcomes[0].receivers.get() == [1])
            for index in 1...2 {
                let error = #expect(throws: RedisError.self) { try outcomes[index].receivers.get() }
                #expect(error?.code == .serverError)
                #expect(error?.maybePublished == false)
                #expect(error?.message.contains("NOPERM") == true)
            }
            #expect(try outcomes[3].receivers.get() == [1])
            try await eventually("the permitted messages") { received.all.count == 2 }
            #expect(received.all == [[1], [4]])
        }
    }

    @Test("A connection that Redis closed while it was idle says that nothing was sent")
    func notSent() async throws {
        try await withRedis { redis in
            let url = redis.url
            let connection = try await onThread {
                HandedOver(try BlockingRedisConnection(url: url, deadline: patience))
            }
            try await redis.kill()
            try await onThread {
                let connection = connection.value
                let error = #expect(throws: RedisError.self) { try connection.publish([(.events, [1])]) }
                #expect(error?.code == .connectionLost)
                #expect(error?.maybePublished == false)
                #expect(!connection.isUsable)
                let again = #expect(throws: RedisError.self) { try connection.ping() }
                #expect(again?.code == .connectionLost)
                let outcomes = Self.outcomes(connection, [[(.events, [1])], []])
                #expect(outcomes.count == 2)
            }
        }
    }

    @Test("Sent to a stopped server, a broadcast may be published: the error says so at the deadline")
    func maybePublished() async throws {
        try await withRedis { redis in
            let received = try await subscriber(redis, [.events])
            let url = redis.url
            let connection = try await onThread {
                HandedOver(try BlockingRedisConnection(url: url, deadline: .milliseconds(300)))
            }
            try await redis.pause()
            try await onThread {
                let connection = connection.value
                let error = #expect(throws: RedisError.self) { try connection.publish([(.events, [1])]) }
                #expect(error?.code == .timedOut)
                #expect(error?.maybePublished == true)
                #expect(!connection.isUsable)
            }
            try await redis.resume()
            // Nothing was taken back: what the kernel held is carried out once the server goes on.
            try await eventually("the message") { received.all == [[1]] }
        }
    }

    @Test("Of broadcasts that a stopped server takes only in part, each says for itself whether it left")
    func partlySent() async throws {
        try await withRedis { redis in
            let url = redis.url
            let connection = try await onThread {
                HandedOver(try BlockingRedisConnection(url: url, deadline: .milliseconds(500)))
            }
            try await redis.pause()
            let outcomes = try await onThread {
                let payload = [UInt8](repeating: 1, count: 1 << 20)
                return Self.outcomes(connection.value, (0..<64).map { _ in [(.events, payload)] })
            }
            let maybe = outcomes.map { outcome in
                if case .failure(let error) = outcome.receivers { error.maybePublished } else { false }
            }
            #expect(outcomes.count == 64)
            #expect(outcomes.allSatisfy { if case .failure = $0.receivers { true } else { false } })
            #expect(maybe.first == true)
            #expect(maybe.last == false)
            #expect(maybe == maybe.sorted { $0 && !$1 })
            try await redis.resume()
        }
    }

    @Test("close() closes and later calls say so")
    func close() async throws {
        try await withRedis { redis in
            let url = redis.url
            try await onThread {
                let connection = try BlockingRedisConnection(url: url, deadline: patience)
                connection.close()
                connection.close()
                #expect(!connection.isUsable)
                let error = #expect(throws: RedisError.self) { try connection.ping() }
                #expect(error?.code == .closed)
            }
        }
    }
}

/// Carries a connection from one thread to another, which the tests do one after the other.
struct HandedOver<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
