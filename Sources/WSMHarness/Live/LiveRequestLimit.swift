internal import NIOCore

/// Bounds what a connection may say before it has become a WebSocket: the parser of heads behind it keeps whatever comes.
///
/// Gone once the connection is a WebSocket, whose frames have a bound of their own.
final class LiveRequestLimit: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// A browser's head has a few hundred bytes, and some kilobytes with cookies of other servers on this machine.
    static let bytes = 32 << 10

    private var seen = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        seen += unwrapInboundIn(data).readableBytes
        guard seen <= Self.bytes else { return context.close(promise: nil) }
        context.fireChannelRead(data)
    }
}
