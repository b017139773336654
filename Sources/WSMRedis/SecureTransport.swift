import DequeModule
import NIOCore
import NIOPosix
import WSMCore

/// The socket of a ``BlockingRedisConnection`` over TLS, which hiredis' synchronous context does not know: a channel on an
/// event loop, whose bytes wait here until the connection's thread asks for them.
///
/// Belongs to that thread, like the connection; its event loop must be another thread's. Every wait has a deadline.
final class SecureTransport {
    private struct State {
        var received: Deque<(bytes: ByteBuffer, at: MonotonicInstant)> = []
        var unread = 0
        /// Why nothing more will come.
        var end: String?
    }

    /// How the attempt to connect stands.
    private enum Opening {
        case waiting
        case done(Result<any Channel, any Error>)
        /// Nobody waits any more: a channel that comes now is closed.
        case abandoned
    }

    private typealias Inbox = Monitor<State>

    /// What ended a wait or a write.
    enum Failure: Error {
        case timedOut
        case ended(String)
        case malformed(RedisError)
    }

    /// Most that a connection keeps of unread replies.
    private static let maximumUnreadBytes = 64 << 20

    private let channel: any Channel
    private let inbox: Inbox
    private let decoder = RedisReplyDecoder()
    private var replies: Deque<(value: RedisReply, at: MonotonicInstant)> = []

    /// Connects and secures the connection, before `deadline` has passed.
    init(url: RedisURL, deadline: TimeSpan, on eventLoop: any EventLoop) throws(RedisError) {
        let inbox = Inbox(State())
        let opened = Monitor(Opening.waiting)
        RedisBootstrap.connect(to: url, on: eventLoop, deadline: deadline) { channel in
            try channel.pipeline.syncOperations.addHandler(Collector(inbox))
        }.whenComplete { result in
            let isWanted = opened.update { opening in
                guard case .waiting = opening else { return false }
                opening = .done(result)
                return true
            }
            if !isWanted, case .success(let channel) = result { channel.close(promise: nil) }
        }
        // The attempt ends by itself at the deadline; the second more is for an event loop that is late.
        let result: Result<any Channel, any Error>? = opened.wait(until: .now() + deadline + .seconds(1)) {
            if case .done(let result) = $0 { result } else { nil }
        }
        switch result {
        case .success(let channel)?:
            self.channel = channel
            self.inbox = inbox
        case .failure(let error)?:
            throw error as? RedisError
                ?? RedisError(.connectFailed, "cannot connect to Redis at \(url): \(error)", cause: error)
        case nil:
            let late: (any Channel)? = opened.update { opening in
                defer { opening = .abandoned }
                if case .done(.success(let channel)) = opening { return channel }
                return nil
            }
            late?.close(promise: nil)
            throw RedisBootstrap.timedOut(url: url, deadline: deadline)
        }
    }

    deinit {
        // One that has ended is closed already, and its event loop may be gone with it.
        if inbox.withLock({ $0.end == nil }) { channel.close(promise: nil) }
    }

    /// Hands bytes to the channel, all at once.
    ///
    /// Throws when it is known that nothing can be sent any more: then nothing of them was.
    func write(_ bytes: ByteBuffer) throws(Failure) {
        if let end = inbox.withLock({ $0.end }) { throw .ended(end) }
        channel.writeAndFlush(bytes, promise: nil)
    }

    /// The next reply and the instant at which its last byte was there.
    func nextReply(until end: MonotonicInstant) throws(Failure) -> (value: RedisReply, at: MonotonicInstant) {
        while true {
            if let reply = replies.popFirst() { return reply }
            let next: Result<(bytes: ByteBuffer, at: MonotonicInstant), Failure>? = inbox.wait(until: end) { state in
                if let first = state.received.popFirst() {
                    state.unread -= first.bytes.readableBytes
                    return .success(first)
                }
                return state.end.map { .failure(.ended($0)) }
            }
            guard let next else { throw .timedOut }
            let (bytes, at) = try next.get()
            do throws(RedisError) {
                try decoder.decode(bytes) { replies.append(($0, at)) }
            } catch {
                throw .malformed(error)
            }
        }
    }

    /// Gathers what comes, on the channel's event loop.
    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let inbox: Inbox

        init(_ inbox: Inbox) {
            self.inbox = inbox
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            let at = MonotonicInstant.now()
            let isTooMuch = inbox.update { state in
                state.received.append((bytes, at))
                state.unread += bytes.readableBytes
                return state.unread > SecureTransport.maximumUnreadBytes
            }
            if isTooMuch {
                end("more than \(SecureTransport.maximumUnreadBytes) bytes of replies were not read", context)
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            end("Redis has closed it", context)
            context.fireChannelInactive()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            end("\(error)", context)
        }

        func handlerRemoved(context: ChannelHandlerContext) {
            end("Redis has closed it", context)
        }

        private func end(_ reason: String, _ context: ChannelHandlerContext) {
            inbox.update { $0.end = $0.end ?? reason }
            context.close(promise: nil)
        }
    }
}
