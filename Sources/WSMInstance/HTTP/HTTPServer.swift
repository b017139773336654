internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOWebSocket
internal import WSMCore
internal import WSMTLS

/// The listening socket of an instance: HTTP/1.1, with the upgrade to WebSocket.
struct HTTPServer: Sendable {
    let channel: any Channel

    /// Listens; port 0 takes a free one.
    ///
    /// With an identity all connections are TLS: `https` and `wss`.
    ///
    /// - Throws: ``InstanceError`` when the address cannot be had, or the identity cannot be used.
    static func listen(
        host: String, port: Int, identity: TLSIdentity?, on group: any EventLoopGroup, routes: Routes,
        upgrade: WebSocketUpgrade
    ) async throws -> HTTPServer {
        let tls = try identity.map { try makeTLS($0) }
        let bootstrap = ServerBootstrap(group: group.next(), childGroup: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // A channel keeps the buffer of its last read; a client says little after its handshake.
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 64, initial: 256, maximum: 64 << 10)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try tls?.addHandlers(to: channel.pipeline.syncOperations)
                    try configure(channel, routes: routes, upgrade: upgrade)
                }
            }
        do {
            return HTTPServer(channel: try await bootstrap.bind(host: host, port: port).get())
        } catch let error as IOError {
            throw InstanceError(
                code: .addressUnavailable,
                message: "cannot listen on \(host):\(port): \(String(cString: strerror(error.errnoCode)))", cause: error
            )
        }
    }

    private static func makeTLS(_ identity: TLSIdentity) throws(InstanceError) -> TLSServer {
        do throws(TLSError) {
            return try TLSServer(identity)
        } catch {
            throw InstanceError(code: .certificateUnusable, message: error.message, cause: error)
        }
    }

    private static func configure(_ channel: any Channel, routes: Routes, upgrade: WebSocketUpgrade) throws {
        let handler = HTTPRequestHandler(routes: routes)
        let pipeline = channel.pipeline.syncOperations
        let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        try pipeline.configureHTTPServerPipeline(
            withPipeliningAssistance: false,
            withServerUpgrade: (
                upgraders: [upgrade],
                completionHandler: { context in
                    context.pipeline.syncOperations.removeHandler(bound.value, promise: nil)
                }
            ), withErrorHandling: false)
        try pipeline.addHandler(handler)
    }

    var localAddress: SocketAddress? { channel.localAddress }

    func close() async throws {
        try await channel.close().get()
    }
}
