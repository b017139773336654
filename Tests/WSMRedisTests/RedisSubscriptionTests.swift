import NIOCore
import NIOPosix
import Testing
import WSMCore

@testable import WSMRedis

@Suite(.needsRedis, .timeLimit(.minutes(2)))
struct RedisSubscriptionTests {
    private typealias Events = Recorder<RedisSubscriptionEvent>

    private func subscribe(
        _ url: RedisURL, _ channels: [ChannelName], _ events: Recorder<RedisSubscriptionEvent>,
        options: RedisSubscription.Options = .init()
    ) async throws -> RedisSubscription {
        let subscription = try await RedisSubscription.connect(
            to: url, on: loops.next(), deadline: patience, options: options, handler: { events.append($0) }
        ).get()
        subscription.subscribe(channels)
        try await eventually("the subscriptions") {
            channels.allSatisfy { events.all.contains(.subscribed($0)) }
        }
        return subscription
    }

    private func payloads(_ events: Recorder<RedisSubscriptionEvent>, of channel: ChannelName) -> [[UInt8]] {
        events.all.compactMap { event in
            guard case .message(channel, let payload) = event else { return nil }
            return Array(payload.readableBytesView)
        }
    }

    @Test("Messages of any bytes arrive in order, each on its channel, and batches end")
    func messages() async throws {
        try await withRedis { redis in
            let events = Events()
            let strange = ChannelName("ch än\r\nel")
            let subscription = try await subscribe(redis.url, [.events, strange], events)
            let publisher = try await connect(redis.url)
            let sent = (0..<2000).map { index in (0..<(index % 300)).map { UInt8(truncatingIfNeeded: $0 &* index) } }
            for payload in sent {
                _ = publisher.send(.publish(payload, to: .events))
                _ = publisher.send(.publish(payload.reversed(), to: strange))
            }
            try await eventually("all messages") {
                payloads(events, of: strange).count == sent.count && events.all.last == .batchComplete
            }
            #expect(payloads(events, of: .events) == sent)
            #expect(payloads(events, of: strange) == sent.map { $0.reversed() })
            subscription.close()
            try await subscription.closeFuture.get()
            #expect(!events.all.contains { if case .down = $0 { true } else { false } })
        }
    }

    @Test("After unsubscribe nothing more comes on that channel, and the other goes on")
    func unsubscribe() async throws {
        try await withRedis { redis in
            let events = Events()
            let subscription = try await subscribe(redis.url, [.events, .processes], events)
            subscription.unsubscribe(.events)
            try await eventually("the end of the channel") { events.all.contains(.unsubscribed(.events)) }
            let publisher = try await connect(redis.url)
            #expect(try await publisher.send("PUBLISH", "events", "x").get() == .integer(0))
            #expect(try await publisher.send("PUBLISH", "processes", "y").get() == .integer(1))
            try await eventually("the message") { !payloads(events, of: .processes).isEmpty }
            #expect(payloads(events, of: .events).isEmpty)
            subscription.unsubscribe([])
            subscription.subscribe(.events)
            try await eventually("the channel again") { events.all.filter { $0 == .subscribed(.events) }.count == 2 }
            #expect(try await publisher.send("PUBLISH", "events", "z").get() == .integer(1))
            try await eventually("its message") { payloads(events, of: .events) == [Array("z".utf8)] }
        }
    }

    @Test("A killed server is one .down, the last event")
    func serverKilled() async throws {
        try await withRedis { redis in
            let events = Events()
            let subscription = try await subscribe(redis.url, [.events], events)
            try await redis.kill()
            try await eventually("the .down") {
                if case .down(let error) = events.all.last { error.code == .connectionLost } else { false }
            }
            try await subscription.closeFuture.get()
            #expect(events.all.filter { if case .down = $0 { true } else { false } }.count == 1)
        }
    }

    @Test("A stopped server is noticed by the health check; one that is merely silent is not bothered")
    func healthCheck() async throws {
        try await withRedis { redis in
            let events = Events()
            let options = RedisSubscription.Options(
                healthCheckInterval: .milliseconds(20), healthCheckDeadline: .seconds(5))
            let subscription = try await subscribe(redis.url, [.events], events, options: options)
            let monitor = try await connect(redis.url)
            try await eventually("some PINGs") {
                let text = try await monitor.send("INFO", "commandstats").get().text ?? ""
                let line = text.split(separator: "\r\n").first { $0.hasPrefix("cmdstat_ping:calls=") }
                let calls = line?.dropFirst("cmdstat_ping:calls=".count).prefix { $0 != "," }
                return (calls.flatMap { Int($0) } ?? 0) > 6
            }
            #expect(!events.all.contains { if case .down = $0 { true } else { false } })
            subscription.close()

            let silenced = Events()
            let hasty = RedisSubscription.Options(
                healthCheckInterval: .milliseconds(20), healthCheckDeadline: .milliseconds(200))
            _ = try await subscribe(redis.url, [.events], silenced, options: hasty)
            try await redis.pause()
            try await eventually("the .down") {
                if case .down(let error) = silenced.all.last { error.code == .timedOut } else { false }
            }
            try await redis.resume()
        }
    }

