import WSMCore

/// When to connect, when to wait, when to give up: the life of a connection that is always wanted again.
///
/// Sans-IO. Events that come too late (a connection that opens after ``close()``, a timer after it) are answered so that
/// nothing is left behind; there is no event that is an error.
struct RedisLinkStateMachine {
    private enum State {
        case idle
        case connecting(attempt: Int)
        case up
        case waiting(attempt: Int)
        case closed
    }

    private var state = State.idle
    private let backoff: BackoffPolicy

    init(backoff: BackoffPolicy) {
        self.backoff = backoff
    }

    var isUp: Bool {
        if case .up = state { true } else { false }
    }

    var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    enum StartAction: Equatable {
        case connect
        case none
    }

    /// Somebody needs the connection.
    mutating func needed() -> StartAction {
        guard case .idle = state else { return .none }
        state = .connecting(attempt: 0)
        return .connect
    }

    enum OpenAction: Equatable {
        case use
        case discard
    }

    /// The connection has been made.
    mutating func opened() -> OpenAction {
        guard case .connecting = state else { return .discard }
        state = .up
        return .use
    }

    enum FailAction: Equatable {
        /// Set the timer.
        case wait(TimeSpan)
        case none
    }

    /// No connection came about, or the one that there was has ended; `unit` is a random number in [0, 1).
    mutating func failed(unit: Double) -> FailAction {
        let attempt: Int
        switch state {
        case .connecting(let number): attempt = number
        case .up: attempt = 0
        case .idle, .waiting, .closed: return .none
        }
        state = .waiting(attempt: attempt + 1)
        return .wait(backoff.delay(attempt: attempt, unit: unit))
    }

    /// The time to wait is over.
    mutating func timerFired() -> StartAction {
        guard case .waiting(let attempt) = state else { return .none }
        state = .connecting(attempt: attempt)
        return .connect
    }

    /// Nobody needs the connection any more, for good.
    mutating func close() {
        state = .closed
    }
}
