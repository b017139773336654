internal import NIOCore
internal import NIOWebSocket

/// Refuses frames that a client may not send: unmasked ones, and those with bits of an extension (RFC 6455, sections
/// 5.1 and 5.2).
///
/// It stands before the aggregator, whose frames have lost their mask.
final class ClientFrameGuard: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = WebSocketFrame

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        guard frame.maskKey != nil, !frame.rsv1, !frame.rsv2, !frame.rsv3 else {
            context.fireErrorCaught(UnlawfulFrame())
            return
        }
        context.fireChannelRead(data)
    }
}

/// A frame that breaks the protocol.
struct UnlawfulFrame: Error {}
