public import NIOCore
internal import NIOEmbedded
internal import NIOSSL
internal import NIOTLS

/// The client's side of TLS over bytes that its owner reads and sends itself.
///
/// Confined to the thread that made it. Its owner hands over what came from the peer and sends ``nextSealed()`` until there is
/// none after each call.
public final class TLSStream {
    private let channel: EmbeddedChannel
    private let address: SocketAddress
    private let watch = HandshakeWatch()

    /// - Parameters:
    ///   - context: Of the client, with whom it trusts.
    ///   - host: The server's name, which its certificate must have; `nil` for an address.
    ///   - address: Of the server, which its certificate must have where there is no name.
    init(_ context: NIOSSLContext, host: String?, address: SocketAddress) throws {
        self.address = address
        channel = EmbeddedChannel()
        channel.remoteAddress = address
        try channel.pipeline.syncOperations.addHandlers([
            try NIOSSLClientHandler(context: context, serverHostname: host), watch,
        ])
    }

    /// Whether the handshake has ended well.
    public var isSecured: Bool { watch.isSecured }
    /// Whether the peer has ended the encryption: nothing comes any more.
    public var hasEnded: Bool { !channel.isActive }

    /// Begins the handshake.
    public func begin() throws {
        channel.connect(to: address, promise: nil)
        try channel.throwIfErrorCaught()
    }

    /// Takes bytes of the peer; throws what `TLSError(in:)` can tell.
    public func read(_ bytes: UnsafeRawBufferPointer) throws {
        var buffer = channel.allocator.buffer(capacity: bytes.count)
        buffer.writeBytes(bytes)
        try channel.writeInbound(buffer)
    }

    /// The next plain bytes that have come.
    public func next() -> ByteBuffer? {
        (try? channel.readInbound(as: ByteBuffer.self)) ?? nil
    }

    /// Takes plain bytes to be sent.
    public func write(_ bytes: [UInt8]) throws {
        try channel.writeOutbound(ByteBuffer(bytes: bytes))
    }

    /// The next bytes for the peer.
    public func nextSealed() -> ByteBuffer? {
        (try? channel.readOutbound(as: ByteBuffer.self)) ?? nil
    }

    /// The connection is closed; nothing may be asked any more.
    public func finish() {
        // Below TLS, which would wait for the peer's end. What was cut short is the owner's to judge: TLS only says that it was.
        if let tls = channel.pipeline.syncOperations.tlsContext {
            tls.close(promise: nil)
        } else {
            channel.close(promise: nil)
        }
        channel.embeddedEventLoop.run()
    }
}

/// Notes the end of the handshake.
private final class HandshakeWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private(set) var isSecured = false

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSUserEvent, case .handshakeCompleted = event { isSecured = true }
        context.fireUserInboundEventTriggered(event)
    }
}
