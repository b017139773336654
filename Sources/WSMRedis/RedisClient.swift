public import NIOCore
public import WSMCore

/// What happens with the subscriptions of a ``RedisClient``.
public enum RedisClientEvent: Sendable, Hashable {
    /// Redis has confirmed the channel, on the first connection or a later one.
    case subscribed(ChannelName)
    /// Nothing more comes on this channel.
    case unsubscribed(ChannelName)
    /// The payload is a slice of the receive buffer, which it keeps alive.
    case message(channel: ChannelName, payload: ByteBuffer)
    /// All messages of one read from the socket have been handed over.
    case batchComplete
    /// The connection ended or could not be made; it is tried again.
    ///
    /// What is published meanwhile is lost.
    case down(RedisError, retryAfter: TimeSpan)
    /// All channels are subscribed again, this long after the connection ended.
    case resubscribed(after: TimeSpan)
}

/// A client that outlives its connections: reconnects with backoff, subscribes again, and says so.
///
/// It has one connection for commands and one for Pub/Sub, each made when first needed. A command waits for the connection
/// until its deadline; one that was sent and lost its connection fails with ``RedisError/maybePublished`` and is never
/// sent twice. May be used from any thread; events and futures come on its event loop.
public final class RedisClient: Sendable {
    /// How the client connects and what it bounds.
    public struct Options: Sendable {
        /// How long one try to connect may take.
        public var connectDeadline: TimeSpan
        public var backoff: BackoffPolicy
        public var connection: RedisConnection.Options
        public var subscription: RedisSubscription.Options
        /// How many commands may wait for a connection; more fail with `tooManyPending`.
        public var maximumWaitingCommands: Int

        public init(
            connectDeadline: TimeSpan = .seconds(5),
            backoff: BackoffPolicy = BackoffPolicy(initial: .milliseconds(50), max: .seconds(5)),
            connection: RedisConnection.Options = .init(), subscription: RedisSubscription.Options = .init(),
            maximumWaitingCommands: Int = 1024
        ) {
            self.connectDeadline = connectDeadline
            self.backoff = backoff
            self.connection = connection
            self.subscription = subscription
            self.maximumWaitingCommands = maximumWaitingCommands
        }
    }

    /// Receives the events, on the client's event loop.
    public typealias Handler = @Sendable (RedisClientEvent) -> Void

    public let eventLoop: any EventLoop
    public let url: RedisURL

    private let options: Options
    private let core: NIOLoopBoundBox<Core>

    /// The two halves, which belong to the event loop.
    struct Core {
        let commands: RedisCommandLink
        let subscriber: RedisSubscriberLink
    }

    /// A client that connects when it is first used; `random` gives the jitter of its reconnects.
    public init(
        url: RedisURL, on eventLoop: any EventLoop, options: Options = Options(), random: CounterRNG,
        handler: @escaping Handler = { _ in }
    ) {
        self.url = url
        self.eventLoop = eventLoop
        self.options = options
        core = NIOLoopBoundBox.makeBoxSendingValue(
            Core(
                commands: RedisCommandLink(url: url, eventLoop: eventLoop, options: options, random: random),
                subscriber: RedisSubscriberLink(
                    url: url, eventLoop: eventLoop, options: options, random: random, receive: handler)),
            eventLoop: eventLoop)
    }

    /// Sends a command, once there is a connection; all of it must be done before the deadline has passed.
    public func send(_ command: RedisCommand, deadline: TimeSpan? = nil) -> EventLoopFuture<RedisReply> {
        let promise = eventLoop.makePromise(of: RedisReply.self)
        let deadline = deadline ?? options.connection.commandDeadline
        onLoop { $0.commands.send(command, deadline: deadline, promise: promise) }
        return promise.futureResult
    }

    /// Sends words in UTF-8 as one command.
    public func send(_ words: String...) -> EventLoopFuture<RedisReply> {
        send(RedisCommand(words))
    }

    /// Publishes a message and says how many subscribers Redis gave it to.
    public func publish(_ payload: some Collection<UInt8>, to channel: ChannelName) -> EventLoopFuture<Int> {
        send(.publish(payload, to: channel)).flatMapThrowing { reply in
            guard case .integer(let count) = try reply.success() else {
                throw RedisError(.protocolViolation, "Redis answered PUBLISH with no number")
            }
            return Int(count)
        }
    }

    /// Wants the messages of `channels` from now on, over all reconnects.
    public func subscribe(_ channels: [ChannelName]) {
        onLoop { $0.subscriber.subscribe(channels) }
    }

    /// Wants no more messages of `channels`.
    public func unsubscribe(_ channels: [ChannelName]) {
        onLoop { $0.subscriber.unsubscribe(channels) }
    }

    /// Ends both connections for good; commands that wait fail with the code `closed`.
    ///
    /// A client that is let go of without it keeps its connections.
    public func close() {
        onLoop { core in
            core.commands.close()
            core.subscriber.close()
        }
    }

    private func onLoop(_ body: @escaping @Sendable (Core) -> Void) {
        if eventLoop.inEventLoop {
            body(core.value)
        } else {
            eventLoop.execute { [core] in body(core.value) }
        }
    }
}
