import WSMCore

/// How much CPU time was used lately, as Linux averages it (PELT, `kernel/sched/pelt.c`): half is forgotten every 33 ms.
///
/// In whole numbers, so that it is the same on every machine.
struct RecentUse {
    /// What is older counts less by 22 parts in 1024 for each of these.
    private static let period = TimeSpan.nanoseconds(1 << 20)
    private static let kept: Int64 = 1002
    /// After so many periods nothing is left of it.
    private static let memory: Int64 = 1024
    /// What one core comes to that is always busy.
    private static let full = period.nanoseconds * 1024 / (1024 - kept)

    private var sum: Int64 = 0
    private var periods: Int64 = 0

    mutating func add(_ span: TimeSpan, at now: MonotonicInstant) {
        forget(until: now)
        sum += span.nanoseconds
    }

    /// Takes in what another has used, too.
    mutating func join(_ other: RecentUse, at now: MonotonicInstant) { change(by: other, 1, at: now) }

    /// What another has used, of which it is the sum, goes elsewhere.
    mutating func part(from other: RecentUse, at now: MonotonicInstant) { change(by: other, -1, at: now) }

    private mutating func change(by other: RecentUse, _ sign: Int64, at now: MonotonicInstant) {
        var other = other
        other.forget(until: now)
        forget(until: now)
        // Each rounds down what it keeps, so that a part can come to a little more than the sum.
        sum = max(0, sum + sign * other.sum)
    }

    /// In thousandths of one core.
    mutating func thousandths(at now: MonotonicInstant) -> Int64 {
        forget(until: now)
        return sum * 1000 / Self.full
    }

    private mutating func forget(until now: MonotonicInstant) {
        let passed = (now - Simulator.origin).nanoseconds / Self.period.nanoseconds
        let count = passed - periods
        guard count > 0 else { return }
        periods = passed
        guard count < Self.memory else { return sum = 0 }
        for _ in 0..<count { sum = sum * Self.kept / 1024 }
    }
}
