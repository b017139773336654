import NIOCore

/// Tells a relayed connection what one of its sockets does.
///
/// Confined to the relay's loop.
final class LinkEndHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: LinkConnection
    private let side: LinkConnection.Side
    private var isBroken = false

    init(_ connection: LinkConnection, _ side: LinkConnection.Side) {
        self.connection = connection
        self.side = side
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.received(Self.unwrapInboundIn(data), from: side)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        connection.writabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { connection.ended(side, .finished) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.ended(side, isBroken ? .broken : .closed)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isBroken = true
        context.close(promise: nil)
    }
}
