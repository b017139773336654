/// The header of a WebSocket frame: RFC 6455, section 5.2.
package struct FrameHeader: Hashable {
    /// What a frame carries (section 11.8).
    package enum Opcode: UInt8 {
        case continuation = 0x0
        case text = 0x1
        case binary = 0x2
        case close = 0x8
        case ping = 0x9
        case pong = 0xA

        package var isControl: Bool { rawValue & 0x8 != 0 }
    }

    /// Who sent a frame: a client masks what it sends, a server does not (section 5.1).
    package enum Sender: Hashable {
        case client
        case server
    }

    /// What the first bytes of a frame say.
    package enum Parsed: Hashable {
        /// The header goes on behind these bytes.
        case incomplete
        case violation(FrameViolation)
        case header(FrameHeader)
    }

    package let isFinal: Bool
    package let opcode: Opcode
    /// The header's own bytes, the mask of a client among them.
    package private(set) var headerLength: Int
    package private(set) var payloadLength: Int

    package var frameLength: Int { headerLength + payloadLength }

    /// Reads the header at the start of `bytes`, which may be cut anywhere.
    package static func parse(_ bytes: UnsafeRawBufferPointer, from sender: Sender) -> Parsed {
        guard bytes.count >= 2 else { return .incomplete }
        let first = bytes[0]
        let second = bytes[1]
        if first & 0x70 != 0 { return .violation(.reservedBits) }
        guard let opcode = Opcode(rawValue: first & 0xF) else { return .violation(.opcode(first & 0xF)) }
        let isMasked = second & 0x80 != 0
        if isMasked != (sender == .client) { return .violation(isMasked ? .masked : .unmasked) }
        var header = FrameHeader(
            isFinal: first & 0x80 != 0, opcode: opcode, headerLength: 2, payloadLength: Int(second & 0x7F))
        if opcode.isControl {
            if !header.isFinal { return .violation(.fragmentedControl) }
            if header.payloadLength > 125 { return .violation(.longControl) }
        }
        switch header.payloadLength {
        case 126:
            guard bytes.count >= 4 else { return .incomplete }
            header.headerLength = 4
            header.payloadLength = Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
            if header.payloadLength < 126 { return .violation(.lengthNotMinimal) }
        case 127:
            guard bytes.count >= 10 else { return .incomplete }
            let length = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
            if length >> 63 != 0 { return .violation(.invalidLength) }
            if length < 0x1_0000 { return .violation(.lengthNotMinimal) }
            header.headerLength = 10
            // Longer than any message may be: the reader refuses it, and the sum of lengths cannot overflow.
            header.payloadLength = Int(min(length, UInt64(Int32.max)))
        default:
            break
        }
        if isMasked { header.headerLength += 4 }
        return .header(header)
    }
}
