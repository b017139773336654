import NIOCore
import WSMCore

/// The NIO side of ``RedisSubscription``.
///
/// Belongs to its channel's event loop.
final class RedisSubscriptionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        /// The handshake's replies are awaited.
        case greeting(RedisHandshake, EventLoopPromise<Void>)
        case open
        case ended
    }

    private let url: RedisURL
    private let eventLoop: any EventLoop
    private let options: RedisSubscription.Options
    private let receive: RedisSubscription.Handler
    private let decoder: RedisReplyDecoder
    private var state = State.open
    /// Why it has ended, the first word.
    private var reason: RedisError?
    private var context: ChannelHandlerContext?
    private var names = ChannelNameCache()
    private var health: HealthCheck?
    private var timer: Scheduled<Void>?
    private var eventsInBatch = false
    /// Before the handshake the owner has no subscription to hear the end of.
    private var isReported = false

    init(
        url: RedisURL, eventLoop: any EventLoop, options: RedisSubscription.Options,
        receive: @escaping RedisSubscription.Handler
    ) {
        self.url = url
        self.eventLoop = eventLoop
        self.options = options
        self.receive = receive
        decoder = RedisReplyDecoder(limits: options.limits)
    }

    /// The handler could not be added to its channel.
    func abandon() {
        state = .ended
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(connectionLost())
        self.context = nil
    }

    /// Logs in; the future completes when Redis has accepted all of it, and fails at `end`.
    func greet(until end: MonotonicInstant, deadline: TimeSpan) -> EventLoopFuture<Void> {
        eventLoop.assertInEventLoop()
        guard context?.channel.isActive == true else { return eventLoop.makeFailedFuture(reason ?? connectionLost()) }
        let promise = eventLoop.makePromise(of: Void.self)
        let handshake = RedisHandshake(
            url: url, clientName: options.clientName, requiresMaster: options.requiresMaster)
        state = .greeting(handshake, promise)
        setTimer(after: end - eventLoop.instant) {
            self.end(RedisBootstrap.timedOut(url: self.url, deadline: deadline))
        }
        for command in handshake.commands { write(command) }
        context?.flush()
        return promise.futureResult
    }

    func subscribe(_ channels: [ChannelName]) {
        guard !channels.isEmpty else { return }
        for channel in channels { names.insert(channel) }
        write(.onChannels(options.isSharded ? "SSUBSCRIBE" : "SUBSCRIBE", channels))
        context?.flush()
    }

    func unsubscribe(_ channels: [ChannelName]) {
        // Without channels the command would mean all of them.
        guard !channels.isEmpty else { return }
        write(.onChannels(options.isSharded ? "SUNSUBSCRIBE" : "UNSUBSCRIBE", channels))
        context?.flush()
    }

    func setReading(_ reads: Bool) {
        eventLoop.assertInEventLoop()
        guard case .open = state, let context else { return }
        if reads { health?.resume(now: eventLoop.instant) } else { health?.pause() }
        do {
            try context.channel.syncOptions?.setOption(.autoRead, value: reads)
        } catch {
            end(connectionLost(cause: error))
        }
    }

    /// Ends the connection from this side, without an event.
    func close() {
        eventLoop.assertInEventLoop()
        isReported = false
        end(RedisError(.closed, "the connection to Redis at \(url) was closed by its owner"))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        health?.heard(now: eventLoop.instant)
        do throws(RedisError) {
            try decoder.decodeParts(unwrapInboundIn(data)) { handle($0) }
        } catch {
            end(error)
        }
        guard eventsInBatch else { return }
        eventsInBatch = false
        if case .open = state { receive(.batchComplete) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(connectionLost())
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(connectionLost(cause: error))
    }

    private func handle(_ parts: [RedisReplyPart]) {
        switch state {
        case .open: handlePush(parts)
        case .greeting(let handshake, let promise): advance(handshake, promise, by: RedisReply(parts: parts))
        case .ended: break
        }
    }

    private func handlePush(_ parts: [RedisReplyPart]) {
        switch RedisPushFrame(parts) {
        case .message(let channel, let payload):
            report(.message(channel: names.name(channel), payload: payload))
        case .subscribed(let channel): report(.subscribed(names.name(channel)))
        case .unsubscribed(let channel):
            let name = names.name(channel)
            names.remove(name)
            report(.unsubscribed(name))
        case .pong: break
        case .refused(let message): end(.byServer(message))
        case .unknown:
            end(RedisError(.protocolViolation, "Redis at \(url) sent what is no part of Pub/Sub"))
        }
    }

    private func report(_ event: RedisSubscriptionEvent) {
        eventsInBatch = true
        receive(event)
    }

    private func advance(_ handshake: RedisHandshake, _ promise: EventLoopPromise<Void>, by reply: RedisReply) {
        var handshake = handshake
        do throws(RedisError) {
            try handshake.receive(reply)
        } catch {
            return end(error)
        }
        guard handshake.isDone else {
            state = .greeting(handshake, promise)
            return
        }
        state = .open
        isReported = true
        timer?.cancel()
        if let interval = options.healthCheckInterval {
            health = HealthCheck(
                interval: interval, deadline: options.healthCheckDeadline, now: eventLoop.instant)
            checkHealth()
        }
        promise.succeed(())
    }

    private func checkHealth() {
        guard case .open = state, let action = health?.timerFired(now: eventLoop.instant) else { return }
        switch action {
        case .wait(let span): setTimer(after: span) { self.checkHealth() }
        case .ask(let span):
            write(RedisCommand("PING"))
            context?.flush()
            setTimer(after: span) { self.checkHealth() }
        case .dead:
            end(
                RedisError(
                    .timedOut,
                    "Redis at \(url) gave no sign of life within \(options.healthCheckDeadline.seconds) s"))
        }
    }

    private func setTimer(after span: TimeSpan, _ body: @escaping () -> Void) {
        timer?.cancel()
        timer = eventLoop.assumeIsolated().scheduleTask(in: span.timeAmount, body)
    }

    private func write(_ command: RedisCommand) {
        eventLoop.assertInEventLoop()
        guard let context else { return }
        var buffer = context.channel.allocator.buffer(capacity: command.wordBytes + 64)
        do throws(RedisError) {
            try command.encode(into: &buffer)
            context.write(wrapOutboundOut(buffer), promise: nil)
        } catch {
            end(error)
        }
    }

    /// Ends the connection, once; its owner hears of it in the way that its state calls for.
    private func end(_ error: RedisError) {
        let before = state
        if case .ended = before { return }
        state = .ended
        reason = error
        timer?.cancel()
        timer = nil
        context?.close(promise: nil)
        if case .greeting(_, let promise) = before {
            promise.fail(error)
        } else if isReported {
            receive(.down(error))
        }
    }

    private func connectionLost(cause: (any Error)? = nil) -> RedisError {
        RedisError(.connectionLost, "the connection to Redis at \(url) ended", cause: cause)
    }
}
