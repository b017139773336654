import WSMCore

/// How late the load's threads wake from their sleep on a shared machine; without one they are never late.
struct Pacing {
    let isOnSharedMachine: Bool
    private let span: TimeSpan
    private let cold: TimeSpan
    private var draws: SpreadDraws
    /// When one of the threads was last due.
    private var dueAt: MonotonicInstant

    init(_ machine: SharedMachine?, seed: UInt64, start: MonotonicInstant) {
        isOnSharedMachine = machine != nil
        span = machine?.pacing ?? .zero
        cold = machine?.pacingCold ?? .zero
        draws = SpreadDraws(machine?.pacingSpread ?? MeasuredSpread(), seed: seed, entity: 0)
        dueAt = start
    }

    /// How late a thread is that has slept until now: the longer no other was due, the later.
    mutating func lateness(at now: MonotonicInstant) -> TimeSpan {
        let rest = now - dueAt
        dueAt = now
        return draws.next(span + Coldness(after: rest).cost(cold))
    }
}
