package import NIOCore

/// WebSocket frames of a server as they stand on the wire (RFC 6455, section 5.2): whole, unmasked, ready to be written to
/// any number of sockets.
package enum TextFrame {
    /// Appends one text frame with this payload.
    package static func append(_ payload: ByteBuffer, to buffer: inout ByteBuffer) {
        appendHeader(opcode: 0x1, length: payload.readableBytes, to: &buffer)
        buffer.writeImmutableBuffer(payload)
    }

    static func append(text: String, to buffer: inout ByteBuffer) {
        appendHeader(opcode: 0x1, length: text.utf8.count, to: &buffer)
        buffer.writeString(text)
    }

    /// Appends a close frame; a reason is cut to what fits (123 bytes), never inside a character.
    static func appendClose(code: UInt16, reason: String, to buffer: inout ByteBuffer) {
        var cut = reason
        while cut.utf8.count > 123 { cut.removeLast() }
        appendHeader(opcode: 0x8, length: 2 + cut.utf8.count, to: &buffer)
        buffer.writeInteger(code)
        buffer.writeString(cut)
    }

    /// Appends the answer to a ping, which holds the ping's payload.
    static func appendPong(_ payload: [UInt8], to buffer: inout ByteBuffer) {
        appendHeader(opcode: 0xA, length: payload.count, to: &buffer)
        buffer.writeBytes(payload)
    }

    private static func appendHeader(opcode: UInt8, length: Int, to buffer: inout ByteBuffer) {
        buffer.writeInteger(0x80 | opcode)
        switch length {
        case ..<126: buffer.writeInteger(UInt8(length))
        case ..<65_536:
            buffer.writeInteger(UInt8(126))
            buffer.writeInteger(UInt16(length))
        default:
            buffer.writeInteger(UInt8(127))
            buffer.writeInteger(UInt64(length))
        }
    }
}