    @Test("Paused reading leaves messages in the kernel and in Redis; resumed, all arrive in order")
    func pausedReading() async throws {
        try await withRedis(.init(configuration: ["client-output-buffer-limit pubsub 0 0 0"])) { redis in
            let events = Events()
            let subscription = try await subscribe(redis.url, [.events], events)
            subscription.pauseReading()
            try await subscription.eventLoop.submit {}.get()
            let publisher = try await connect(redis.url)
            let payload = [UInt8](repeating: 7, count: 100_000)
            for _ in 0..<200 { #expect(try await publisher.send(.publish(payload, to: .events)).get() == .integer(1)) }
            #expect(payloads(events, of: .events).count < 200)
            subscription.resumeReading()
            try await eventually("all messages") { payloads(events, of: .events).count == 200 }
            #expect(payloads(events, of: .events).allSatisfy { $0 == payload })
        }
    }

    @Test("A channel that the user may not read ends the subscription with Redis' own words")
    func forbiddenChannel() async throws {
        try await withRedis { redis in
            let admin = try await connect(redis.url)
            _ = try await admin.send(
                "ACL", "SETUSER", "limited", "on", ">pw", "resetchannels", "&events", "+@all"
            ).get().success()
            let url = try RedisURL("redis://limited:pw@127.0.0.1:\(try #require(redis.url.port))")
            let events = Events()
            let subscription = try await subscribe(url, [.events], events)
            subscription.subscribe(.processes)
            try await eventually("the .down") {
                if case .down(let error) = events.all.last { error.message.contains("NOPERM") } else { false }
            }
        }
    }
}

@Suite(.needsRedis, .timeLimit(.minutes(2)))
struct RedisClientTests {
    private let options = RedisClient.Options(
        backoff: BackoffPolicy(initial: .milliseconds(5), max: .milliseconds(50)))

    private func makeClient(
        _ url: RedisURL, _ events: Recorder<RedisClientEvent> = .init(), options: RedisClient.Options? = nil
    ) -> RedisClient {
        RedisClient(
            url: url, on: loops.next(), options: options ?? self.options,
            random: CounterRNG(seed: 1, stream: .reconnect, entity: 0), handler: { events.append($0) })
    }

    @Test("It outlives its server: reconnects, subscribes again and says how long that took")
    func restart() async throws {
        try await withRedis { redis in
            let events = Recorder<RedisClientEvent>()
            let client = makeClient(redis.url, events)
            client.subscribe([.events, .processes])
            try await eventually("the subscriptions") {
                events.all.contains(.subscribed(.events)) && events.all.contains(.subscribed(.processes))
            }
            #expect(try await client.publish("one".utf8, to: .events).get() == 1)
            try await redis.kill()
            try await eventually("the .down") { events.all.contains { if case .down = $0 { true } else { false } } }
            // Waits for the connection instead of failing.
            let waiting = client.publish("two".utf8, to: .processes)
            try await redis.startAgain()
            try await eventually("the .resubscribed") {
                events.all.contains { if case .resubscribed(let span) = $0 { span > .zero } else { false } }
            }
            _ = try await waiting.get()
            #expect(try await client.publish("three".utf8, to: .events).get() == 1)
            try await eventually("the message") {
                events.all.contains(.message(channel: .events, payload: ByteBuffer(string: "three")))
            }
            client.close()
            let error = await #expect(throws: RedisError.self) { try await client.send("PING").get() }
            #expect(error?.code == .closed)
        }
    }

    @Test("Without a server a command fails at its deadline and says why; too many are refused")
    func noServer() async throws {
        let url = try RedisURL("redis://127.0.0.1:\(try FreePort.choose())")
        var options = options
        options.maximumWaitingCommands = 1
        let client = makeClient(url, options: options)
        let late = client.send(RedisCommand("PING"), deadline: .milliseconds(300))
        let refused = await #expect(throws: RedisError.self) { try await client.send("PING").get() }
        #expect(refused?.code == .tooManyPending)
        let error = await #expect(throws: RedisError.self) { try await late.get() }
        #expect(error?.code == .timedOut)
        #expect((error?.cause as? RedisError)?.code == .connectFailed)
        #expect(error?.maybePublished == false)
        client.close()
    }
}
