import DequeModule
import WSMCore

/// Commands that wait for a connection, none of them sent yet, with their deadlines and a bound.
///
/// Sans-IO. `Token` is what is sent later: a command with its promise in the client.
struct WaitingCommands<Token> {
    private var waiting: Deque<(token: Token, deadline: MonotonicInstant)> = []
    private let maximum: Int

    init(maximum: Int) {
        self.maximum = maximum
    }

    /// Takes a command in; `false` when too many wait already.
    mutating func append(_ token: Token, deadline: MonotonicInstant) -> Bool {
        guard waiting.count < maximum else { return false }
        waiting.append((token, deadline))
        return true
    }

    /// All that wait, in order, to be sent now.
    mutating func takeAll() -> [(token: Token, deadline: MonotonicInstant)] {
        defer { waiting = [] }
        return Array(waiting)
    }

    /// Those whose deadline has passed, in order.
    mutating func takeExpired(now: MonotonicInstant) -> [Token] {
        let expired = waiting.filter { $0.deadline <= now }.map(\.token)
        waiting.removeAll { $0.deadline <= now }
        return expired
    }

    /// When to look for expired ones next.
    var earliestDeadline: MonotonicInstant? { waiting.lazy.map(\.deadline).min() }
}
