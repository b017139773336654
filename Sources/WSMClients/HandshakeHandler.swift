import NIOCore
import NIOHTTP1
import NIOWebSocket
import WSMRecord

/// Sends the opening handshake and tells the shard when it fails: RFC 6455, section 4.1.
///
/// It sits behind NIO's HTTP client handlers and its upgrade handler, and leaves with them. Confined to the shard's loop.
final class HandshakeHandler<Sink: DeliverySink & SendableMetatype>: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let shard: FleetShard<Sink>
    private let connection: UInt32
    private let endpoint: ClientEndpoint
    private var isFinished = false

    init(shard: FleetShard<Sink>, connection: UInt32, endpoint: ClientEndpoint) {
        self.shard = shard
        self.connection = connection
        self.endpoint = endpoint
    }

    func channelActive(context: ChannelHandlerContext) {
        var headers = HTTPHeaders([("Host", endpoint.authority)])
        if !endpoint.subprotocols.isEmpty {
            headers.add(name: "Sec-WebSocket-Protocol", value: endpoint.subprotocols.joined(separator: ", "))
        }
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: endpoint.path, headers: headers)
        context.write(Self.wrapOutboundOut(.head(head))).assumeIsolated().whenFailure { self.fail($0, context) }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Once it has failed anything may come, raw bytes too: nothing is unwrapped any more.
        guard !isFinished else { return }
        if case .head(let head) = Self.unwrapInboundIn(data) {
            fail(ConnectFailure.status(Int(head.status.code)), context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(error, context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(ConnectFailure.closedInHandshake, context)
        context.fireChannelInactive()
    }

    /// The upgrade handler takes over: from here on this handler says nothing.
    func finish() {
        isFinished = true
    }

    private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
        fail(ConnectFailure.reason(of: error), context)
    }

    private func fail(_ reason: String, _ context: ChannelHandlerContext) {
        guard !isFinished else { return }
        isFinished = true
        shard.attemptFailed(connection, reason)
        context.close(promise: nil)
    }
}

/// Checks the server's handshake as NIO's own upgrader does, and puts a ``ClientSession`` where NIO's upgrader would put
/// its frame decoder.
final class SessionUpgrader<Sink: DeliverySink & SendableMetatype>: NIOHTTPClientProtocolUpgrader {
    let supportedProtocol = "websocket"
    let requiredUpgradeHeaders: [String] = []

    private let shard: FleetShard<Sink>
    private let connection: UInt32
    private let subprotocols: [String]
    private let handshake: HandshakeHandler<Sink>
    private let checker: NIOWebSocketClientUpgrader

    init(
        shard: FleetShard<Sink>, connection: UInt32, subprotocols: [String], handshake: HandshakeHandler<Sink>,
        requestKey: String
    ) {
        self.shard = shard
        self.connection = connection
        self.subprotocols = subprotocols
        self.handshake = handshake
        self.checker = NIOWebSocketClientUpgrader(requestKey: requestKey) { channel, _ in
            channel.eventLoop.makeSucceededVoidFuture()
        }
    }

    func addCustom(upgradeRequestHeaders: inout HTTPHeaders) {
        checker.addCustom(upgradeRequestHeaders: &upgradeRequestHeaders)
    }

    /// The accept key fits, and the server chose no extension, and no subprotocol that was not offered.
    func shouldAllowUpgrade(upgradeResponse response: HTTPResponseHead) -> Bool {
        let chosen = response.headers["Sec-WebSocket-Protocol"]
        return checker.shouldAllowUpgrade(upgradeResponse: response)
            && !response.headers.contains(name: "Sec-WebSocket-Extensions")
            && chosen.count <= 1 && chosen.allSatisfy(subprotocols.contains)
    }

    func upgrade(context: ChannelHandlerContext, upgradeResponse: HTTPResponseHead) -> EventLoopFuture<Void> {
        let pipeline = context.pipeline.syncOperations
        if let expected = shard.expectedRefusal(connection) {
            handshake.finish()
            shard.awaitRefusal(connection, expected, pipeline)
            pipeline.removeHandler(handshake, promise: nil)
        } else if let session = shard.attemptSucceeded(connection, pipeline) {
            handshake.finish()
            // The session may already have been closed by the sink's owner; the handler then leaves with the channel.
            pipeline.removeHandler(handshake).assumeIsolated().whenFailure { _ in session.abandon() }
        } else {
            context.close(promise: nil)
        }
        return context.eventLoop.makeSucceededVoidFuture()
    }
}
