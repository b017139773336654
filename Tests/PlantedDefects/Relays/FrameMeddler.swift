import NIOCore
import WSMCore

/// Stands between a client and its instance, and reads the instance's WebSocket frames.
///
/// It knows the client by the `client=` of its request, as an instance does.
final class FrameMeddler: Meddler {
    enum Defect: Sendable {
        case none
        case drop
        case duplicate
        /// Again, when ten more messages have come.
        case replay
        /// Held back until the next one of its publisher has come.
        case swap
        case corrupt
        /// Another copy, stamped for another channel.
        case misdirect
        /// The connection ends there, without a close frame.
        case closeSilently
        /// Everything comes so much later to this client.
        case delay(client: UInt32, TimeAmount)
        /// Close frames get another code.
        case changeClose
        /// The connection ends instead of a close frame.
        case cutAtClose
        /// Close frames come twice.
        case repeatClose
        /// Nothing is read from the instance until no client has got anything for so long.
        case stallUntilSilence(TimeSpan)
        /// Nothing is read from the instance until so many messages have come to all other clients together.
        case stallForMessages(Int64)
        /// The instance is told something that makes it end the connection, and gets no answer to its close frame.
        case deadSocket
    }

    private let defect: Defect
    private let plan: RelayPlan
    private var client: UInt32?
    private var request = ByteBuffer()
    private var isUpgraded = false
    private var unread = ByteBuffer()
    /// By publisher, what is to come after its next message.
    private var held: [UInt32: ByteBuffer] = [:]
    /// Frames to be sent again, when so many more messages have come.
    private var replays: [(frame: ByteBuffer, after: Int)] = []
    private var isDead = false

    init(_ defect: Defect, _ plan: RelayPlan) {
        self.defect = defect
        self.plan = plan
    }

    func clientSent(_ bytes: ByteBuffer, on line: Line) {
        if client == nil {
            request.writeImmutableBuffer(bytes)
            client = Self.client(of: String(buffer: request))
        }
        // A dead socket says nothing more.
        if !isDead { line.sendToServer(bytes) }
    }

    private static func client(of request: String) -> UInt32? {
        guard let start = request.firstRange(of: "client=") else { return nil }
        let digits = request[start.upperBound...].prefix { $0.isNumber }
        // Not yet whole unless something follows.
        return digits.endIndex < request.endIndex ? UInt32(digits) : nil
    }

    func serverSent(_ bytes: ByteBuffer, on line: Line) {
        unread.writeImmutableBuffer(bytes)
        var output = ByteBuffer()
        if !isUpgraded { passHandshake(to: &output) }
        while isUpgraded, let frame = nextFrame() {
            guard take(frame, &output, line) else { break }
        }
        unread.discardReadBytes()
        guard !isDead else { return }
        guard case .delay(let delayed, let span) = defect, delayed == client else {
            return line.sendToClient(output)
        }
        line.after(span) { line.sendToClient(output) }
    }

    private func passHandshake(to output: inout ByteBuffer) {
        let end = Array("\r\n\r\n".utf8)
        guard let range = unread.readableBytesView.firstRange(of: end) else { return }
        let length = range.upperBound - unread.readerIndex
        if var head = unread.readSlice(length: length) { output.writeBuffer(&head) }
        isUpgraded = true
    }

    /// A whole frame with its header (RFC 6455, section 5.2; a server's frames are not masked).
    private func nextFrame() -> ByteBuffer? {
        let start = unread.readerIndex
        guard let second = unread.getInteger(at: start + 1, as: UInt8.self) else { return nil }
        var header = 2
        var length = Int(second & 0x7f)
        if length == 126 {
            guard let value = unread.getInteger(at: start + 2, as: UInt16.self) else { return nil }
            (header, length) = (4, Int(value))
        } else if length == 127 {
            guard let value = unread.getInteger(at: start + 2, as: UInt64.self) else { return nil }
            (header, length) = (10, Int(value))
        }
        return unread.readSlice(length: header + length)
    }

