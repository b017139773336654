internal import NIOCore

/// What a sentinel says about the master that it watches.
enum SentinelAnswer {
    /// The question for the master's address.
    static func question(_ master: String) -> RedisCommand {
        RedisCommand("SENTINEL", "GET-MASTER-ADDR-BY-NAME", master)
    }

    /// The address in the reply to ``question(_:)``.
    ///
    /// - Throws: `serverError` when the sentinel watches no such master, `protocolViolation` when the reply is no address.
    static func master(_ reply: RedisReply, named name: String, by sentinel: RedisURL) throws(RedisError) -> RedisURL {
        switch try reply.success() {
        case .null:
            throw RedisError(.serverError, "the sentinel at \(sentinel) watches no master of the name \(name)")
        case .array(let parts):
            guard parts.count == 2, let host = parts[0].text, let port = parts[1].text.flatMap({ Int(decimal: $0) }),
                NodeAddress.isHost(host), (1...65_535).contains(port)
            else { fallthrough }
            // A sentinel's login is its own: it is not the master's.
            return RedisURL(address: .tcp(host: host, port: port))
        default:
            throw RedisError(.protocolViolation, "the sentinel at \(sentinel) answered with no address of a master")
        }
    }
}
