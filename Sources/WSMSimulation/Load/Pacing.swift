import WSMCore

/// How late the load's threads wake from their sleep on a shared machine; without one they are never late.
struct Pacing {
    private let span: TimeSpan
    private var draws: SpreadDraws

    init(_ machine: SharedMachine?, seed: UInt64) {
        span = machine?.pacing ?? .zero
        draws = SpreadDraws(machine?.pacingSpread ?? MeasuredSpread(), seed: seed, entity: 0)
    }

    mutating func next() -> TimeSpan { draws.next(span) }
}
