internal import NIOCore
internal import WSMCore
internal import WSMManagers

/// Tells a client that was accepted only to be refused, then waits for its close for a while.
final class RefusedClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let refusal: ClientClose
    private var reader = ClientFrameReader()

    init(_ refusal: ClientClose) {
        self.refusal = refusal
    }

    func handlerAdded(context: ChannelHandlerContext) {
        var frames = context.channel.allocator.buffer(capacity: 160)
        if let text = refusal.lastText { TextFrame.append(text: text, to: &frames) }
        TextFrame.appendClose(code: refusal.code, reason: refusal.reason, to: &frames)
        context.writeAndFlush(NIOAny(frames), promise: nil)
        let channel = context.channel
        let timeout = context.eventLoop.scheduleTask(in: ClientSession.closeTimeout) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in timeout.cancel() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        unwrapInboundIn(data).withUnsafeReadableBytes { bytes in
            reader.read(bytes) { event in
                switch event {
                case .close, .violation: context.close(promise: nil)
                case .text, .binary, .ping, .pong: break
                }
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
