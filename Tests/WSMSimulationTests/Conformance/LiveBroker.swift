import NIOCore
import NIOPosix
import Synchronization
import Testing
import WSMCore
import WSMRedis

/// A real Redis under a script, through the clients of `WSMRedis`.
@MainActor
final class LiveBroker: BrokerUnderTest {
    private nonisolated static let patience = TimeSpan.seconds(30)

    var transcript = Transcript()
    private let redis: EmbeddedRedis
    private let loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()
    private var subscribers: [String: RedisSubscription] = [:]
    private var publishers: [String: Connection] = [:]
    /// What subscribers have heard and the transcript does not have yet.
    private let heard = Mutex<[(name: String, event: RedisSubscriptionEvent)]>([])
    private var confirmed: Set<String> = []

    /// A publisher's connection, used by one call at a time.
    private final class Connection: @unchecked Sendable {
        let redis: BlockingRedisConnection
        init(_ redis: BlockingRedisConnection) { self.redis = redis }

        /// Publishes each number, padded to `bytes`, in a transaction of its own.
        func publish(_ numbers: Range<Int>, to channels: [ChannelName], bytes: Int) -> [[Int]?] {
            let batches = numbers.map { number in
                let text = "\(number) "
                let payload =
                    Array(text.utf8) + Array(repeating: UInt8(ascii: "x"), count: max(0, bytes - text.utf8.count))
                return channels.map { (channel: $0, payload: payload) }
            }
            var replies: [[Int]?] = Array(repeating: nil, count: batches.count)
            redis.publishPipelined(batches) { reply in
                replies[reply.index] = try? reply.receivers.get().map(Int.init)
            }
            return replies
        }
    }

    static func start() async throws -> LiveBroker {
        let limit = "client-output-buffer-limit pubsub \(pubsubLimit) 0 0"
        return LiveBroker(try await EmbeddedRedis.start(.init(configuration: [limit])))
    }

    private init(_ redis: EmbeddedRedis) { self.redis = redis }

    func subscribe(_ name: String, to channel: ChannelName) async throws {
        confirmed.remove(name)
        let subscription = try await RedisSubscription.connect(
            to: redis.url, on: loop, deadline: Self.patience,
            handler: { [weak self] event in self?.heard.withLock { $0.append((name, event)) } }
        ).get()
        subscribers[name] = subscription
        subscription.subscribe(channel)
        try await settle("the subscription") { [unowned self] _ in confirmed.contains(name) }
    }

    func leave(_ name: String) async throws {
        let subscription = try #require(subscribers[name])
        subscribers[name] = nil
        subscription.close()
        try await subscription.closeFuture.get()
        // Redis notices a closed socket when it gets to it: a command that comes after that comes in a later turn.
        let connection = try await RedisConnection.connect(to: redis.url, on: loop, deadline: Self.patience).get()
        _ = try await connection.send("PING").get()
        _ = try await connection.send("PING").get()
        connection.close()
    }

    func setReading(_ reads: Bool, of name: String) async throws {
        let subscription = try #require(subscribers[name])
        if reads { subscription.resumeReading() } else { subscription.pauseReading() }
        // What was asked for is done once the loop has come to it.
        try await loop.submit {}.get()
    }

    func publish(
        _ name: String, _ numbers: Range<Int>, to channels: [ChannelName], bytes: Int
    ) async throws -> [[Int]?] {
        let url = redis.url
        let known = publishers[name]
        let (connection, replies) = try await NIOThreadPool.singleton.runIfActive {
            let connection = try known ?? Connection(BlockingRedisConnection(url: url, deadline: Self.patience))
            return (connection, connection.publish(numbers, to: channels, bytes: bytes))
        }
        publishers[name] = connection
        return replies
    }

    func publishTogether(_ publishers: [String: Range<Int>], to channels: [ChannelName]) async throws {
        let url = redis.url
        let runs = publishers.values.map { numbers in
            Task {
                try await NIOThreadPool.singleton.runIfActive {
                    let connection = Connection(try BlockingRedisConnection(url: url, deadline: Self.patience))
                    return connection.publish(numbers, to: channels, bytes: 100).allSatisfy { $0 != nil }
                }
            }
        }
        for run in runs { #expect(try await run.value) }
    }

    func restart() async throws {
        try await redis.kill()
        try await redis.startAgain()
    }

    func settle(_ what: String, _ condition: (Transcript) -> Bool) async throws {
        let end = MonotonicInstant.now() + Self.patience
        take()
        while !condition(transcript) {
            guard MonotonicInstant.now() < end else {
                Issue.record("live, in vain for: \(what)")
                return
            }
            try await Task.sleep(nanoseconds: 2_000_000)
            take()
        }
    }

    private func take() {
        let events = heard.withLock { events in
            defer { events = [] }
            return events
        }
        for (name, event) in events {
            switch event {
            case .subscribed: confirmed.insert(name)
            case .message(_, let payload):
                let number = payload.readableBytesView.prefix { $0 != UInt8(ascii: " ") }
                transcript.note(name, String(decoding: number, as: UTF8.self))
            case .down: transcript.note(name, "down")
            case .unsubscribed, .batchComplete: break
            }
        }
    }

    func end() async {
        for subscription in subscribers.values { subscription.close() }
        publishers = [:]
        await redis.stop()
    }
}
