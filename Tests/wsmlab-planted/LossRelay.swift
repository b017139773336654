import NIOCore
import NIOPosix
import Synchronization
import WSMCore

/// A TCP relay between clients and an instance that leaves out one of so many messages of the load.
final class LossRelay: Sendable {
    private let target = Mutex<Int?>(nil)
    private let listener = Mutex<(any Channel)?>(nil)

    /// Listens on a free port of 127.0.0.1.
    ///
    /// - Parameter count: Counts the messages of all relays.
    static func start(every: Int, count: MessageCount) async throws -> LossRelay {
        let relay = LossRelay()
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { client in
                client.eventLoop.makeCompletedFuture {
                    guard let port = relay.target.withLock({ $0 }) else { throw ChannelError.ioOnClosedChannel }
                    try relay.join(client, to: port, every: every, count)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        relay.listener.withLock { $0 = channel }
        return relay
    }

    var port: Int { listener.withLock { $0?.localAddress?.port ?? 0 } }

    /// Where connections go from now on.
    func aim(at port: Int) { target.withLock { $0 = port } }

    func stop() async { try? await listener.withLock { $0 }?.close().get() }

    /// Connects to the instance on the client's own event loop, and passes on what comes from either side.
    private func join(_ client: any Channel, to port: Int, every: Int, _ count: MessageCount) throws {
        let toServer = Passer()
        try client.pipeline.syncOperations.addHandler(toServer)
        let loopBound = NIOLoopBound(toServer, eventLoop: client.eventLoop)
        ClientBootstrap(group: client.eventLoop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { server in
                server.eventLoop.makeCompletedFuture {
                    let toClient = Passer(ServerFrames(every: every, count))
                    toClient.other = client
                    try server.pipeline.syncOperations.addHandler(toClient)
                    loopBound.value.other = server
                }
            }
            .connect(host: "127.0.0.1", port: port)
            .whenComplete { result in
                switch result {
                case .success: client.setOption(.autoRead, value: true).whenFailure { _ in }
                case .failure: client.close(promise: nil)
                }
            }
    }
}

/// Passes what one socket reads to the other; the end of one is the end of the other.
private final class Passer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    var other: (any Channel)?
    private var frames: ServerFrames?

    init(_ frames: ServerFrames? = nil) { self.frames = frames }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if frames != nil { bytes = frames?.thinned(bytes) ?? bytes }
        if bytes.readableBytes > 0 { other?.writeAndFlush(bytes, promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) { other?.close(promise: nil) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// How many messages of the load have come by.
final class MessageCount: Sendable {
    private let count = Atomic<Int>(0)

    func next() -> Int { count.add(1, ordering: .relaxed).newValue }
}

/// Reads what an instance sends after its handshake, WebSocket frames (RFC 6455, section 5.2; a server's are not masked), and
/// takes some out.
private struct ServerFrames {
    private let every: Int
    private let count: MessageCount
    private var unread = ByteBuffer()
    private var isUpgraded = false

    init(every: Int, _ count: MessageCount) {
        self.every = every
        self.count = count
    }

    mutating func thinned(_ bytes: ByteBuffer) -> ByteBuffer {
        unread.writeImmutableBuffer(bytes)
        var output = ByteBuffer()
        if !isUpgraded, let end = unread.readableBytesView.firstRange(of: Array("\r\n\r\n".utf8)) {
            if var head = unread.readSlice(length: end.upperBound - unread.readerIndex) { output.writeBuffer(&head) }
            isUpgraded = true
        }
        while isUpgraded, let frame = nextFrame() {
            if !isHit(frame) { output.writeImmutableBuffer(frame) }
        }
        unread.discardReadBytes()
        return output
    }

    private func isHit(_ frame: ByteBuffer) -> Bool {
        let isLoad = frame.withUnsafeReadableBytes { bytes in
            guard case .stamped(let stamp, _) = ProbeStamp.read(bytes) else { return false }
            return stamp.kind == .load
        }
        return isLoad && count.next().isMultiple(of: every)
    }

    private mutating func nextFrame() -> ByteBuffer? {
        let start = unread.readerIndex
        guard let second = unread.getInteger(at: start + 1, as: UInt8.self) else { return nil }
        var (header, length) = (2, Int(second & 0x7f))
        if length == 126 {
            guard let value = unread.getInteger(at: start + 2, as: UInt16.self) else { return nil }
            (header, length) = (4, Int(value))
        } else if length == 127 {
            guard let value = unread.getInteger(at: start + 2, as: UInt64.self) else { return nil }
            (header, length) = (10, Int(value))
        }
        return unread.readSlice(length: header + length)
    }
}
