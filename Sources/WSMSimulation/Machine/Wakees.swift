import WSMCore

/// How often a thread wakes another one than it woke before, as Linux counts it (`wakee_flips`, `kernel/sched/fair.c`).
struct Wakees {
    /// What was counted is halved after each of these, when the thread next wakes somebody.
    private static let period = TimeSpan.seconds(1)

    private var flips: Int64 = 0
    private var last: Int?
    private var halvedAt = Simulator.origin

    /// The thread wakes `thread`.
    mutating func note(_ thread: SimulatedThread, at now: MonotonicInstant) {
        if now - halvedAt > Self.period {
            flips /= 2
            halvedAt = now
        }
        guard last != thread.number else { return }
        last = thread.number
        flips += 1
    }

    /// Whether one of both wakes so many others that the woken one is better left where it is (`wake_wide`).
    func isWide(for thread: SimulatedThread, cores: Int) -> Bool {
        let (master, slave) = (max(flips, thread.wakees.flips), min(flips, thread.wakees.flips))
        return slave >= Int64(cores) && master >= slave * Int64(cores)
    }
}
