internal import NIOCore
internal import NIOHTTP1
internal import NIOWebSocket
internal import WSMCore
internal import WSMManagers

/// The way from an HTTP request for `/api/ws/events` to a client of the manager.
struct WebSocketUpgrade: Sendable {
    static let path = "/api/ws/events"
    /// The largest frame that a client may send, in bytes; a larger one is answered with close 1009.
    static let maxFrameSize = 64 << 10

    let manager: LiveWebSocketManager
    let authenticator: any SocketAuthenticator

    /// The upgrader for one connection.
    func makeUpgrader() -> NIOWebSocketServerUpgrader {
        NIOWebSocketServerUpgrader(
            maxFrameSize: Self.maxFrameSize, automaticErrorHandling: false,
            shouldUpgrade: { channel, head in
                guard Self.pathOf(head.uri) == Self.path else { return channel.eventLoop.makeSucceededFuture(nil) }
                var headers = HTTPHeaders()
                if case .token = Subprotocol(headers: head.headers["sec-websocket-protocol"]) {
                    headers.add(name: "Sec-WebSocket-Protocol", value: Subprotocol.name)
                }
                return channel.eventLoop.makeSucceededFuture(headers)
            },
            upgradePipelineHandler: { channel, head in welcome(channel, head) })
    }

    static func pathOf(_ uri: String) -> Substring { uri.prefix { $0 != "?" } }

    /// `websocket_events`: a malformed header closes 1002, a refused client is told and closed 1008, any other connects.
    private func welcome(_ socket: any Channel, _ head: HTTPRequestHead) -> EventLoopFuture<Void> {
        let token: String
        switch Subprotocol(headers: head.headers["sec-websocket-protocol"]) {
        case .malformed:
            return refuse(socket, ClientClose(code: 1002))
        case .none: token = ""
        case .token(let given): token = given
        }
        let label = Self.label(of: head.uri)
        let decision = authenticator.authenticate(token: token, on: socket.eventLoop)
        return decision.flatMapWithEventLoop { decision, loop in
            if let message = decision.errorMessage {
                return refuse(socket, ClientClose(code: 1008, lastText: message))
            }
            return loop.makeCompletedFuture {
                try manager.connect(socket, to: .events, label: label)
            }
        }
    }

    private func refuse(_ socket: any Channel, _ close: ClientClose) -> EventLoopFuture<Void> {
        socket.eventLoop.makeCompletedFuture {
            try socket.pipeline.syncOperations.addHandler(RefusedClientHandler(close))
        }
    }

    /// The value of `client` in the request's query.
    static func label(of uri: String) -> String? {
        guard let query = uri.split(separator: "?", maxSplits: 1).dropFirst().first else { return nil }
        let pair = query.split(separator: "&").first { $0.hasPrefix("client=") }
        return pair.map { String($0.dropFirst("client=".count)) }
    }
}

/// Tells a client that was accepted only to be refused, then waits for its close for a while.
private final class RefusedClientHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private let close: ClientClose
    private var isTold = false

    init(_ close: ClientClose) {
        self.close = close
    }

    func handlerAdded(context: ChannelHandlerContext) {
        // The answer to the upgrade goes out first: this handler is added before it is written.
        context.eventLoop.assumeIsolated().execute { self.tell(context) }
    }

    private func tell(_ context: ChannelHandlerContext) {
        guard !isTold else { return }
        isTold = true
        if let text = close.lastText {
            let message = WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: text))
            context.write(wrapOutboundOut(message), promise: nil)
        }
        var data = context.channel.allocator.buffer(capacity: 2)
        data.writeInteger(close.code)
        let frame = WebSocketFrame(fin: true, opcode: .connectionClose, data: data)
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
        let channel = context.channel
        let timeout = context.eventLoop.scheduleTask(in: ClientSession.closeTimeout) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in timeout.cancel() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if unwrapInboundIn(data).opcode == .connectionClose { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
