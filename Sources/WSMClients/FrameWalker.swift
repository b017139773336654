package import WSMCore

/// Walks the frames that a server sends, in place: RFC 6455 from the first byte after the handshake on.
///
/// Sans-IO: bytes go in as they were read, events come out. A message that lies whole in one read is handed on where it
/// lies; only a frame cut by the end of a read, and the parts of a fragmented message, are copied. Text is not checked
/// to be UTF-8: a measured message carries a checksum, which says more. No sequence of bytes traps; after a violation
/// nothing is read any more, and after a close frame only further close frames are told of, which should not be.
package struct FrameWalker {
    /// What a frame meant.
    ///
    /// The bytes are valid only while the event is handled.
    package enum Event {
        case text(UnsafeRawBufferPointer)
        case binary(UnsafeRawBufferPointer)
        case ping(UnsafeRawBufferPointer)
        case pong
        /// The server closes; 1005 when it gave no code (section 7.1.5).
        case close(code: UInt16)
        case violation(FrameViolation)
    }

    /// The longest message that is taken, whole or in fragments.
    static let messageLimit = 16 << 20

    /// The beginning of a frame whose end has not been read, with its header.
    private var tail: [UInt8] = []
    /// The fragments so far of a message whose end has not been read.
    private var message: [UInt8] = []
    /// What the fragmented message is: text, binary, or `continuation` for no such message.
    private var fragmented = FrameHeader.Opcode.continuation
    /// Whether a violation has ended the stream.
    private(set) var isFinished = false
    /// Whether a close frame has come.
    private var isClosed = false

    package init() {}

    /// Reads the next bytes of the stream and calls `emit` for each event in them, in order.
    ///
    /// `emit` must not reach this walker.
    package mutating func walk(_ bytes: UnsafeRawBufferPointer, _ emit: (Event) -> Void) {
        var rest = bytes
        if !tail.isEmpty { completeTail(&rest, emit) }
        while !isFinished, !rest.isEmpty {
            switch header(of: rest) {
            case .violation(let violation):
                fail(violation, emit)
            case .header(let header) where header.frameLength <= rest.count:
                let payload = UnsafeRawBufferPointer(rebasing: rest[header.headerLength..<header.frameLength])
                rest = UnsafeRawBufferPointer(rebasing: rest[header.frameLength...])
                take(header, payload, emit)
            case .header, .incomplete:
                tail = Array(rest)
                return
            }
        }
    }

    /// Adds to the frame that the last read had cut; takes of `rest` what belongs to it.
    private mutating func completeTail(_ rest: inout UnsafeRawBufferPointer, _ emit: (Event) -> Void) {
        while true {
            let missing: Int
            switch tail.withUnsafeBytes({ header(of: $0) }) {
            case .violation(let violation):
                return fail(violation, emit)
            case .incomplete:
                // Byte by byte: the header ends within ten.
                missing = 1
            case .header(let header):
                missing = header.frameLength - tail.count
                if missing == 0 { return takeTail(header, emit) }
            }
            guard !rest.isEmpty else { return }
            let count = min(missing, rest.count)
            tail.append(contentsOf: rest[..<count])
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    private mutating func takeTail(_ header: FrameHeader, _ emit: (Event) -> Void) {
        let frame = tail
        tail = []
        frame.withUnsafeBytes { bytes in
            take(header, UnsafeRawBufferPointer(rebasing: bytes[header.headerLength...]), emit)
        }
    }

    /// The header at the start of `bytes`, refused when its message would become too big.
    private func header(of bytes: UnsafeRawBufferPointer) -> FrameHeader.Parsed {
        let parsed = FrameHeader.parse(bytes, from: .server)
        if case .header(let header) = parsed,
            header.payloadLength > FrameWalker.messageLimit - (header.opcode.isControl ? 0 : message.count)
        {
            return .violation(.tooBig(limit: FrameWalker.messageLimit))
        }
        return parsed
    }

    private mutating func take(_ header: FrameHeader, _ payload: UnsafeRawBufferPointer, _ emit: (Event) -> Void) {
        guard !isClosed || header.opcode == .close else { return }
        switch header.opcode {
        case .ping: emit(.ping(payload))
        case .pong: emit(.pong)
        case .close: takeClose(payload, emit)
        case .text, .binary:
            guard fragmented == .continuation else { return fail(.messageInsideMessage, emit) }
            if header.isFinal { return emit(header.opcode == .text ? .text(payload) : .binary(payload)) }
            fragmented = header.opcode
            message.append(contentsOf: payload)
        case .continuation:
            guard fragmented != .continuation else { return fail(.continuationWithoutStart, emit) }
            message.append(contentsOf: payload)
            guard header.isFinal else { return }
            let whole = message
            let opcode = fragmented
            message = []
            fragmented = .continuation
            whole.withUnsafeBytes { emit(opcode == .text ? .text($0) : .binary($0)) }
        }
    }

    private mutating func takeClose(_ payload: UnsafeRawBufferPointer, _ emit: (Event) -> Void) {
        if payload.isEmpty {
            isClosed = true
            return emit(.close(code: 1005))
        }
        guard payload.count >= 2 else { return fail(.closeBodyOfOneByte, emit) }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        guard FrameViolation.mayClose(with: code) else { return fail(.closeCode(code), emit) }
        isClosed = true
        emit(.close(code: code))
    }

    private mutating func fail(_ violation: FrameViolation, _ emit: (Event) -> Void) {
        isFinished = true
        tail = []
        message = []
        // What comes after a close frame is nobody's loss.
        if !isClosed { emit(.violation(violation)) }
    }
}
