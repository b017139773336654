import NIOCore

/// What a server sends on a connection that has subscribed, read from the parts of a reply without a copy.
enum RedisPushFrame {
    case message(channel: ByteBuffer, payload: ByteBuffer)
    case subscribed(channel: ByteBuffer)
    case unsubscribed(channel: ByteBuffer)
    case pong
    /// Redis refused something, such as a channel that the user may not read.
    case refused(String)
    /// Nothing that belongs on such a connection.
    case unknown

    init(_ parts: [RedisReplyPart]) {
        self = .unknown
        guard let first = parts.first else { return }
        switch first {
        case .array(let count): self = Self.pushed(parts, count: count)
        case .status(let text) where text.isWord("PONG"): self = .pong
        case .error(let text): self = .refused(String(buffer: text))
        case .status, .string, .integer, .null: break
        }
    }

    private static func pushed(_ parts: [RedisReplyPart], count: Int) -> RedisPushFrame {
        guard parts.count == count + 1, count >= 2, case .string(let kind) = parts[1] else { return .unknown }
        if count == 2 { return kind.isWord("pong") ? .pong : .unknown }
        guard count == 3, case .string(let channel) = parts[2] else { return .unknown }
        switch parts[3] {
        case .string(let payload) where kind.isWord("message") || kind.isWord("smessage"):
            return .message(channel: channel, payload: payload)
        case .integer where kind.isWord("subscribe") || kind.isWord("ssubscribe"): return .subscribed(channel: channel)
        case .integer where kind.isWord("unsubscribe") || kind.isWord("sunsubscribe"):
            return .unsubscribed(channel: channel)
        default: return .unknown
        }
    }
}

extension ByteBuffer {
    /// Whether the readable bytes are exactly `word`.
    fileprivate func isWord(_ word: StaticString) -> Bool {
        guard readableBytes == word.utf8CodeUnitCount else { return false }
        return withUnsafeReadableBytes { bytes in
            word.withUTF8Buffer { bytes.elementsEqual($0) }
        }
    }
}
