public import NIOCore
public import WSMCore

/// One connection to Redis for commands, pipelined: replies come in the order in which the commands were sent.
///
/// May be used from any thread; futures complete on its event loop. When it ends, all commands that wait fail with the
/// reason, and it stays ended: ``RedisClient`` makes new ones. A command that misses its deadline ends the connection.
public final class RedisConnection: Sendable {
    /// Bounds and defaults of a connection.
    public struct Options: Sendable {
        /// How long a command's reply may take, unless it brings a deadline of its own.
        public var commandDeadline: TimeSpan
        /// How many commands may wait for replies; more fail with `tooManyPending`.
        public var maximumPendingCommands: Int
        /// How many bytes the commands may have that wait for replies.
        public var maximumPendingBytes: Int
        /// What `CLIENT LIST` shows; not set when `nil`.
        public var clientName: String?
        /// Whether the server must be a master: a replica is refused with `notMaster`.
        public var requiresMaster = false
        public var limits: RedisReplyDecoder.Limits

        public init(
            commandDeadline: TimeSpan = .seconds(10), maximumPendingCommands: Int = 65_536,
            maximumPendingBytes: Int = 64 << 20, clientName: String? = nil,
            limits: RedisReplyDecoder.Limits = RedisReplyDecoder.Limits()
        ) {
            self.commandDeadline = commandDeadline
            self.maximumPendingCommands = maximumPendingCommands
            self.maximumPendingBytes = maximumPendingBytes
            self.clientName = clientName
            self.limits = limits
        }
    }

    public let eventLoop: any EventLoop
    public let url: RedisURL
    /// Completes when the connection has ended: with the reason, or `nil` after ``close()``.
    public let ended: EventLoopFuture<RedisError?>

    private let channel: any Channel
    private let handler: NIOLoopBound<RedisCommandHandler>
    private let options: Options

    private init(
        url: RedisURL, channel: any Channel, handler: NIOLoopBound<RedisCommandHandler>,
        ended: EventLoopFuture<RedisError?>, options: Options
    ) {
        self.url = url
        self.channel = channel
        self.handler = handler
        self.ended = ended
        self.options = options
        eventLoop = channel.eventLoop
    }

    /// Completes when the channel is closed, for whatever reason; see ``ended`` for the reason.
    public var closeFuture: EventLoopFuture<Void> { channel.closeFuture }

    /// Connects, logs in and selects the database.
    ///
    /// All of it must be done before `deadline` has passed.
    ///
    /// Fails with a ``RedisError``: `connectFailed`, `timedOut`, `authenticationFailed`, `serverError` or
    /// `protocolViolation`.
    public static func connect(
        to url: RedisURL, on eventLoop: any EventLoop, deadline: TimeSpan, options: Options = Options()
    ) -> EventLoopFuture<RedisConnection> {
        let end = eventLoop.instant + deadline
        // Not looked up in the pipeline: a peer that says something else may have ended the channel before, and the handler knows.
        let made = NIOLoopBoundBox.makeEmptyBox(valueType: RedisCommandHandler.self, eventLoop: eventLoop)
        let opened = RedisBootstrap.connect(to: url, on: eventLoop, deadline: deadline) { channel in
            let handler = RedisCommandHandler(
                url: url, eventLoop: channel.eventLoop,
                bounds: .init(commands: options.maximumPendingCommands, bytes: options.maximumPendingBytes),
                limits: options.limits)
            made.value = handler
            do {
                try channel.pipeline.syncOperations.addHandler(handler)
            } catch {
                handler.abandon()
                throw error
            }
        }
        return opened.flatMap { channel in
            guard let handler = made.value else {
                return channel.eventLoop.makeFailedFuture(
                    RedisError(.connectionLost, "the connection to Redis at \(url) ended at once"))
            }
            let connection = RedisConnection(
                url: url, channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop),
                ended: handler.endedFuture, options: options)
            return connection.greet(deadline: end - eventLoop.instant).map { connection }
                .flatMapErrorThrowing { error in
                    connection.close()
                    guard (error as? RedisError)?.code == .timedOut else { throw error }
                    throw RedisBootstrap.timedOut(url: url, deadline: deadline, cause: error)
                }
        }
    }

    /// Sends the words as one command.
    ///
    /// The reply is also what Redis answers with an error (``RedisReply/error(_:)``).
    public func send(_ command: RedisCommand, deadline: TimeSpan? = nil) -> EventLoopFuture<RedisReply> {
        let promise = eventLoop.makePromise(of: RedisReply.self)
        let deadline = deadline ?? options.commandDeadline
        if eventLoop.inEventLoop {
            handler.value.send(command, deadline: deadline, promise: promise)
        } else {
            eventLoop.execute { [handler] in handler.value.send(command, deadline: deadline, promise: promise) }
        }
        return promise.futureResult
    }

    /// Sends words in UTF-8 as one command.
    public func send(_ words: String...) -> EventLoopFuture<RedisReply> {
        send(RedisCommand(words))
    }

    /// Sends words of any bytes as one command.
    public func send(_ arguments: [[UInt8]]) -> EventLoopFuture<RedisReply> {
        send(RedisCommand(arguments))
    }

    /// Sends words of any bytes as one command.
    public func send(_ arguments: [ByteBuffer]) -> EventLoopFuture<RedisReply> {
        send(RedisCommand(arguments))
    }

    /// Ends the connection at once; commands that wait fail with the code `closed`.
    public func close() {
        if eventLoop.inEventLoop {
            handler.value.close()
        } else {
            eventLoop.execute { [handler] in handler.value.close() }
        }
    }

    /// Sends the handshake in one go and checks its replies.
    private func greet(deadline: TimeSpan) -> EventLoopFuture<Void> {
        let handshake = RedisHandshake(
            url: url, clientName: options.clientName, requiresMaster: options.requiresMaster)
        let replies = handshake.commands.map { send($0, deadline: deadline) }
        return EventLoopFuture.whenAllSucceed(replies, on: eventLoop).flatMapThrowing { replies in
            var handshake = handshake
            for reply in replies { try handshake.receive(reply) }
        }
    }
}
