/// How long to wait before trying again: exponential from `initial` up to `max`, with a share of jitter.
public struct BackoffPolicy: Hashable, Sendable {
    public var initial: TimeSpan
    public var max: TimeSpan
    /// The share of the delay that is random, 0 to 1: 0.5 draws from [half of it, all of it).
    public var jitter: Double

    public init(initial: TimeSpan, max: TimeSpan, jitter: Double = 0.5) {
        self.initial = initial
        self.max = max
        self.jitter = jitter
    }

    /// The delay before try number `attempt` (from 0); `unit` is a random number in [0, 1).
    public func delay(attempt: Int, unit: Double) -> TimeSpan {
        var delay = initial
        for _ in 0..<Swift.min(attempt, 62) where delay < max {
            delay = TimeSpan(nanoseconds: delay.nanoseconds.multipliedReportingOverflow(by: 2).partialValue)
            if delay.nanoseconds <= 0 { delay = max }
        }
        delay = Swift.min(delay, max)
        return delay.scaled(by: 1 - jitter + jitter * unit)
    }
}
