package import WSMCore
package import WSMHarness

/// What the page of a run is told, and when: at most five texts a second, and a new phase at once.
///
/// Without clock and sockets. As long as nobody asks for a text it costs a few numbers a reading.
package struct LiveFeed: Sendable {
    private static let interval = TimeSpan.milliseconds(200)

    private let began: MonotonicInstant
    private var latest: RunProgress
    private var latestAge = TimeSpan.zero
    /// Since the run's start, when the measured window began.
    private var measuredFrom: TimeSpan?
    private var nextDue: MonotonicInstant
    package private(set) var history = LiveHistory()

    /// - Parameters:
    ///   - name: The scenario's.
    ///   - now: When the run begins.
    package init(name: String, now: MonotonicInstant) {
        began = now
        nextDue = now
        latest = RunProgress(name: name, phase: .starting)
    }

    /// Takes in how far the run is.
    ///
    /// - Returns: Whether ``state`` is to be sent.
    package mutating func note(_ progress: RunProgress, now: MonotonicInstant) -> Bool {
        let isNewPhase = progress.phase != latest.phase
        latest = progress
        latestAge = max(latestAge, now - began)
        if progress.phase == .measuring, measuredFrom == nil { measuredFrom = latestAge - progress.elapsed }
        history.note(progress, age: latestAge)
        guard isNewPhase || now >= nextDue else { return false }
        // By the plan and not by the last one, so that readings that come a little late do not halve the rate. After a pause
        // the plan begins anew; a new phase ahead of it puts off the next text by no more than one interval.
        let isOnPlan = now - nextDue < Self.interval + Self.interval
        nextDue = min(isOnPlan ? nextDue + Self.interval : now + Self.interval, now + Self.interval)
        return true
    }

    /// How far the run is.
    package var state: LiveState { LiveState(latest, age: latestAge, measuredFrom: measuredFrom) }

    /// The texts that a new viewer gets first: how it was, and how it is.
    package var greeting: [String] { [LiveCurves(history).text, state.text] }

    /// The last text of a run that has a result.
    package func end(_ outcome: RunOutcome) -> String { LiveEnd(outcome, state: state).text }

    /// The last text of a run that came to nothing.
    package func end(error: String, exitCode: Int32) -> String {
        LiveEnd(error: error, exitCode: exitCode, state: state).text
    }
}
