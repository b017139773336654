import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import WSMCore

/// A WebSocket fan-out in a few lines: what is posted to `/publish` goes to all clients of `/events`, as often as the test
/// wants, and is answered as the test wants.
///
/// All on one event loop, so that every client gets the same order.
final class RelayServer: Sendable {
    /// What becomes of one message.
    struct Treatment: Sendable {
        /// How often each client gets it.
        var copies = 1
        var answer = Answer.status(.accepted)
        /// When the clients get it; `nil`: at once.
        var deliverAt: NIODeadline?
    }

    enum Answer: Sendable {
        case status(HTTPResponseStatus)
        /// The connection is closed without an answer.
        case hangUp
    }

    typealias Treat = @Sendable (ProbeStamp) -> Treatment

    let port: Int
    private let group: MultiThreadedEventLoopGroup
    private let server: any Channel
    /// Every connection, those of publishers too.
    private let connections: NIOLoopBoundBox<[any Channel]>

    private init(
        group: MultiThreadedEventLoopGroup, server: any Channel, connections: NIOLoopBoundBox<[any Channel]>
    ) {
        self.group = group
        self.server = server
        self.connections = connections
        port = server.localAddress?.port ?? 0
    }

    static func start(subprotocol: String? = nil, treat: @escaping Treat = { _ in Treatment() }) async throws
        -> RelayServer
    {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let clients = NIOLoopBoundBox.makeBoxSendingValue(
            [ObjectIdentifier: any Channel](), eventLoop: group.any())
        let connections = NIOLoopBoundBox.makeBoxSendingValue([any Channel](), eventLoop: group.any())
        let server = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                connections.value.append(channel)
                let upgrader = NIOWebSocketServerUpgrader(
                    shouldUpgrade: { channel, head in
                        guard head.uri.hasPrefix("/events") else { return channel.eventLoop.makeSucceededFuture(nil) }
                        let chosen = subprotocol.map { [("Sec-WebSocket-Protocol", $0)] } ?? []
                        return channel.eventLoop.makeSucceededFuture(HTTPHeaders(chosen))
                    },
                    upgradePipelineHandler: { channel, _ in
                        clients.value[ObjectIdentifier(channel)] = channel
                        channel.closeFuture.whenComplete { _ in clients.value[ObjectIdentifier(channel)] = nil }
                        return channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(CloseEcho())
                        }
                    })
                return channel.eventLoop.makeCompletedFuture {
                    let publisher = PublishHandler(clients: clients, treat: treat)
                    let box = NIOLoopBound(publisher, eventLoop: channel.eventLoop)
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                        withServerUpgrade: (
                            upgraders: [upgrader],
                            completionHandler: { context in
                                context.pipeline.syncOperations.removeHandler(box.value, promise: nil)
                            }
                        ))
                    try channel.pipeline.syncOperations.addHandler(publisher)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return RelayServer(group: group, server: server, connections: connections)
    }

    /// Closes the listening socket and every connection, as a crash would.
    func crash() async throws {
        try await server.close()
        try await connections.eventLoop.submit { [connections] in
            for channel in connections.value { channel.close(promise: nil) }
        }.get()
    }

    func stop() async {
        try? await server.close()
        try? await group.shutdownGracefully()
    }
}

/// Answers a close frame with one and closes.
private final class CloseEcho: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = Self.unwrapInboundIn(data)
        guard frame.opcode == .connectionClose else { return }
        let answer = WebSocketFrame(fin: true, opcode: .connectionClose, data: frame.unmaskedData)
        let channel = context.channel
        context.writeAndFlush(Self.wrapOutboundOut(answer)).whenComplete { _ in channel.close(promise: nil) }
    }
}

private final class PublishHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let clients: NIOLoopBoundBox<[ObjectIdentifier: any Channel]>
    private let treat: RelayServer.Treat
    private var path = ""
    private var body = ByteBuffer()

    init(clients: NIOLoopBoundBox<[ObjectIdentifier: any Channel]>, treat: @escaping RelayServer.Treat) {
        self.clients = clients
        self.treat = treat
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            path = head.method == .POST ? head.uri : ""
            body.clear()
        case .body(var part): body.writeBuffer(&part)
        case .end: answer(context)
        }
    }

    private func answer(_ context: ChannelHandlerContext) {
        guard path == "/publish" else { return respond(.notFound, context) }
        guard case .stamped(let stamp, _) = body.withUnsafeReadableBytes({ ProbeStamp.read($0) }) else {
            return respond(.badRequest, context)
        }
        let treatment = treat(stamp)
        let deliver = { @Sendable [clients, body] in
            for _ in 0..<treatment.copies {
                for channel in clients.value.values {
                    channel.writeAndFlush(WebSocketFrame(fin: true, opcode: .text, data: body), promise: nil)
                }
            }
        }
        if let instant = treatment.deliverAt {
            context.eventLoop.scheduleTask(deadline: instant, deliver)
        } else {
            deliver()
        }
        switch treatment.answer {
        case .status(let status): respond(status, context)
        case .hangUp: context.close(promise: nil)
        }
    }

    private func respond(_ status: HTTPResponseStatus, _ context: ChannelHandlerContext) {
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: ["Content-Length": "2"])
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "ok")))), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }
}
