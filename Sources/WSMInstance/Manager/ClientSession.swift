internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import WSMCore
internal import WSMManagers

/// One connected client on its event loop, as the end of its socket's pipeline: here frames for it are written; what it sends
/// is read in `ClientSession+Reading.swift`.
///
/// Frames are encoded already. While the socket takes all that comes, they go to the kernel straight from the buffer that all
/// clients of a message share; what it does not take waits in the channel, and so does all that comes before it has left. Over
/// TLS all go through the channel.
///
/// Confined to its event loop. One object a client, and nothing that could be had from its shard: ten thousand clients wait in
/// a process.
final class ClientSession {
    let id: ClientID
    /// What the client calls itself (`?client=` of its request); a load uses it to know its own clients again.
    let label: String?
    let shard: ClientShard
    let inbox: ManagerInbox
    /// The place of TLS in the pipeline, where there is any.
    private let tls: ChannelHandlerContext?
    /// The place in the pipeline; `nil` before it is there, and once the socket is closed.
    private(set) var context: ChannelHandlerContext?
    /// Where nothing stands between this and the kernel.
    private var socket = NIOBSDSocket.invalidHandle { didSet { findDirectSocket() } }
    /// Writes that the channel has not handed to the kernel yet.
    private var waitingWrites = 0 { didSet { findDirectSocket() } }
    /// Whether a write went through the channel: before, the answer to the client's handshake may still wait there.
    private var isOpened = false { didSet { findDirectSocket() } }
    private var isDeadSendTold = false
    private(set) var isClosing = false { didSet { findDirectSocket() } }
    /// Whether the socket's buffer is below its high-water mark.
    var isWritable = true { didSet { findDirectSocket() } }
    /// Whether the slow-client policy left out the last message for it.
    var isLeftOut = false { didSet { findDirectSocket() } }
    /// The socket, while frames may go there at once, and nothing has to be decided first; else the invalid handle.
    private(set) var directSocket = NIOBSDSocket.invalidHandle
    /// What it listens to, once the manager has admitted it, and its place among the members.
    var membership: (channel: ChannelName, index: Int)?
    var reader = ClientFrameReader()

    /// How long a closing handshake may take (RFC 6455, section 7.1.1) before the connection is cut.
    static let closeTimeout = TimeAmount.seconds(5)

    init(id: ClientID, label: String?, shard: ClientShard, inbox: ManagerInbox, tls: ChannelHandlerContext?) {
        self.id = id
        self.label = label
        self.shard = shard
        self.inbox = inbox
        self.tls = tls
    }

    // MARK: The socket

    func socketOpened(_ context: ChannelHandlerContext) {
        self.context = context
        guard tls == nil else { return }
        let found = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable {
            (handle: NIOBSDSocket.Handle) in handle
        }
        socket = found ?? NIOBSDSocket.invalidHandle
    }

    /// From here on the socket's number may be another's.
    func socketClosed() {
        socket = NIOBSDSocket.invalidHandle
        context = nil
    }

    private func findDirectSocket() {
        let isDirect = waitingWrites == 0 && isOpened && isWritable && !isLeftOut && !isClosing
        let found = isDirect ? socket : NIOBSDSocket.invalidHandle
        guard found != directSocket else { return }
        directSocket = found
        shard.directSocketChanged(self)
    }

    /// Bytes that wait in the socket's buffer.
    var bufferedBytes: Int { (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    // MARK: Writing

    /// Returns whether the socket took the frames, now or into its buffer: false where the connection is being closed, or where
    /// writing showed that the peer is gone, before its end was noticed otherwise.
    @discardableResult
    func write(_ frames: ByteBuffer) -> Bool {
        frames.withUnsafeReadableBytes { write(frames, $0) }
    }

    /// The same for who has the readable bytes of `frames` at hand.
    @discardableResult
    func write(_ frames: ByteBuffer, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard !isClosing else {
            if !isDeadSendTold { inbox.post(.sendFailed(id)) }
            isDeadSendTold = true
            return false
        }
        var taken = 0
        if waitingWrites == 0, isOpened, socket != NIOBSDSocket.invalidHandle {
            taken = Self.send(bytes, to: socket)
            if taken == bytes.count { return true }
        }
        // A socket that failed fails again in the channel, which then closes it.
        return writeToChannel(frames, from: max(taken, 0))
    }

    /// Hands bytes to the kernel; returns how many it took, or a negative number.
    @inline(__always)
    static func send(_ bytes: UnsafeRawBufferPointer, to socket: NIOBSDSocket.Handle) -> Int {
        Glibc.send(socket, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
    }

    /// Writes what is behind `offset` once all that waits has left; returns as ``write(_:)`` does.
    @discardableResult
    func writeToChannel(_ frames: ByteBuffer, from offset: Int) -> Bool {
        guard let context else { return false }
        var rest = frames
        rest.moveReaderIndex(forwardBy: offset)
        let written = context.eventLoop.makePromise(of: Void.self)
        waitingWrites += 1
        isOpened = true
        // One that fails ends the channel: it stays counted.
        written.futureResult.assumeIsolated().whenSuccess { self.waitingWrites -= 1 }
        context.writeAndFlush(NIOAny(rest), promise: written)
        return !isClosing && self.context?.channel.isActive == true
    }

    // MARK: Ending

    /// Sends a close frame, then waits for the peer's own for a while.
    func close(_ close: ClientClose) {
        guard !isClosing, let channel = context?.channel else { return }
        var frames = channel.allocator.buffer(capacity: 160)
        if let text = close.lastText { TextFrame.append(text: text, to: &frames) }
        TextFrame.appendClose(code: close.code, reason: close.reason, to: &frames)
        write(frames)
        isClosing = true
        let timeout = channel.eventLoop.scheduleTask(in: Self.closeTimeout) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in timeout.cancel() }
    }

    /// Ends the connection without a close frame, and without the end of the encryption: a client that does not read would
    /// not answer it.
    func drop() {
        isClosing = true
        (tls ?? context)?.close(promise: nil)
    }
}
