internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOWebSocket
internal import WSMCore
internal import WSMRecord
internal import WSMScenario

/// A WebSocket server without a system behind it: it writes stamped frames to whoever connects, as fast as they are taken
/// or at an even pace, on one event loop of its own.
///
/// What clients then need and how late they are is the load generator's own.
final class NullServer: Sendable {
    /// What a phase of writing has sent.
    struct Sent: Sendable {
        var frames = 0
    }

    /// What stands between two looks at sockets that are all full.
    private static let breath = TimeAmount.microseconds(200)
    /// A small buffer in the kernel: what lies there at the end of a phase has to be drained before the next.
    private static let sendBuffer: ChannelOptions.Types.SocketOption.Value = 64 << 10

    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel
    private let connections: NIOLoopBound<Connections>
    let run: UInt32

    /// The open connections.
    ///
    /// Confined to the server's loop.
    private final class Connections {
        var heads: [ChannelHandlerContext] = []
        var sequence: UInt64 = 0
    }

    static func start(run: UInt32, messageBytes: Int) async throws -> NullServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let connections = try await group.next().submit {
                NIOLoopBound(Connections(), eventLoop: group.next())
            }.get()
            let listener = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 256)
                .childChannelOption(.socketOption(.so_sndbuf), value: sendBuffer)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try configure(channel, connections) }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            return NullServer(group, listener, connections, run, BroadcastPayload.json(bytes: messageBytes))
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private let json: [UInt8]

    private init(
        _ group: MultiThreadedEventLoopGroup, _ listener: any Channel, _ connections: NIOLoopBound<Connections>,
        _ run: UInt32, _ json: [UInt8]
    ) {
        self.group = group
        self.listener = listener
        self.connections = connections
        self.run = run
        self.json = json
    }

    var port: Int { listener.localAddress?.port ?? 0 }

    func shutDown() async {
        try? await group.shutdownGracefully()
    }

    private static func configure(_ channel: any Channel, _ connections: NIOLoopBound<Connections>) throws {
        let upgrader = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    // Frames are encoded already: they go in below the WebSocket encoder, as an instance's do.
                    let head = NullHead()
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(head, position: .first)
                    connections.value.heads.append(try pipeline.context(handler: head))
                }
            })
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withServerUpgrade: (upgraders: [upgrader], completionHandler: { _ in }))
    }

    // MARK: Writing

    /// Forgets the connections so far; those that come from now on are written to.
    func forgetConnections() async throws {
        let connections = self.connections
        try await connections.eventLoop.submit {
            connections.value.heads = []
            connections.value.sequence = 0
        }.get()
    }

    /// Writes to every connection until `deadline`, `frames` a write.
    ///
    /// - Parameter interval: The time between two rounds; `nil`: the next begins once all sockets take it.
    func write(_ frames: Int, every interval: TimeSpan?, until deadline: MonotonicInstant) async throws -> Sent {
        let loop = connections.eventLoop
        let promise = loop.makePromise(of: Sent.self)
        loop.execute { self.round(frames, interval, deadline, Sent(), promise) }
        return try await promise.futureResult.get()
    }

    private func round(
        _ frames: Int, _ interval: TimeSpan?, _ deadline: MonotonicInstant, _ before: Sent,
        _ promise: EventLoopPromise<Sent>
    ) {
        var sent = before
        let loop = connections.eventLoop
        guard MonotonicInstant.now() < deadline else { return promise.succeed(sent) }
        let heads = connections.value.heads.filter { $0.channel.isActive }
        let takesMore = heads.allSatisfy { $0.channel.isWritable }
        if takesMore {
            let buffer = encode(frames)
            for head in heads { head.writeAndFlush(NIOAny(buffer), promise: nil) }
            sent.frames += frames * heads.count
        }
        let so = sent
        if takesMore, interval == nil {
            loop.execute { self.round(frames, interval, deadline, so, promise) }
        } else {
            let pause = interval.map { TimeAmount.nanoseconds($0.nanoseconds) } ?? Self.breath
            loop.scheduleTask(in: pause) { self.round(frames, interval, deadline, so, promise) }
        }
    }

    /// The next frames of the stream, each with a stamp of its own.
    private func encode(_ frames: Int) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(frames * (json.count + ProbeStamp.encodedLength + 4))
        let now = MonotonicInstant.now()
        for _ in 0..<frames {
            var stamp = ProbeStamp(
                run: run, publisher: PublisherID(0), sequence: connections.value.sequence, intended: now)
            stamp.published = now
            connections.value.sequence += 1
            let message = stamp.appended(to: json)
            // A text frame (RFC 6455, section 5.2): final, not masked.
            buffer.writeInteger(UInt8(0x81))
            if message.count < 126 {
                buffer.writeInteger(UInt8(message.count))
            } else if message.count < 65_536 {
                buffer.writeInteger(UInt8(126))
                buffer.writeInteger(UInt16(message.count))
            } else {
                buffer.writeInteger(UInt8(127))
                buffer.writeInteger(UInt64(message.count))
            }
            buffer.writeBytes(message)
        }
        return buffer
    }
}

/// Marks the head of a pipeline.
private final class NullHead: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
}
