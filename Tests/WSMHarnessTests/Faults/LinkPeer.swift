import NIOCore
import NIOPosix
import Synchronization

/// One end of a TCP connection that keeps what it received and how the connection ended.
final class LinkPeer: Sendable {
    struct Seen {
        var bytes: [UInt8] = []
        /// The other side's FIN.
        var ended = false
        /// The error that the socket reported, a reset for instance.
        var error: Int32?
        var isOpen = true

        /// Whether nothing more can come; NIO closes at a FIN when this side has finished already.
        var hasEnded: Bool { ended || !isOpen }
    }

    let channel: any Channel
    private let state = Mutex(Seen())

    init(_ channel: any Channel) { self.channel = channel }

    var seen: Seen { state.withLock { $0 } }
    var received: [UInt8] { seen.bytes }
    var wasReset: Bool { seen.error == ECONNRESET }

    static func connect(to port: Int) async throws -> LinkPeer {
        let box = Mutex<LinkPeer?>(nil)
        _ = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let peer = LinkPeer(channel)
                    box.withLock { $0 = peer }
                    try channel.pipeline.syncOperations.addHandler(PeerHandler(peer, onBytes: nil))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        guard let peer = box.withLock({ $0 }) else { throw ChannelError.ioOnClosedChannel }
        return peer
    }

    func send(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
    func finish() { channel.close(mode: .output, promise: nil) }
    func close() { channel.close(promise: nil) }

    fileprivate func note(_ change: (inout Seen) -> Void) { state.withLock { change(&$0) } }
}

/// A TCP server that keeps its peers; `echoes`: sends back what it gets, and its FIN after the client's.
final class LinkServer: Sendable {
    private let listener: any Channel
    private let connected: Connected

    private final class Connected: Sendable {
        let peers = Mutex<[LinkPeer]>([])
    }

    private init(_ listener: any Channel, _ connected: Connected) {
        self.listener = listener
        self.connected = connected
    }

    static func start(echoes: Bool, unixSocket: String? = nil) async throws -> LinkServer {
        let connected = Connected()
        let bootstrap = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let peer = LinkPeer(channel)
                    connected.peers.withLock { $0.append(peer) }
                    let echo: ((ByteBuffer) -> Void)? =
                        echoes ? { channel.writeAndFlush($0, promise: nil) } : nil
                    try channel.pipeline.syncOperations.addHandler(PeerHandler(peer, onBytes: echo))
                }
            }
        let bound =
            unixSocket.map { bootstrap.bind(unixDomainSocketPath: $0) } ?? bootstrap.bind(host: "127.0.0.1", port: 0)
        return LinkServer(try await bound.get(), connected)
    }

    var peers: [LinkPeer] { connected.peers.withLock { $0 } }
    var address: SocketAddress {
        get throws {
            guard let address = listener.localAddress else { throw ChannelError.unknownLocalAddress }
            return address
        }
    }

    func stop() async throws {
        for peer in peers { peer.close() }
        try await listener.close()
    }
}

private final class PeerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let peer: LinkPeer
    /// Sends back; `nil`: keeps to itself.
    private let onBytes: ((ByteBuffer) -> Void)?

    init(_ peer: LinkPeer, onBytes: ((ByteBuffer) -> Void)?) {
        self.peer = peer
        self.onBytes = onBytes
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = Self.unwrapInboundIn(data)
        peer.note { $0.bytes.append(contentsOf: buffer.readableBytesView) }
        onBytes?(buffer)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else { return }
        peer.note { $0.ended = true }
        if onBytes != nil {
            let channel = context.channel
            // Closing drops what has not left yet.
            context.writeAndFlush(NIOAny(ByteBuffer())).whenComplete { _ in channel.close(promise: nil) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        peer.note { $0.isOpen = false }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError { peer.note { $0.error = error.errnoCode } }
        context.close(promise: nil)
    }
}
