public import NIOCore
public import WSMCore

/// What happens on a ``RedisSubscription``, in the order of the wire.
public enum RedisSubscriptionEvent: Sendable, Hashable {
    /// Redis has confirmed: what is published from now on arrives.
    case subscribed(ChannelName)
    /// Redis has confirmed: nothing more arrives on this channel.
    case unsubscribed(ChannelName)
    /// The payload is a slice of the receive buffer, which it keeps alive.
    case message(channel: ChannelName, payload: ByteBuffer)
    /// All events of one read from the socket have been handed over: the moment to flush what they caused.
    case batchComplete
    /// The connection has ended by itself; the last event.
    ///
    /// Does not come after ``RedisSubscription/close()``.
    case down(RedisError)
}

/// One connection to Redis for Pub/Sub.
///
/// Its methods may be called from any thread; events come on its event loop, one at a time. It ends at the first failure:
/// ``RedisClient`` makes new ones and resubscribes.
public final class RedisSubscription: Sendable {
    /// How a subscription reads and how it notices a dead peer.
    public struct Options: Sendable {
        /// After this long a silence Redis is asked for a sign of life; `nil` never asks.
        public var healthCheckInterval: TimeSpan?
        /// How long Redis may take to give it.
        public var healthCheckDeadline: TimeSpan
        /// What `CLIENT LIST` shows; not set when `nil`.
        public var clientName: String?
        /// Upper bound of one read from the socket; small streams use small buffers.
        public var maximumReadBytes: Int
        /// Reads of one turn of the event loop, each a batch.
        public var maximumReads: Int
        /// Whether the server must be a master: a replica is refused with `notMaster`.
        public var requiresMaster = false
        /// Whether channels are sharded (`SSUBSCRIBE`): the server is the node of a cluster that has their slots.
        public var isSharded = false
        public var limits: RedisReplyDecoder.Limits

        public init(
            healthCheckInterval: TimeSpan? = .seconds(10), healthCheckDeadline: TimeSpan = .seconds(5),
            clientName: String? = nil, maximumReadBytes: Int = 256 << 10, maximumReads: Int = 16,
            limits: RedisReplyDecoder.Limits = RedisReplyDecoder.Limits()
        ) {
            self.healthCheckInterval = healthCheckInterval
            self.healthCheckDeadline = healthCheckDeadline
            self.clientName = clientName
            self.maximumReadBytes = maximumReadBytes
            self.maximumReads = maximumReads
            self.limits = limits
        }
    }

    /// Receives the events, on the event loop of the subscription.
    public typealias Handler = @Sendable (RedisSubscriptionEvent) -> Void

    public let eventLoop: any EventLoop
    public let url: RedisURL

    private let channel: any Channel
    private let handler: NIOLoopBound<RedisSubscriptionHandler>

    private init(url: RedisURL, channel: any Channel, handler: NIOLoopBound<RedisSubscriptionHandler>) {
        self.url = url
        self.channel = channel
        self.handler = handler
        eventLoop = channel.eventLoop
    }

    /// Completes when the channel is closed, for whatever reason.
    public var closeFuture: EventLoopFuture<Void> { channel.closeFuture }

    /// Connects and logs in, before `deadline` has passed; nothing is subscribed yet.
    ///
    /// Fails with a ``RedisError``: `connectFailed`, `timedOut`, `authenticationFailed`, `serverError` or
    /// `protocolViolation`. A failure to connect is no `.down` event.
    public static func connect(
        to url: RedisURL, on eventLoop: any EventLoop, deadline: TimeSpan, options: Options = Options(),
        handler: @escaping Handler
    ) -> EventLoopFuture<RedisSubscription> {
        let end = eventLoop.instant + deadline
        // Not looked up in the pipeline: a peer that says something else may have ended the channel before, and the handler knows.
        let made = NIOLoopBoundBox.makeEmptyBox(valueType: RedisSubscriptionHandler.self, eventLoop: eventLoop)
        let opened = RedisBootstrap.connect(to: url, on: eventLoop, deadline: deadline) { channel in
            let buffers = AdaptiveRecvByteBufferAllocator(
                minimum: min(1024, options.maximumReadBytes), initial: min(4096, options.maximumReadBytes),
                maximum: options.maximumReadBytes)
            try channel.syncOptions?.setOption(.recvAllocator, value: buffers)
            try channel.syncOptions?.setOption(.maxMessagesPerRead, value: UInt(options.maximumReads))
            let pubSub = RedisSubscriptionHandler(
                url: url, eventLoop: channel.eventLoop, options: options, receive: handler)
            made.value = pubSub
            do {
                try channel.pipeline.syncOperations.addHandler(pubSub)
            } catch {
                pubSub.abandon()
                throw error
            }
        }
        return opened.flatMap { channel in
            guard let pubSub = made.value else {
                return channel.eventLoop.makeFailedFuture(
                    RedisError(.connectionLost, "the connection to Redis at \(url) ended at once"))
            }
            let subscription = RedisSubscription(
                url: url, channel: channel, handler: NIOLoopBound(pubSub, eventLoop: channel.eventLoop))
            return pubSub.greet(until: end, deadline: deadline).map { subscription }
        }
    }

    /// Asks for the messages of `channels`; each is confirmed by a `.subscribed`.
    public func subscribe(_ channels: [ChannelName]) {
        onLoop { $0.subscribe(channels) }
    }

    /// Asks for the messages of `channel`, confirmed by a `.subscribed`.
    public func subscribe(_ channel: ChannelName) {
        subscribe([channel])
    }

    /// Asks for no more messages of `channels`; each is confirmed by an `.unsubscribed`.
    public func unsubscribe(_ channels: [ChannelName]) {
        onLoop { $0.unsubscribe(channels) }
    }

    /// Asks for no more messages of `channel`, confirmed by an `.unsubscribed`.
    public func unsubscribe(_ channel: ChannelName) {
        unsubscribe([channel])
    }

    /// Reads no more from the socket until ``resumeReading()``: what comes then waits in the kernel, and at last in Redis,
    /// which ends the connection when its `client-output-buffer-limit` is reached.
    ///
    /// Messages of the read under way are still handed over. The health check rests meanwhile.
    public func pauseReading() {
        onLoop { $0.setReading(false) }
    }

    /// Reads again after ``pauseReading()``.
    public func resumeReading() {
        onLoop { $0.setReading(true) }
    }

    /// Ends the connection at once.
    ///
    /// No event comes after it when it is called on the event loop.
    public func close() {
        onLoop { $0.close() }
    }

    private func onLoop(_ body: @escaping @Sendable (RedisSubscriptionHandler) -> Void) {
        if eventLoop.inEventLoop {
            body(handler.value)
        } else {
            eventLoop.execute { [handler] in body(handler.value) }
        }
    }
}
