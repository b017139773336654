import DequeModule
import WSMCore

/// The commands of one connection that wait for their replies, in order, with their deadlines and bounds.
///
/// Sans-IO: the handler performs what each event answers. `Token` is what becomes of a reply, a promise in the handler.
///
/// Three kinds of wrong events: a command beyond the bounds or after the end is the caller's (it fails alone); a reply that
/// nobody asked for is the peer's fault (the connection ends); a timer after the end is ignored.
struct RedisCommandQueue<Token> {
    /// Bounds of what may wait.
    struct Bounds: Sendable {
        var commands: Int
        var bytes: Int
    }

    private struct Pending {
        let token: Token
        let bytes: Int
        let deadline: MonotonicInstant
    }

    private enum State {
        case open
        case ended(RedisError)
    }

    private var state = State.open
    private var pending: Deque<Pending> = []
    private var pendingBytes = 0
    private let bounds: Bounds

    init(bounds: Bounds) {
        self.bounds = bounds
    }

    var count: Int { pending.count }

    enum SubmitAction {
        case write
        /// Not sent; the token is the caller's to fail.
        case refuse(RedisError)
    }

    /// A command of `bytes` bytes is to be sent and answered before `deadline`.
    mutating func submit(_ token: Token, bytes: Int, deadline: MonotonicInstant) -> SubmitAction {
        if case .ended(let error) = state { return .refuse(error) }
        guard pending.count < bounds.commands, pending.isEmpty || pendingBytes + bytes <= bounds.bytes else {
            return .refuse(
                RedisError(
                    .tooManyPending,
                    "\(pending.count) commands of \(pendingBytes) bytes already wait for Redis' replies; the bound is "
                        + "\(bounds.commands) commands or \(bounds.bytes) bytes"))
        }
        pending.append(Pending(token: token, bytes: bytes, deadline: deadline))
        pendingBytes += bytes
        return .write
    }

    enum ReplyAction {
        case complete(Token)
        /// Ends the connection.
        case violation(RedisError)
        case ignore
    }

    /// A reply has come.
    mutating func replyArrived() -> ReplyAction {
        if case .ended = state { return .ignore }
        guard let first = pending.popFirst() else {
            return .violation(RedisError(.protocolViolation, "Redis sent a reply that no command asked for"))
        }
        pendingBytes -= first.bytes
        return .complete(first.token)
    }

    enum TimerAction {
        /// Nothing waits.
        case idle
        case wait(until: MonotonicInstant)
        /// Ends the connection: what comes next on it would answer the command that was given up.
        case timedOut(RedisError)
    }

    /// The timer set for the earliest deadline has fired.
    func timerFired(now: MonotonicInstant) -> TimerAction {
        if case .ended = state { return .idle }
        guard let earliest = earliestDeadline else { return .idle }
        if earliest > now { return .wait(until: earliest) }
        return .timedOut(
            RedisError(.timedOut, "Redis did not answer a command before its deadline; \(pending.count) were waiting"))
    }

    /// The connection has ended with `error`: hands back all that waited, in order.
    ///
    /// Later ones are refused with `error`.
    mutating func end(_ error: RedisError) -> [Token] {
        if case .ended = state { return [] }
        state = .ended(error)
        defer {
            pending = []
            pendingBytes = 0
        }
        return pending.map(\.token)
    }

    private var earliestDeadline: MonotonicInstant? {
        pending.lazy.map(\.deadline).min()
    }
}
