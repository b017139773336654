import WSMCore

/// The few frames that a client sends, all of them short and masked: RFC 6455, sections 5.2 and 5.3.
enum ClientFrame {
    /// The longest payload of a short frame.
    static let maximumPayload = 125

    /// A frame of `opcode` with `payload`, which is at most 125 bytes, masked with `mask`.
    static func make(_ opcode: FrameHeader.Opcode, _ payload: some Collection<UInt8>, mask: UInt32) -> [UInt8] {
        precondition(payload.count <= maximumPayload, "a client of the fleet sends short frames only")
        var frame: [UInt8] = []
        frame.reserveCapacity(6 + payload.count)
        frame.append(0x80 | opcode.rawValue)
        frame.append(0x80 | UInt8(payload.count))
        var shift: UInt32 = 24
        for _ in 0..<4 {
            frame.append(UInt8(truncatingIfNeeded: mask >> shift))
            shift = (shift &- 8) & 31
        }
        for byte in payload {
            frame.append(byte ^ UInt8(truncatingIfNeeded: mask >> shift))
            shift = (shift &- 8) & 31
        }
        return frame
    }

    /// A close frame with `code`, or with an empty body for 1005, which must not be sent.
    static func close(code: UInt16, mask: UInt32) -> [UInt8] {
        let body: [UInt8] = code == 1005 ? [] : [UInt8(code >> 8), UInt8(code & 0xFF)]
        return make(.close, body, mask: mask)
    }
}

/// The application's own ping, as `BroadcastWebsocketManager.receiver` of the reference answers it.
enum ApplicationPing {
    static let ping = Array("__ping__".utf8)

    /// Whether `message` is the answer `__pong__`.
    static func isPong(_ message: UnsafeRawBufferPointer) -> Bool {
        message.count == 8 && UInt64(bigEndian: message.loadUnaligned(as: UInt64.self)) == 0x5F5F_706F_6E67_5F5F
    }
}