    /// Sends a frame on, or what becomes of it; false when the line was cut.
    private func take(_ frame: ByteBuffer, _ output: inout ByteBuffer, _ line: Line) -> Bool {
        guard frame.readableBytesView.first != 0x88 else { return takeClose(frame, &output, line) }
        guard let client, let key = frame.withUnsafeReadableBytes({ MessageKey($0) }) else {
            output.writeImmutableBuffer(frame)
            return true
        }
        plan.pass()
        if case .delay(client, _) = defect { plan.count() }
        if plan.isHit(key, of: client) {
            plan.count()
            return hit(frame, key, &output, line)
        }
        output.writeImmutableBuffer(frame)
        if let late = held.removeValue(forKey: key.publisher) { output.writeImmutableBuffer(late) }
        for index in replays.indices { replays[index].after -= 1 }
        for replay in replays where replay.after == 0 { output.writeImmutableBuffer(replay.frame) }
        replays.removeAll { $0.after <= 0 }
        return true
    }

    private func takeClose(_ frame: ByteBuffer, _ output: inout ByteBuffer, _ line: Line) -> Bool {
        switch defect {
        case .changeClose:
            var changed = frame
            changed.setInteger(1000 as UInt16, at: changed.readerIndex + 2)
            output.writeImmutableBuffer(changed)
        case .cutAtClose:
            line.sendToClient(output)
            line.cut()
            plan.count()
            return false
        case .repeatClose:
            output.writeImmutableBuffer(frame)
            output.writeImmutableBuffer(frame)
        default:
            output.writeImmutableBuffer(frame)
            return true
        }
        plan.count()
        return true
    }

    private func hit(_ frame: ByteBuffer, _ key: MessageKey, _ output: inout ByteBuffer, _ line: Line) -> Bool {
        switch defect {
        case .none: output.writeImmutableBuffer(frame)
        case .drop: break
        case .duplicate:
            output.writeImmutableBuffer(frame)
            output.writeImmutableBuffer(frame)
        case .replay:
            output.writeImmutableBuffer(frame)
            replays.append((frame, 10))
        case .swap: held[key.publisher] = frame
        case .corrupt:
            var damaged = frame
            let place = damaged.writerIndex - ProbeStamp.encodedLength - 4
            damaged.setInteger((damaged.getInteger(at: place, as: UInt8.self) ?? 0) ^ 1, at: place)
            output.writeImmutableBuffer(damaged)
        case .misdirect:
            output.writeImmutableBuffer(frame)
            output.writeImmutableBuffer(Self.misdirected(frame))
        case .closeSilently:
            line.sendToClient(output)
            line.cut()
            return false
        case .delay, .changeClose, .cutAtClose, .repeatClose: output.writeImmutableBuffer(frame)
        case .stallUntilSilence(let span):
            output.writeImmutableBuffer(frame)
            line.stallServer { [plan] in MonotonicInstant.now() - plan.lastPass >= span }
        case .stallForMessages(let count):
            output.writeImmutableBuffer(frame)
            let end = plan.messagesPassed + count
            line.stallServer { [plan] in plan.messagesPassed >= end }
        case .deadSocket:
            output.writeImmutableBuffer(frame)
            line.sendToClient(output)
            isDead = true
            // A binary message, masked with zeroes: an instance understands only text, and closes with 1003.
            line.sendToServer(ByteBuffer(bytes: [0x82, 0x81, 0, 0, 0, 0, 0x2a]))
            return false
        }
        return true
    }

    /// The same message, stamped for channel 3.
    private static func misdirected(_ frame: ByteBuffer) -> ByteBuffer {
        frame.withUnsafeReadableBytes { bytes in
            guard case .stamped(var stamp, _) = ProbeStamp.read(bytes) else { return frame }
            stamp.channel = 3
            let header = bytes[1] & 0x7f == 126 ? 4 : 2
            let message = stamp.appended(
                to: bytes[header..<(bytes.count - ProbeStamp.encodedLength)] + [UInt8(ascii: "}")])
            return ByteBuffer(bytes: bytes[..<header] + message)
        }
    }
}
