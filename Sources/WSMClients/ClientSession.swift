import WSMCore
import WSMRecord

/// One WebSocket session of one client, from the handshake's end to the closed socket.
///
/// Confined to the shard's loop. It reads frames straight from the socket's bytes; the clock is read once for all frames of one
/// read, since they had all arrived by then.
final class ClientSession<Sink: DeliverySink & SendableMetatype>: SocketOwner {
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

    let socket: ClientSocket
    private let shard: FleetShard<Sink>
    private var walker = FrameWalker()
    private var state = State.open
    private var throttle: ReadThrottle?
    private var readIsPlanned = false
    /// When the oldest ping without an answer was sent.
    private var pingedAt: MonotonicInstant?
    /// Until when it reads nothing.
    private var stalledUntil: MonotonicInstant?

    init(
        shard: FleetShard<Sink>, slot: Int, connection: UInt32, throttle: ReadThrottle?, socket: ClientSocket
    ) {
        self.shard = shard
        self.slot = slot
        self.connection = connection
        self.throttle = throttle
        self.socket = socket
        guard throttle != nil else { return }
        socket.read(.never)
        planRead()
    }

    /// Whether the server has answered a close frame of this side, or sent one first.
    var isAnswered: Bool { state == .closing(answered: true) }
    /// Whether it is open and reads as fast as it can.
    var readsFreely: Bool { state == .open && throttle == nil && stalledUntil == nil }

    // MARK: What the socket reports

    func socketRead(_ bytes: UnsafeRawBufferPointer, at: MonotonicInstant) {
        shard.statistics.reads += 1
        shard.statistics.bytesRead += bytes.count
        walker.walk(bytes) { handle($0, at: at) }
        guard throttle != nil else { return }
        throttle?.consumed(bytes.count, at: at)
        planRead()
    }

    func socketClosed(_ error: (any Error)?) {
        // A reset, for instance, is a drop like another.
        let wasOpen = state == .open
        let answered = isAnswered
        state = .closed
        if wasOpen { shard.sessionEnded(self, .dropped, at: .now()) }
        shard.socketClosed(self, answered: answered)
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
            if state != .vanished, socket.isWritable { send(.pong, payload) }
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
        if socket.isWritable { send(.text, ApplicationPing.ping) }
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
            socket.read(.never)
        case .reset:
            state = .closed
            socket.close(reset: true)
        case .close:
            state = .closed
            socket.close()
        }
    }

    /// Reads nothing until `until`; false when it did not read already.
    func stall(until: MonotonicInstant) -> Bool {
        guard stalledUntil == nil else {
            prolong(until: max(until, stalledUntil ?? until))
            return false
        }
        stalledUntil = until
        socket.read(.never)
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
            socket.read(.freely)
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
            socket.read(.freely)
        }
    }

    /// Closes the socket at once, without the end of the encryption.
    func abandon() {
        socket.close()
    }

    /// Makes the read that was planned.
    func readNow() {
        readIsPlanned = false
        if throttle != nil, stalledUntil == nil { socket.read(.once) }
    }

    /// From now on reads as fast as it can.
    func releaseThrottle() {
        guard throttle != nil else { return }
        throttle = nil
        // A receive window of a few kilobytes would keep the rest to a trickle.
        socket.setReceiveBuffer(256 * 1024)
        socket.readLimit = SocketLoop.readCapacity
        if stalledUntil == nil { socket.read(.freely) }
    }

    private func planRead() {
        guard let throttle, !readIsPlanned, stalledUntil == nil else { return }
        readIsPlanned = true
        shard.schedule(.read, at: throttle.nextRead, slot: slot, connection: connection)
    }

    private func sendClose(_ code: UInt16) {
        socket.write(ClientFrame.close(code: code, mask: shard.random.mask()))
    }

    private func send(_ opcode: FrameHeader.Opcode, _ payload: some Collection<UInt8>) {
        socket.write(ClientFrame.make(opcode, payload, mask: shard.random.mask()))
    }
}
