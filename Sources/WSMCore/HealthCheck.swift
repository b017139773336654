/// Notices a peer that is gone without a word: after `interval` of silence it is asked, and must say something in time.
///
/// Sans-IO. Whatever arrives counts as a sign of life, so a busy connection is never asked.
package struct HealthCheck {
    private enum State {
        case listening
        case asked(at: MonotonicInstant)
        /// Nothing can be heard, since reading is paused.
        case paused
    }

    private let interval: TimeSpan
    private let deadline: TimeSpan
    private var state = State.listening
    private var heardAt: MonotonicInstant

    package init(interval: TimeSpan, deadline: TimeSpan, now: MonotonicInstant) {
        self.interval = interval
        self.deadline = deadline
        heardAt = now
    }

    /// Something has arrived.
    package mutating func heard(now: MonotonicInstant) {
        heardAt = now
        if case .asked = state { state = .listening }
    }

    /// Reading is paused: silence means nothing.
    package mutating func pause() {
        state = .paused
    }

    /// Reading goes on; the silence is counted anew.
    package mutating func resume(now: MonotonicInstant) {
        guard case .paused = state else { return }
        heardAt = now
        state = .listening
    }

    package enum Action: Equatable {
        case wait(TimeSpan)
        /// Send a `PING`, then wait.
        case ask(thenWait: TimeSpan)
        case dead
    }

    /// The timer has fired (or is to be started).
    package mutating func timerFired(now: MonotonicInstant) -> Action {
        switch state {
        case .paused: return .wait(interval)
        case .asked(let at):
            let left = at + deadline - now
            return left > .zero ? .wait(left) : .dead
        case .listening:
            let left = heardAt + interval - now
            if left > .zero { return .wait(left) }
            state = .asked(at: now)
            return .ask(thenWait: deadline)
        }
    }
}
