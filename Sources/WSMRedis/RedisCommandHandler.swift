import NIOCore
import WSMCore

/// The NIO side of ``RedisConnection``: commands out in order, replies in, deadlines by one timer.
///
/// Belongs to its channel's event loop.
final class RedisCommandHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let decoder: RedisReplyDecoder
    private var queue: RedisCommandQueue<EventLoopPromise<RedisReply>>
    private var context: ChannelHandlerContext?
    private var timer: (scheduled: Scheduled<Void>, at: MonotonicInstant)?
    private var flushIsDue = false
    private let eventLoop: any EventLoop
    private let ended: EventLoopPromise<RedisError?>
    private let url: RedisURL
    /// Why the connection is about to end, known before the channel is inactive.
    private var reason: RedisError?

    /// A handler to be added to a channel of `eventLoop`; one that never is must be told so by ``abandon()``.
    init(
        url: RedisURL, eventLoop: any EventLoop, bounds: RedisCommandQueue<EventLoopPromise<RedisReply>>.Bounds,
        limits: RedisReplyDecoder.Limits
    ) {
        self.url = url
        self.eventLoop = eventLoop
        ended = eventLoop.makePromise()
        decoder = RedisReplyDecoder(limits: limits)
        queue = RedisCommandQueue(bounds: bounds)
    }

    /// Completes once the connection has ended: with `nil` if this side closed it.
    var endedFuture: EventLoopFuture<RedisError?> { ended.futureResult }

    /// The handler could not be added to its channel.
    func abandon() {
        end(connectionLost())
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(reason ?? connectionLost())
        self.context = nil
    }

    /// Sends `command`; its reply must come within `deadline`.
    ///
    /// On the event loop.
    func send(_ command: RedisCommand, deadline: TimeSpan, promise: EventLoopPromise<RedisReply>) {
        eventLoop.assertInEventLoop()
        guard let context else { return promise.fail(reason ?? connectionLost()) }
        let due = eventLoop.instant + deadline
        var buffer = context.channel.allocator.buffer(capacity: command.wordBytes + 64)
        do throws(RedisError) {
            try command.encode(into: &buffer)
        } catch {
            return promise.fail(error)
        }
        switch queue.submit(promise, bytes: buffer.readableBytes, deadline: due) {
        case .refuse(let error): promise.fail(error)
        case .write:
            context.write(wrapOutboundOut(buffer), promise: nil)
            flushSoon()
            setTimer(for: due)
        }
    }

    /// Ends the connection from this side.
    ///
    /// On the event loop.
    func close() {
        eventLoop.assertInEventLoop()
        end(RedisError(.closed, "the connection to Redis at \(url) was closed by its owner"))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do throws(RedisError) {
            try decoder.decode(unwrapInboundIn(data)) { reply in
                switch queue.replyArrived() {
                case .complete(let promise): promise.succeed(reply)
                case .violation(let error): end(error)
                case .ignore: break
                }
            }
        } catch {
            end(error)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(reason ?? connectionLost())
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(connectionLost(cause: error))
    }

    /// Fails all that waits, once, and closes the channel.
    private func end(_ error: RedisError) {
        guard reason == nil else { return }
        reason = error
        timer?.scheduled.cancel()
        timer = nil
        for promise in queue.end(error) { promise.fail(error.afterSending()) }
        ended.succeed(error.code == .closed ? nil : error)
        context?.close(promise: nil)
    }

    private func connectionLost(cause: (any Error)? = nil) -> RedisError {
        RedisError(.connectionLost, "the connection to Redis at \(url) ended", cause: cause)
    }

    /// One flush for all commands that are sent in the same round of the event loop.
    private func flushSoon() {
        guard !flushIsDue else { return }
        flushIsDue = true
        eventLoop.assumeIsolated().execute {
            self.flushIsDue = false
            self.context?.flush()
        }
    }

    /// Makes the timer fire no later than `due`; it looks for the next deadline itself when it fires.
    private func setTimer(for due: MonotonicInstant) {
        if let timer, timer.at <= due { return }
        timer?.scheduled.cancel()
        let at = NIODeadline.uptimeNanoseconds(UInt64(clamping: due.nanoseconds))
        let scheduled = eventLoop.assumeIsolated().scheduleTask(deadline: at) { self.timerFired() }
        timer = (scheduled, due)
    }

    private func timerFired() {
        timer = nil
        switch queue.timerFired(now: eventLoop.instant) {
        case .idle: break
        case .wait(let until): setTimer(for: until)
        case .timedOut(let error): end(error)
        }
    }
}
