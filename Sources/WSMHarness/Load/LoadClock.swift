internal import WSMCore

/// The instants of a load that is under way, and its end: the plan's offsets count from `start`.
final class LoadClock: Sendable {
    let start: MonotonicInstant
    let measuredFrom: MonotonicInstant
    let end: MonotonicInstant
    private let ended = Monitor(false)

    init(start: MonotonicInstant, warmup: TimeSpan, duration: TimeSpan) {
        self.start = start
        measuredFrom = start + warmup
        end = start + warmup + duration
    }

    /// Ends the load now: whoever waits for a planned instant stops.
    func stop() { ended.update { $0 = true } }

    /// Waits for the instant; false when the load was ended before it.
    ///
    /// For the load's own threads.
    func wait(until instant: MonotonicInstant) -> Bool {
        ended.wait(until: instant) { $0 ? false : nil } ?? true
    }
}
