import NIOCore
import NIOPosix
import Synchronization

/// A TCP relay that hands every byte of its connections to a meddler, which sends on what it likes.
final class Relay: Sendable {
    private let target = Mutex<Int?>(nil)
    private let listener = Mutex<(any Channel)?>(nil)
    private let lines = Mutex<[ObjectIdentifier: any Channel]>([:])

    /// Listens on a free port of 127.0.0.1; `makeMeddler` is called once a connection, on its event loop.
    static func start(makeMeddler: @escaping @Sendable () -> any Meddler) async throws -> Relay {
        let relay = Relay()
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let line = Line(client: channel, meddler: makeMeddler())
                    try channel.pipeline.syncOperations.addHandler(LineEnd(line, isClient: true))
                    guard let port = relay.target.withLock({ $0 }) else { throw ChannelError.ioOnClosedChannel }
                    relay.remember(channel)
                    line.connect(to: port)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        relay.listener.withLock { $0 = channel }
        return relay
    }

    /// The port that it listens on.
    var port: Int { listener.withLock { $0?.localAddress?.port ?? 0 } }

    /// Where connections go from now on.
    func aim(at port: Int) { target.withLock { $0 = port } }

    /// Ends all connections and the listening.
    func stop() async {
        let open = lines.withLock { Array($0.values) } + [listener.withLock { $0 }].compactMap { $0 }
        for channel in open { try? await channel.close().get() }
    }

    private func remember(_ channel: any Channel) {
        lines.withLock { $0[ObjectIdentifier(channel)] = channel }
        channel.closeFuture.whenComplete { _ in
            self.lines.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(channel)) }
        }
    }
}

/// What stands in the middle of one connection; confined to the connection's event loop.
protocol Meddler: AnyObject {
    /// Bytes of the side that connected.
    func clientSent(_ bytes: ByteBuffer, on line: Line)
    /// Bytes of the side that was connected to.
    func serverSent(_ bytes: ByteBuffer, on line: Line)
}

/// One connection through a relay: two sockets on one event loop.
final class Line {
    private let client: any Channel
    private let meddler: any Meddler
    private var server: (any Channel)?
    private var isCut = false

    fileprivate init(client: any Channel, meddler: any Meddler) {
        self.client = client
        self.meddler = meddler
    }

    var eventLoop: any EventLoop { client.eventLoop }

    func sendToClient(_ bytes: ByteBuffer) {
        if bytes.readableBytes > 0 { client.writeAndFlush(bytes, promise: nil) }
    }

    func sendToServer(_ bytes: ByteBuffer) {
        if bytes.readableBytes > 0 { server?.writeAndFlush(bytes, promise: nil) }
    }

    /// Ends both sides, without a word in any protocol.
    func cut() {
        isCut = true
        client.close(promise: nil)
        server?.close(promise: nil)
    }

    /// Leaves what the server sends unread until `isOver`, which is asked every few milliseconds, or for five seconds.
    func stallServer(until isOver: @escaping () -> Bool) {
        server?.setOption(.autoRead, value: false).whenFailure { _ in }
        waitOn(isOver, tries: 1000)
    }

    private func waitOn(_ isOver: @escaping () -> Bool, tries: Int) {
        after(.milliseconds(5)) {
            if isOver() || tries == 0 {
                self.server?.setOption(.autoRead, value: true).whenFailure { _ in }
            } else {
                self.waitOn(isOver, tries: tries - 1)
            }
        }
    }

    /// Calls back on the line's event loop.
    func after(_ delay: TimeAmount, _ body: @escaping () -> Void) {
        eventLoop.assumeIsolated().scheduleTask(in: delay) { body() }
    }

    fileprivate func connect(to port: Int) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            // Small buffers on both sides, so that a server soon feels that nobody reads: the kernel sizes the sender's by
            // the segment, which is 64 KiB on the loopback interface (tcp(7)); 2 is TCP_MAXSEG.
            .channelOption(.socketOption(.so_rcvbuf), value: 4096)
            .channelOption(.tcpOption(.init(rawValue: 2)), value: 1024)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(LineEnd(bound.value, isClient: false))
                }
            }
            .connect(host: "127.0.0.1", port: port)
            .assumeIsolated().whenComplete { result in
                switch result {
                case .success(let channel):
                    self.server = channel
                    guard !self.isCut else { return self.cut() }
                    self.client.setOption(.autoRead, value: true).whenFailure { _ in }
                case .failure: self.cut()
                }
            }
    }

    fileprivate func received(_ bytes: ByteBuffer, fromClient: Bool) {
        guard !isCut else { return }
        if fromClient { meddler.clientSent(bytes, on: self) } else { meddler.serverSent(bytes, on: self) }
    }

    /// One side has ended, and so does the other, once it has what was sent.
    fileprivate func ended(isClient: Bool) {
        isCut = true
        let other = isClient ? server : client
        other?.close(promise: nil)
    }
}

private final class LineEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let line: Line
    private let isClient: Bool

    init(_ line: Line, isClient: Bool) {
        self.line = line
        self.isClient = isClient
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        line.received(unwrapInboundIn(data), fromClient: isClient)
    }

    func channelInactive(context: ChannelHandlerContext) { line.ended(isClient: isClient) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
