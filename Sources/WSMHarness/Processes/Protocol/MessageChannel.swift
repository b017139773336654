internal import NIOCore
internal import NIOPosix

/// Carries messages between a run and one of its processes over a connected socket; both ends use it.
///
/// What the messages say is none of its business: another carrier, for a process on another host, has the same three verbs.
final class MessageChannel: Sendable {
    private let channel: any Channel

    private init(channel: any Channel) { self.channel = channel }

    /// - Parameters:
    ///   - descriptor: A connected stream socket, which belongs to the channel from now on.
    ///   - received: Called with each message in order, on the channel's event loop.
    ///   - closed: Called once, when no more messages come, on the channel's event loop.
    static func open(
        descriptor: CInt, on group: any EventLoopGroup, received: @escaping @Sendable (ByteBuffer) -> Void,
        closed: @escaping @Sendable () -> Void
    ) async throws -> MessageChannel {
        let bootstrap = ClientBootstrap(group: group).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let operations = channel.pipeline.syncOperations
                try operations.addHandler(ByteToMessageHandler(MessageFrameDecoder()))
                try operations.addHandler(MessageHandler(received: received, closed: closed))
            }
        }
        return MessageChannel(channel: try await bootstrap.withConnectedSocket(descriptor).get())
    }

    /// Sends a message; one that cannot be sent any more is dropped, since its receiver is gone.
    func send(_ message: [UInt8]) {
        channel.writeAndFlush(MessageFrameDecoder.frame(message), promise: nil)
    }

    func close() { channel.close(promise: nil) }

    var eventLoop: any EventLoop { channel.eventLoop }
}

private final class MessageHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let received: @Sendable (ByteBuffer) -> Void
    private let closed: @Sendable () -> Void

    init(received: @escaping @Sendable (ByteBuffer) -> Void, closed: @escaping @Sendable () -> Void) {
        self.received = received
        self.closed = closed
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { received(unwrapInboundIn(data)) }

    func channelInactive(context: ChannelHandlerContext) { closed() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
