import NIOCore
import NIOPosix
import WSMCore
import WSMRecord

/// One WebSocket session of one client, from the handshake's end to the closed socket.
///
/// Confined to the shard's loop. It reads frames straight from the socket's bytes; the clock is read once for all frames of one read, since they had
/// all arrived by then.
final class ClientSession<Sink: DeliverySink & SendableMetatype>: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State: Hashable {
        case open
        /// A close frame has been sent; `answered`: the server's has been received.
        case closing(answered: Bool)
        /// The client is gone, and its socket is left as it is.
        case vanished
        case closed
    }

    let slot: Int
    let connection: UInt32
    /// What the sink calls this session.
    var sinkSession = -1

    private let shard: FleetShard<Sink>
    private var context: ChannelHandlerContext?
    /// The place of TLS in the pipeline; `nil` for a plain socket.
    private var tls: ChannelHandlerContext?
    private var walker = FrameWalker()
    private var state = State.open
    private var throttle: ReadThrottle?
    private var readIsPlanned = false
    /// When the oldest ping without an answer was sent.
    private var pingedAt: MonotonicInstant?
    /// Until when it reads nothing.
    private var stalledUntil: MonotonicInstant?

    init(shard: FleetShard<Sink>, slot: Int, connection: UInt32, throttle: ReadThrottle?, tls: ChannelHandlerContext?) {
        self.shard = shard
        self.slot = slot
        self.connection = connection
        self.throttle = throttle
        self.tls = tls
    }

    /// Whether the server has answered a close frame of this side, or sent one first.
    var isAnswered: Bool { state == .closing(answered: true) }
    /// Whether it is open and reads as fast as it can.
    var readsFreely: Bool { state == .open && throttle == nil && stalledUntil == nil }
    /// Its socket, as long as it is in the channel.
    var channel: (any Channel)? { context?.channel }

    // MARK: What the channel reports

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        guard throttle != nil else { return }
        setOption(.autoRead, false)
        planRead()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        tls = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = Self.unwrapInboundIn(data)
        let at = MonotonicInstant.now()
        shard.statistics.reads += 1
        shard.statistics.bytesRead += buffer.readableBytes
        buffer.withUnsafeReadableBytes { bytes in
            walker.walk(bytes) { handle($0, at: at) }
        }
        if throttle != nil {
            throttle?.consumed(buffer.readableBytes, at: at)
            planRead()
        }
        // Behind TLS it is the TLS handler's own.
        if tls == nil { shard.buffers.give(back: buffer) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let wasOpen = state == .open
        let answered = isAnswered
        state = .closed
        if wasOpen { shard.sessionEnded(self, .dropped, at: .now()) }
        shard.channelClosed(self, answered: answered)
        self.context = nil
        tls = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset, for instance: what it means is what `channelInactive` makes of it.
        context.close(promise: nil)
    }

    // MARK: What the server sends

    private func handle(_ event: FrameWalker.Event, at: MonotonicInstant) {
        switch event {
        case .text(let message):
            guard state == .open else { return }
            if ApplicationPing.isPong(message) {
                pingedAt = nil
                shard.statistics.pongsReceived += 1
            } else {
                shard.statistics.messages += 1
                shard.sink.received(session: sinkSession, message: message, at: at)
            }
        case .binary:
            shard.statistics.binaryMessages += 1
        case .ping(let payload):
            // A server that pings and does not read gets no answer rather than a growing buffer.
            if state != .vanished, context?.channel.isWritable == true { send(.pong, payload) }
        case .pong:
            break
        case .close(let code):
            receivedClose(code, at: at)
        case .violation(let violation):
            if state == .open {
                sendClose(violation.closeCode)
                state = .closing(answered: false)
                shard.sessionEnded(self, .protocolError(violation.reason), at: at)
            }
            abandon()
        }
    }

    private func receivedClose(_ code: UInt16, at: MonotonicInstant) {
        let wasOpen = state == .open
        if isAnswered { shard.statistics.repeatedCloses += 1 }
        if wasOpen { sendClose(code) }
        // The server closes the TCP connection first (RFC 6455, section 7.1.1); the shard holds it to a deadline.
        state = .closing(answered: true)
        if wasOpen { shard.sessionEnded(self, .closedByServer(code: code), at: at) }
    }

    // MARK: What the shard asks for

    /// Sends `__ping__`; returns false when the one before has not been answered.
    func ping(at now: MonotonicInstant) -> Bool {
        let answered = pingedAt == nil || throttle != nil || stalledUntil != nil
        if pingedAt == nil { pingedAt = now }
        if context?.channel.isWritable == true { send(.text, ApplicationPing.ping) }
        return answered
    }

    /// Whether a ping has been without an answer for so long; a stalled client does not notice.
    func hasWaitedForPong(_ timeout: TimeSpan, at now: MonotonicInstant) -> Bool {
        guard let pingedAt, stalledUntil == nil else { return false }
        return now - pingedAt >= timeout
    }

    /// Ends the connection without a word in WebSocket's terms, or leaves it as it is.
    func depart(_ departure: FleetDisturbance.Departure) {
        switch departure {
        case .vanish:
            state = .vanished
            setOption(.autoRead, false)
        case .reset:
            state = .closed
            // With no time to linger close(2) sends an RST (tcp(7), socket(7)).
            (context?.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
                .whenFailure { _ in }
            abandon()
        case .close:
            state = .closed
            abandon()
        }
    }

    /// Reads nothing until `until`; false when it did not read already.
    func stall(until: MonotonicInstant) -> Bool {
        guard stalledUntil == nil else {
            prolong(until: max(until, stalledUntil ?? until))
            return false
        }
        stalledUntil = until
        setOption(.autoRead, false)
        return true
    }

    /// Changes the end of a stall.
    func prolong(until: MonotonicInstant) {
        if stalledUntil != nil { stalledUntil = until }
    }

    /// Reads again when its stall is over by `now`; false when there is none, or it goes on.
    func resume(at now: MonotonicInstant) -> Bool {
        guard let until = stalledUntil, until <= now else { return false }
        stalledUntil = nil
        pingedAt = nil
        if throttle == nil {
            setOption(.autoRead, true)
        } else {
            planRead()
        }
        return true
    }

    /// Sends a close frame; what still arrives is read and thrown away until the server has closed too.
    func close(code: UInt16) {
        guard state == .open else { return }
        state = .closing(answered: false)
        sendClose(code)
        releaseThrottle()
        if stalledUntil != nil {
            stalledUntil = nil
            setOption(.autoRead, true)
        }
    }

    /// Closes the socket at once, without the end of the encryption.
    func abandon() {
        (tls ?? context)?.close(promise: nil)
    }

    /// Makes the read that was planned.
    func readNow() {
        readIsPlanned = false
        if throttle != nil, stalledUntil == nil { context?.read() }
    }

    /// From now on reads as fast as it can.
    func releaseThrottle() {
        guard throttle != nil else { return }
        throttle = nil
        // A receive window of a few kilobytes would keep the rest to a trickle.
        setOption(.socketOption(.so_rcvbuf), 256 * 1024)
        setOption(.recvAllocator, SharedBufferAllocator(pool: shard.buffers, isFirst: false))
        if stalledUntil == nil { setOption(.autoRead, true) }
    }

    private func planRead() {
        guard let throttle, !readIsPlanned, stalledUntil == nil else { return }
        readIsPlanned = true
        shard.schedule(.read, at: throttle.nextRead, slot: slot, connection: connection)
    }

    private func sendClose(_ code: UInt16) {
        guard let context else { return }
        let frame = ClientFrame.close(code: code, mask: shard.random.mask(), allocator: context.channel.allocator)
        context.writeAndFlush(Self.wrapOutboundOut(frame), promise: nil)
    }

    private func send(_ opcode: FrameHeader.Opcode, _ payload: some Collection<UInt8>) {
        guard let context else { return }
        let frame = ClientFrame.make(
            opcode, payload, mask: shard.random.mask(), allocator: context.channel.allocator)
        context.writeAndFlush(Self.wrapOutboundOut(frame), promise: nil)
    }

    /// Sets an option of the channel; a channel that has just closed refuses, and needs it no more.
    private func setOption<Option: ChannelOption>(_ option: Option, _ value: Option.Value) {
        try? context?.channel.syncOptions?.setOption(option, value: value)
    }
}
