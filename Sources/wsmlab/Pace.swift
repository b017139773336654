import Synchronization
import WSMCore

/// Lets something through at most so often; from any thread.
final class Pace: Sendable {
    private let interval: TimeSpan
    private let next = Mutex<MonotonicInstant?>(nil)

    init(every interval: TimeSpan) { self.interval = interval }

    /// Whether `instant` is one to let something through at: the first, and each that is an interval after the last one.
    func isDue(at instant: MonotonicInstant) -> Bool {
        next.withLock { next in
            if let next, instant < next { return false }
            next = instant + interval
            return true
        }
    }
}
