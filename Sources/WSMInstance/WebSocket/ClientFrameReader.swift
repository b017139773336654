internal import WSMCore
internal import WSMManagers

/// Reads what a client sends: RFC 6455 from the first byte after the handshake on.
///
/// Sans-IO: bytes go in as they were read, events come out. Since a manager listens to nothing but `__ping__`, no payload is kept
/// but that of a control frame, and a client costs the same whatever it sends. Text is not checked to be UTF-8. No sequence of bytes traps;
/// after a violation nothing is read any more.
struct ClientFrameReader {
    /// What a frame, or the last frame of a message, meant.
    enum Event: Hashable {
        /// A text message.
        case text(isPing: Bool)
        /// A binary message.
        case binary
        case ping([UInt8])
        case pong
        /// The client closes; `nil` when it gave no code.
        case close(code: UInt16?)
        case violation(FrameViolation)
    }

    /// The largest frame and the largest message that are taken, in bytes.
    static let frameLimit = 64 << 10
    static let messageLimit = 256 << 10

    /// A message whose end has not been read.
    private struct Message {
        let isText: Bool
        var length = 0
        /// Whether all of it so far is the beginning of `__ping__`.
        var mayBePing = true
    }

    /// A frame whose end has not been read.
    private struct Frame {
        let header: FrameHeader
        let mask: (UInt8, UInt8, UInt8, UInt8)
        /// Bytes of its payload that were read.
        var read = 0

        func unmask(_ byte: UInt8, at place: Int) -> UInt8 {
            switch place & 3 {
            case 0: byte ^ mask.0
            case 1: byte ^ mask.1
            case 2: byte ^ mask.2
            default: byte ^ mask.3
            }
        }
    }

    /// A header that the last read had cut.
    private var cutHeader: [UInt8] = []
    private var frame: Frame?
    private var message: Message?
    /// The payload of a control frame.
    private var control: [UInt8] = []
    private var isFinished = false

    init() {}

    /// Reads the next bytes of the stream and calls `emit` for each event in them, in order.
    ///
    /// `emit` must not reach this reader.
    mutating func read(_ bytes: UnsafeRawBufferPointer, _ emit: (Event) -> Void) {
        var rest = bytes
        while !isFinished, !rest.isEmpty {
            let isOpen = frame == nil ? readHeader(&rest, emit) : true
            if isOpen { readPayload(&rest, emit) }
        }
    }

    /// Takes a header from `rest`; returns whether a frame has begun.
    private mutating func readHeader(_ rest: inout UnsafeRawBufferPointer, _ emit: (Event) -> Void) -> Bool {
        if cutHeader.isEmpty {
            guard let header = begin(rest, emit) else {
                if !isFinished { cutHeader = Array(rest) }
                rest = UnsafeRawBufferPointer(rebasing: rest[rest.endIndex...])
                return false
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[header.headerLength...])
            return true
        }
        // Byte by byte: a header ends within fourteen.
        cutHeader.append(rest[0])
        rest = UnsafeRawBufferPointer(rebasing: rest[1...])
        let whole = cutHeader
        guard whole.withUnsafeBytes({ begin($0, emit) }) != nil else { return false }
        cutHeader = []
        return true
    }

    /// Begins the frame whose header starts `bytes`; `nil` where the header goes on, or is refused.
    private mutating func begin(_ bytes: UnsafeRawBufferPointer, _ emit: (Event) -> Void) -> FrameHeader? {
        switch FrameHeader.parse(bytes, from: .client) {
        case .incomplete: return nil
        case .violation(let violation):
            fail(violation, emit)
            return nil
        case .header(let header):
            if let violation = refusal(of: header) {
                fail(violation, emit)
                return nil
            }
            guard bytes.count >= header.headerLength else { return nil }
            let mask = header.headerLength - 4
            frame = Frame(
                header: header, mask: (bytes[mask], bytes[mask + 1], bytes[mask + 2], bytes[mask + 3]))
            if header.opcode == .text || header.opcode == .binary { message = Message(isText: header.opcode == .text) }
            return header
        }
    }

    private func refusal(of header: FrameHeader) -> FrameViolation? {
        switch header.opcode {
        case .ping, .pong, .close: return nil
        case .text, .binary: if message != nil { return .messageInsideMessage }
        case .continuation: if message == nil { return .continuationWithoutStart }
        }
        if header.payloadLength > Self.frameLimit { return .tooBig(limit: Self.frameLimit) }
        let length = (message?.length ?? 0) + header.payloadLength
        return length > Self.messageLimit ? .tooBig(limit: Self.messageLimit) : nil
    }

    /// Takes what `rest` has of the open frame's payload.
    private mutating func readPayload(_ rest: inout UnsafeRawBufferPointer, _ emit: (Event) -> Void) {
        guard var open = frame else { return }
        let count = min(open.header.payloadLength - open.read, rest.count)
        let part = UnsafeRawBufferPointer(rebasing: rest[..<count])
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        if open.header.opcode.isControl {
            for (place, byte) in part.enumerated() { control.append(open.unmask(byte, at: open.read + place)) }
        } else {
            readMessage(part, of: open)
        }
        open.read += count
        frame = open.read == open.header.payloadLength ? nil : open
        if frame == nil { end(open.header, emit) }
    }

    private mutating func readMessage(_ part: UnsafeRawBufferPointer, of open: Frame) {
        guard var current = message else { return }
        let ping = ClientText.pingBytes
        if current.mayBePing {
            current.mayBePing =
                current.length + part.count <= ping.count
                && part.enumerated().allSatisfy { place, byte in
                    open.unmask(byte, at: open.read + place) == ping[current.length + place]
                }
        }
        current.length += part.count
        message = current
    }

    private mutating func end(_ header: FrameHeader, _ emit: (Event) -> Void) {
        let payload = control
        if !payload.isEmpty { control = [] }
        switch header.opcode {
        case .ping: emit(.ping(payload))
        case .pong: emit(.pong)
        case .close: endClose(payload, emit)
        case .text, .binary, .continuation:
            guard header.isFinal, let whole = message.take() else { return }
            let isPing = whole.mayBePing && whole.length == ClientText.pingBytes.count
            emit(whole.isText ? .text(isPing: isPing) : .binary)
        }
    }

    private mutating func endClose(_ payload: [UInt8], _ emit: (Event) -> Void) {
        guard !payload.isEmpty else { return emit(.close(code: nil)) }
        guard payload.count >= 2 else { return fail(.closeBodyOfOneByte, emit) }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        guard FrameViolation.mayClose(with: code) else { return fail(.closeCode(code), emit) }
        emit(.close(code: code))
    }

    private mutating func fail(_ violation: FrameViolation, _ emit: (Event) -> Void) {
        isFinished = true
        cutHeader = []
        emit(.violation(violation))
    }
}
