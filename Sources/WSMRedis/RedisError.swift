/// Why something with Redis failed: a code to decide on, a sentence for people, and what lay beneath.
///
/// Two errors are equal when code, message and ``maybePublished`` are; the cause is for logs. No message ever holds a
/// password.
public struct RedisError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it was; few and fixed, fit for counters.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// No connection came about: name not found, refused, no such socket.
        case connectFailed
        /// The deadline passed.
        ///
        /// The connection is closed, since its next reply would belong to another command.
        case timedOut
        /// The connection ended while something was waiting on it, or there was none.
        case connectionLost
        /// What arrived is not RESP2, or goes beyond the limits set for it.
        case protocolViolation
        /// Redis answered with an error.
        case serverError
        /// Redis wants another user or password.
        case authenticationFailed
        /// More commands or bytes wait for replies than the connection's bound allows; nothing was sent.
        case tooManyPending
        /// Redis cannot do it now and says so: its cluster is down, it is still loading.
        ///
        /// It was not carried out; it can be tried again.
        case unavailable
        /// The node of a cluster has not the slot, and names the one that has.
        case redirected
        /// Nodes of a cluster kept naming one another.
        case tooManyRedirections
        /// A master was wanted, and the server is a replica.
        case notMaster
        /// The private redis-server did not come up, or is gone.
        case serverNotStarted
        /// This side closed the connection.
        case closed
        /// The command cannot be sent: no words in it, or larger than Redis takes.
        case invalidCommand
    }

    public let code: Code
    /// What happened and what to do about it.
    public let message: String
    public let cause: (any Error)?
    /// Whether Redis may have carried out a publish although no reply came: sending it again can publish twice.
    ///
    /// `false` means that it certainly was not published. Set by ``BlockingRedisConnection``, and by the connections for
    /// every command that was sent and not answered.
    public let maybePublished: Bool
    /// Which node to ask instead, with the code `redirected`.
    private(set) var redirection: RedisRedirection?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil, maybePublished: Bool = false) {
        self.code = code
        self.message = message
        self.cause = cause
        self.maybePublished = maybePublished
    }

    /// The node of a cluster that was asked is the wrong one.
    init(_ redirection: RedisRedirection, message: String) {
        self.init(.redirected, message)
        self.redirection = redirection
    }

    /// The same failure for a command of which Redis may have seen all.
    func afterSending() -> RedisError {
        RedisError(code, message, cause: cause, maybePublished: true)
    }

    public var description: String {
        maybePublished ? "\(message) (Redis may have carried out the command)" : message
    }
}

extension RedisError: Hashable {
    public static func == (left: RedisError, right: RedisError) -> Bool {
        left.code == right.code && left.message == right.message && left.maybePublished == right.maybePublished
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(message)
    }
}
