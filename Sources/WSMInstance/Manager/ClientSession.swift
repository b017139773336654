internal import NIOCore
internal import WSMCore
internal import WSMManagers

/// One connected client on its event loop: where frames for it are written.
///
/// Frames go in at the head of the pipeline, below the WebSocket encoder and above TLS: they are encoded already, and the
/// same buffer is written to every client.
final class ClientSession {
    let id: ClientID
    /// What the client calls itself (`?client=` of its request); a load uses it to know its own clients again.
    let label: String?
    private let head: ChannelHandlerContext
    /// From where a close ends the socket at once: the place of TLS, if there is any, and else the head.
    private let wire: ChannelHandlerContext
    /// Whether the socket's buffer is below its high-water mark.
    var isWritable = true
    /// The place in its channel's list of members.
    var memberIndex: Int?
    private(set) var isClosing = false
    /// Whether the slow-client policy left out the last message for it.
    var isLeftOut = false
    /// Bytes that may wait in the socket's buffer before it counts as full.
    let highWaterMark: Int
    /// Told once, when something is to be sent although the connection is being closed.
    private var onDeadSend: (() -> Void)?

    /// How long a closing handshake may take (RFC 6455, section 7.1.1) before the connection is cut.
    static let closeTimeout = TimeAmount.seconds(5)

    init(
        id: ClientID, label: String?, head: ChannelHandlerContext, wire: ChannelHandlerContext?, highWaterMark: Int,
        onDeadSend: @escaping () -> Void
    ) {
        self.id = id
        self.label = label
        self.head = head
        self.wire = wire ?? head
        self.highWaterMark = highWaterMark
        self.onDeadSend = onDeadSend
    }

    /// Bytes that wait in the socket's buffer.
    var bufferedBytes: Int { (try? head.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    /// Returns whether the socket took the frames, now or into its buffer: false where the connection is being closed, or where
    /// writing showed that the peer is gone, before its end was noticed otherwise.
    @discardableResult
    func write(_ frames: ByteBuffer) -> Bool {
        guard !isClosing else {
            onDeadSend?()
            onDeadSend = nil
            return false
        }
        head.writeAndFlush(NIOAny(frames), promise: nil)
        return !isClosing && head.channel.isActive
    }

    /// Sends a close frame, then waits for the peer's own for a while.
    func close(_ close: ClientClose) {
        guard !isClosing else { return }
        var frames = head.channel.allocator.buffer(capacity: 160)
        if let text = close.lastText { TextFrame.append(text: text, to: &frames) }
        TextFrame.appendClose(code: close.code, reason: close.reason, to: &frames)
        write(frames)
        isClosing = true
        let channel = head.channel
        let timeout = head.eventLoop.scheduleTask(in: Self.closeTimeout) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in timeout.cancel() }
    }

    /// Ends the connection without a close frame, and without the end of the encryption: a client that does not read would
    /// not answer it.
    func drop() {
        isClosing = true
        wire.close(promise: nil)
    }
}

/// Marks the place at the head of a pipeline from which encoded frames are written.
final class HeadOfPipeline: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
}
