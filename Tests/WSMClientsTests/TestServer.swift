import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Synchronization
import WSMClients

/// A WebSocket server of NIO's own parts on a free port of 127.0.0.1.
final class TestServer: Sendable {
    /// What the server leaves undone or does otherwise.
    struct Behaviour: Sendable {
        /// Answers the handshake with this status.
        var refusesWith: HTTPResponseStatus?
        var answersCloses = true
        var answersApplicationPings = true
        /// Sent, as raw bytes, to each client as soon as it is there.
        var greeting: [UInt8] = []
    }

    private struct State {
        var channels: [any Channel] = []
        var accepted = 0
        var requests: [HTTPRequestHead] = []
        var closeCodes: [UInt16?] = []
        var pongs: [[UInt8]] = []
        var pings = 0
        /// How connections ended: the error that the socket reported, or 0 for a FIN.
        var ends: [CInt] = []
    }

    private let state = Mutex(State())
    private let listener: any Channel

    private init(listener: any Channel) {
        self.listener = listener
    }

    static func start(_ behaviour: Behaviour = Behaviour()) async throws -> TestServer {
        let box = Mutex<TestServer?>(nil)
        let holder = Holder(box)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try configure(channel, behaviour, holder) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = TestServer(listener: listener)
        holder.set(server)
        return server
    }

    /// Gives the connections their server, which exists only once the port is bound.
    private final class Holder: Sendable {
        private let server: Mutex<TestServer?>
        init(_ server: consuming Mutex<TestServer?>) { self.server = server }
        func set(_ value: TestServer?) { server.withLock { $0 = value } }
        var value: TestServer? { server.withLock { $0 } }
    }

    private static func configure(_ channel: any Channel, _ behaviour: Behaviour, _ holder: Holder) throws {
        let upgrader = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, head in
                holder.value?.state.withLock { $0.requests.append(head) }
                return channel.eventLoop.makeSucceededFuture(behaviour.refusesWith == nil ? HTTPHeaders() : nil)
            },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    guard let server = holder.value else { throw ChannelError.ioOnClosedChannel }
                    let handler = ServerSession(server: server, behaviour: behaviour)
                    try channel.pipeline.syncOperations.addHandler(handler)
                    server.state.withLock {
                        $0.channels.append(channel)
                        $0.accepted += 1
                    }
                    if !behaviour.greeting.isEmpty { try TestServer.write(behaviour.greeting, to: channel) }
                }
            })
        let refusal = RefusalHandler(status: behaviour.refusesWith ?? .internalServerError)
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withServerUpgrade: (
                upgraders: [upgrader],
                completionHandler: { context in
                    context.pipeline.syncOperations.removeHandler(name: "refusal", promise: nil)
                }
            ))
        try channel.pipeline.syncOperations.addHandler(refusal, name: "refusal")
    }

    /// Writes raw bytes past the frame encoder.
    private static func write(_ bytes: [UInt8], to channel: any Channel) throws {
        let context = try channel.pipeline.syncOperations.context(handlerType: WebSocketFrameEncoder.self)
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
    }

    var port: Int { listener.localAddress?.port ?? 0 }
    func endpoint(subprotocols: [String] = []) -> ClientEndpoint {
        ClientEndpoint(host: "127.0.0.1", port: port, path: "/api/ws/events", subprotocols: subprotocols)
    }

    var accepted: Int { state.withLock { $0.accepted } }
    var openConnections: Int { state.withLock { $0.channels.count } }
    var requests: [HTTPRequestHead] { state.withLock { $0.requests } }
    var closeCodes: [UInt16?] { state.withLock { $0.closeCodes } }
    var pongs: [[UInt8]] { state.withLock { $0.pongs } }
    var pings: Int { state.withLock { $0.pings } }
    var ends: [CInt] { state.withLock { $0.ends } }

    /// The addresses that the open connections come from.
    var sources: [String?] { state.withLock { $0.channels.map { $0.remoteAddress?.ipAddress } } }

    /// Whether some connection's outgoing buffer is over its high-water mark.
    var isBackedUp: Bool { state.withLock { $0.channels.contains { !$0.isWritable } } }

    /// Sends raw bytes to every client.
    func send(_ bytes: [UInt8]) {
        for channel in state.withLock({ $0.channels }) {
            channel.eventLoop.execute { try? TestServer.write(bytes, to: channel) }
        }
    }

    /// Closes every connection without a close frame.
    func dropAll() {
        for channel in state.withLock({ $0.channels }) { channel.close(promise: nil) }
    }

    func stop() async throws {
        dropAll()
        try await listener.close()
    }

    fileprivate func note(close code: UInt16?) { state.withLock { $0.closeCodes.append(code) } }
    fileprivate func note(pong: [UInt8]) { state.withLock { $0.pongs.append(pong) } }
    fileprivate func notePing() { state.withLock { $0.pings += 1 } }
    fileprivate func forget(_ channel: any Channel, error: CInt) {
        state.withLock { state in
            state.channels.removeAll { $0 === channel }
            state.ends.append(error)
        }
    }
}

private final class ServerSession: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private let server: TestServer
    private let behaviour: TestServer.Behaviour
    private var error: CInt = 0

    init(server: TestServer, behaviour: TestServer.Behaviour) {
        self.server = server
        self.behaviour = behaviour
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = Self.unwrapInboundIn(data)
        var payload = frame.unmaskedData
        switch frame.opcode {
        case .connectionClose:
            server.note(close: payload.readInteger(as: UInt16.self))
            guard behaviour.answersCloses else { return }
            let answer = WebSocketFrame(fin: true, opcode: .connectionClose, data: frame.unmaskedData)
            context.writeAndFlush(Self.wrapOutboundOut(answer), promise: nil)
            context.close(promise: nil)
        case .pong:
            server.note(pong: Array(payload.readableBytesView))
        case .text where payload.readableBytesView.elementsEqual("__ping__".utf8):
            server.notePing()
            guard behaviour.answersApplicationPings else { return }
            let answer = WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: "__pong__"))
            context.writeAndFlush(Self.wrapOutboundOut(answer), promise: nil)
        default:
            break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        server.forget(context.channel, error: error)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError { self.error = error.errnoCode }
        context.close(promise: nil)
    }
}

/// Answers what was not upgraded.
private final class RefusalHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let status: HTTPResponseStatus
    init(status: HTTPResponseStatus) { self.status = status }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = Self.unwrapInboundIn(data) else { return }
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: ["Content-Length": "0"])
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }
}
