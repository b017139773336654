internal import NIOCore
internal import NIOWebSocket
internal import WSMCore

/// One viewer: at most one text is on its way to it, and one more waits, the newest.
///
/// What a viewer can make the server keep is bounded: it gets no pong while it does not read, and what it says beside pings
/// and closes is dropped. On its channel's event loop.
final class LiveViewerHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// Viewers have nothing to say but pings and closes.
    static let maxFrameSize = 1 << 10

    private let closeDeadline: TimeAmount
    private let greeting: () -> [String]
    private var context: ChannelHandlerContext?
    /// Texts that are on their way to the kernel: one, or those of the greeting.
    private var isWriting = false
    private var waiting: ByteBuffer?
    /// Whether a close is to follow what waits.
    private var isFinishing = false
    private var isCloseSent = false
    private var cutting: Scheduled<Void>?

    /// - Parameters:
    ///   - closeDeadline: How long the viewer may take to answer a close.
    ///   - greeting: The first texts.
    init(closeDeadline: TimeSpan, greeting: @escaping () -> [String]) {
        self.closeDeadline = .nanoseconds(closeDeadline.nanoseconds)
        self.greeting = greeting
    }

    /// Completes when the socket is gone; `nil` when it is.
    var closed: EventLoopFuture<Void>? { context?.channel.closeFuture }

    var waitingTexts: Int { waiting == nil ? 0 : 1 }

    var bufferedBytes: Int {
        (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// The answer to the upgrade has gone out by now.
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        write(greeting().map { ByteBuffer(string: $0) })
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        waiting = nil
        cutting?.cancel()
    }

    func send(_ text: ByteBuffer) {
        guard !isFinishing, !isCloseSent else { return }
        waiting = text
        writeNext()
    }

    /// Sends `last` after what is on its way, then closes.
    func finish(_ last: ByteBuffer?) {
        guard !isFinishing, !isCloseSent else { return }
        waiting = last
        isFinishing = true
        writeNext()
    }

    /// Ends the connection without a word.
    func cut() { context?.close(promise: nil) }

    private func writeNext() {
        guard !isWriting, !isCloseSent else { return }
        if let text = waiting {
            waiting = nil
            write([text])
        } else if isFinishing {
            sendClose(.normalClosure)
        }
    }

    private func write(_ texts: [ByteBuffer]) {
        guard let context, let last = texts.last else { return }
        isWriting = true
        for text in texts.dropLast() { context.write(wrapOutboundOut(frame(text)), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(frame(last))).assumeIsolated().whenComplete { result in
            self.isWriting = false
            // What fails is on its way out.
            if case .success = result { self.writeNext() }
        }
    }

    private func frame(_ text: ByteBuffer) -> WebSocketFrame { WebSocketFrame(fin: true, opcode: .text, data: text) }

    /// Closes in order; a viewer that does not play its part is cut at the deadline.
    ///
    /// - Parameter isAnswer: Whether there is nothing more to wait for once the close is out.
    private func sendClose(_ code: WebSocketErrorCode, isAnswer: Bool = false) {
        guard let context, !isCloseSent else { return }
        isCloseSent = true
        waiting = nil
        var data = context.channel.allocator.buffer(capacity: 2)
        data.write(webSocketErrorCode: code)
        let written = context.writeAndFlush(
            wrapOutboundOut(WebSocketFrame(fin: true, opcode: .connectionClose, data: data))
        ).assumeIsolated()
        written.whenComplete { _ in if isAnswer { self.cut() } }
        cutting = context.eventLoop.assumeIsolated().scheduleTask(in: closeDeadline) { self.cut() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let received = unwrapInboundIn(data)
        // RFC 6455, 5.1: a client masks every frame.
        guard received.maskKey != nil else { return sendClose(.protocolError, isAnswer: true) }
        switch received.opcode {
        case .ping where !isCloseSent && context.channel.isWritable:
            context.writeAndFlush(
                wrapOutboundOut(WebSocketFrame(fin: true, opcode: .pong, data: received.unmaskedData)), promise: nil)
        case .connectionClose:
            if isCloseSent { return cut() }
            sendClose(.normalClosure, isAnswer: true)
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A breach of the protocol has been answered by the handler before this one, which then closes.
        if error is NIOWebSocketError {
            isCloseSent = true
            cutting = context.eventLoop.assumeIsolated().scheduleTask(in: closeDeadline) { self.cut() }
        } else {
            context.close(promise: nil)
        }
    }
}
