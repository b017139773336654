internal import NIOCore
internal import NIOWebSocket
internal import WSMCore
internal import WSMManagers

/// The end of a client's pipeline: tells the manager what the client says and when it is gone (`receiver`).
///
/// It gets whole messages, since a frame aggregator stands before it.
final class ClientSessionHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private let session: ClientSession
    private let shard: ClientShard
    private let inbox: ManagerInbox
    /// Whether a full socket ends the connection (the slow-client policy), and who is told.
    private let evicts: Bool
    private let onEviction: () -> Void

    init(
        session: ClientSession, shard: ClientShard, inbox: ManagerInbox, evicts: Bool,
        onEviction: @escaping () -> Void
    ) {
        self.session = session
        self.shard = shard
        self.inbox = inbox
        self.evicts = evicts
        self.onEviction = onEviction
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .text: received(text: frame.unmaskedData)
        case .binary: session.close(ClientClose(code: 1003, reason: "Only text messages are understood"))
        case .ping: pong(frame, context)
        case .connectionClose: closed(by: frame, context)
        case .pong, .continuation: break
        default: session.close(ClientClose(code: 1002, reason: "Unknown opcode"))
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        session.isWritable = context.channel.isWritable
        if !session.isWritable, evicts {
            if !session.isClosing {
                onEviction()
                session.drop()
            }
        } else {
            inbox.post(.writabilityChanged(session.id, writable: session.isWritable))
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        shard.unregister(session.id)
        inbox.post(.clientClosed(session.id))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case let error as NIOWebSocketFrameAggregator.Error where error == .accumulatedFrameSizeIsTooLarge:
            session.close(ClientClose(code: 1009, reason: "Message too big"))
        case is NIOWebSocketFrameAggregator.Error:
            session.close(ClientClose(code: 1002, reason: "Bad fragments"))
        case is UnlawfulFrame:
            session.close(ClientClose(code: 1002, reason: "Frames of a client must be masked, without extensions"))
        case let error as NIOWebSocketError:
            session.close(ClientClose(code: error == .invalidFrameLength ? 1009 : 1002))
        // What comes after a broken frame cannot be read; the close frame is on its way.
        default: if !session.isClosing { session.drop() }
        }
    }

    private func received(text: ByteBuffer) {
        let isPing = text.readableBytesView.elementsEqual(ClientText.pingText.utf8)
        inbox.post(.clientText(session.id, isPing ? .ping : .other))
    }

    private func pong(_ ping: WebSocketFrame, _ context: ChannelHandlerContext) {
        guard !session.isClosing else { return }
        let answer = WebSocketFrame(fin: true, opcode: .pong, data: ping.unmaskedData)
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
    }

    /// Answers a close with the same code (RFC 6455, section 5.5.1), unless this is the answer to ours, and hangs up.
    private func closed(by frame: WebSocketFrame, _ context: ChannelHandlerContext) {
        if !session.isClosing {
            var data = frame.unmaskedData
            // A payload of one byte is half a code (RFC 6455, section 5.5.1).
            let code = data.readInteger(as: UInt16.self) ?? (data.readableBytes == 1 ? 1002 : 1000)
            session.close(ClientClose(code: ClientSessionHandler.answer(to: code)))
        }
        context.close(promise: nil)
    }

    /// Codes that may not stand on the wire are answered with a protocol error (RFC 6455, section 7.4).
    static func answer(to code: UInt16) -> UInt16 {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: code
        default: 1002
        }
    }
}
