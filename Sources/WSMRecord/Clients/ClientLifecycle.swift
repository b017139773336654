package import WSMCore

/// One client of a fleet, live or simulated: when it tries to connect, when it tries again, when it stays away.
///
/// Sans-IO:
///
/// | state | begin | failed | opened | ended | churn | stop |
/// |---|---|---|---|---|---|---|
/// | idle, backing off | connecting | – | – | – | skipped | stopped |
/// | connecting | – | backing off or away | open | – | skipped | stopped |
/// | open | – | – | – | backing off or away | connecting | stopped |
/// | away, stopped | – | – | – | – | skipped | stopped |
///
/// A dash is an input that came too late: it changes nothing.
package struct ClientLifecycle: Sendable {
    package enum State: Hashable, Sendable {
        /// Its first attempt is not due yet.
        case idle
        case connecting
        case open(since: MonotonicInstant)
        case backingOff
        /// It has given up for good.
        case away
        /// The run has ended.
        case stopped
    }

    /// What the end of an attempt or a session leads to.
    package enum Next: Hashable, Sendable {
        case retry(after: TimeSpan)
        case stayAway
        case nothing
    }

    package private(set) var state = State.idle
    /// Whether it ever had a session.
    package private(set) var hasOpened = false
    /// Attempts in a row that failed or whose session was short.
    private var tries: UInt32 = 0

    package init() {}

    /// An attempt is due; false when the client is not waiting for one.
    package mutating func begin() -> Bool {
        guard state == .idle || state == .backingOff else { return false }
        state = .connecting
        return true
    }

    /// The attempt failed; `unit` is a random number in [0, 1).
    package mutating func failed(_ policy: BackoffPolicy?, unit: Double) -> Next {
        guard state == .connecting else { return .nothing }
        return backOff(policy, unit: unit)
    }

    /// The attempt succeeded; false when it came too late to count.
    package mutating func opened(at now: MonotonicInstant) -> Bool {
        guard state == .connecting else { return false }
        state = .open(since: now)
        hasOpened = true
        return true
    }

    /// The session ended at `now`, and not by this side's will.
    ///
    /// After a session as long as the policy's longest delay the count of tries begins anew: a server that accepts and
    /// drops at once must not be asked again at the shortest delay for ever.
    /// A server that broke the protocol is not asked again: it would only repeat itself.
    package mutating func ended(_ end: SessionEnd, at now: MonotonicInstant, _ policy: BackoffPolicy?, unit: Double)
        -> Next
    {
        guard case .open(let since) = state else { return .nothing }
        if let policy, now - since >= policy.max { tries = 0 }
        if case .protocolError = end { return backOff(nil, unit: unit) }
        return backOff(policy, unit: unit)
    }

    /// The plan ends the session and begins a new one; false when there is none.
    package mutating func churn() -> Bool {
        guard case .open = state else { return false }
        tries = 0
        state = .connecting
        return true
    }

    /// The run has ended.
    package mutating func stop() {
        state = .stopped
    }

    private mutating func backOff(_ policy: BackoffPolicy?, unit: Double) -> Next {
        guard let policy else {
            state = .away
            return .stayAway
        }
        let delay = policy.delay(attempt: Int(tries), unit: unit)
        tries += 1
        state = .backingOff
        return .retry(after: delay)
    }
}
