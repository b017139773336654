public import NIOCore

/// What Redis answered, in the types of RESP2.
///
/// A string is a slice of the receive buffer wherever possible: it keeps that buffer alive, so copy what is to be kept for
/// long.
public enum RedisReply: Sendable, Hashable {
    case string(ByteBuffer)
    case status(String)
    case integer(Int64)
    case array([RedisReply])
    /// The nil bulk string or the nil array; RESP2 tells no difference worth keeping.
    case null
    /// An error by Redis, its code word first: `WRONGTYPE Operation against …`.
    case error(String)

    /// The text of a string or a status; `nil` for others.
    ///
    /// Bytes that are not UTF-8 become replacement characters.
    public var text: String? {
        switch self {
        case .string(let buffer): String(buffer: buffer)
        case .status(let text): text
        case .integer, .array, .null, .error: nil
        }
    }

    /// The number of an integer reply; `nil` for others.
    public var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// The reply itself, unless it is an error by Redis.
    public func success() throws(RedisError) -> RedisReply {
        if case .error(let message) = self { throw RedisError.byServer(message) }
        return self
    }
}

extension RedisError {
    /// The error that Redis answered with.
    ///
    /// `NOAUTH`, `WRONGPASS` and its elder, "invalid password", are about the login.
    static func byServer(_ message: String) -> RedisError {
        let login = ["NOAUTH", "WRONGPASS", "ERR invalid password", "ERR AUTH", "ERR Client sent AUTH"]
        if login.contains(where: { message.hasPrefix($0) }) {
            return RedisError(.authenticationFailed, "Redis refused the login: \(message)")
        }
        if message.hasPrefix("NOPERM") {
            return RedisError(
                .serverError,
                "Redis does not allow the URL's user that: \(message). Allow it with ACL SETUSER, or log in as another user"
            )
        }
        if RedisRedirection.isRedirection(message) {
            guard let redirection = RedisRedirection(message) else {
                return RedisError(.protocolViolation, "Redis sent the command on to what is no node of a cluster")
            }
            return RedisError(redirection, message: "Redis sent the command on: \(message)")
        }
        if ["CLUSTERDOWN ", "TRYAGAIN ", "LOADING "].contains(where: { message.hasPrefix($0) }) {
            return RedisError(.unavailable, "Redis cannot do it now: \(message)")
        }
        return RedisError(.serverError, "Redis answered with an error: \(message)")
    }
}

/// One part of a reply in the order of the wire: an array comes before its elements.
///
/// What the decoder makes first. The Pub/Sub handler reads messages straight from it, with no allocation for an array.
enum RedisReplyPart {
    case string(ByteBuffer)
    case status(ByteBuffer)
    case error(ByteBuffer)
    case integer(Int64)
    case array(count: Int)
    case null
}

extension RedisReply {
    /// Builds the tree of a whole reply.
    ///
    /// The parts come from the decoder, which has checked that they are whole and nest no deeper than it allows.
    init(parts: [RedisReplyPart]) {
        var index = 0
        self = Self.next(parts, &index)
    }

    private static func next(_ parts: [RedisReplyPart], _ index: inout Int) -> RedisReply {
        guard index < parts.count else { return .null }
        let part = parts[index]
        index += 1
        switch part {
        case .string(let buffer): return .string(buffer)
        case .status(let buffer): return .status(String(buffer: buffer))
        case .error(let buffer): return .error(String(buffer: buffer))
        case .integer(let value): return .integer(value)
        case .null: return .null
        case .array(let count):
            var elements: [RedisReply] = []
            elements.reserveCapacity(Swift.min(count, parts.count - index))
            for _ in 0..<count { elements.append(next(parts, &index)) }
            return .array(elements)
        }
    }
}
