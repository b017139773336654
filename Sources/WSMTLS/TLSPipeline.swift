public import NIOCore
internal import NIOSSL
internal import NIOTLS

extension ChannelPipeline.SynchronousOperations {
    /// The place of TLS in a pipeline; `nil` in one without.
    ///
    /// What its `close` ends is the socket itself, at once and without the end of the encryption; handlers that are to see
    /// plain bytes stand after its handler.
    public var tlsContext: ChannelHandlerContext? {
        (try? context(handlerType: NIOSSLServerHandler.self)) ?? (try? context(handlerType: NIOSSLClientHandler.self))
    }
}

/// Cuts off a client that does not end its TLS handshake in time, and leaves the pipeline when it has.
final class HandshakeDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let deadline: TimeAmount
    private var timer: Scheduled<Void>?

    init(_ deadline: TimeAmount) {
        self.deadline = deadline
    }

    func handlerAdded(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: deadline) {
            let below = context.pipeline.syncOperations.tlsContext ?? context
            below.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
            timer?.cancel()
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }
}

/// Tells when the TLS handshake of a client's channel has ended, and how; stands right after the TLS handler.
///
/// Its owner takes it out of the pipeline when it has learned of the end; a channel that was refused loses it by itself.
/// Whatever comes from the channel meanwhile goes on to the handlers after it.
public final class TLSHandshakeWaiter: ChannelInboundHandler, RemovableChannelHandler {
    public typealias InboundIn = ByteBuffer

    private let promise: EventLoopPromise<Void>
    private let deadline: TimeAmount
    private var timer: Scheduled<Void>?
    private var isDone = false

    /// A waiter for a channel of `eventLoop`; its future fails with a ``TLSError``, at the latest that long after the waiter
    /// was added.
    ///
    /// One that could not be added must be told so by ``abandon()``.
    public init(on eventLoop: any EventLoop, deadline: TimeAmount) {
        promise = eventLoop.makePromise()
        self.deadline = deadline
    }

    /// The waiter could not be added to its channel.
    public func abandon() {
        end(.failure(TLSError(.closedInHandshake, "the connection ended before it was secured")))
    }

    /// Completes when the channel is secured.
    public var finished: EventLoopFuture<Void> { promise.futureResult }

    public func handlerAdded(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: deadline) {
            self.end(.failure(TLSError(.timedOut, "there was no answer in the TLS handshake")))
        }
    }

    public func handlerRemoved(context: ChannelHandlerContext) {
        abandon()
    }

    public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
            end(.success(()))
        }
        context.fireUserInboundEventTriggered(event)
    }

    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(
            .failure(TLSError(in: error) ?? TLSError(.handshakeFailed, "the connection failed: \(error)", cause: error))
        )
        context.fireErrorCaught(error)
    }

    public func channelInactive(context: ChannelHandlerContext) {
        end(.failure(TLSError(.closedInHandshake, "the peer ended the connection during the TLS handshake")))
        context.fireChannelInactive()
    }

    private func end(_ result: Result<Void, any Error>) {
        guard !isDone else { return }
        isDone = true
        timer?.cancel()
        promise.completeWith(result)
    }
}
