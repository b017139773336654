import WSMCore

/// How late the load's threads wake from their sleep on a shared machine; without one they are never late.
struct Pacing {
    private let span: TimeSpan
    private let cold: TimeSpan
    private var draws: SpreadDraws

    init(_ machine: SharedMachine?, seed: UInt64) {
        span = machine?.pacing ?? .zero
        cold = machine?.pacingCold ?? .zero
        draws = SpreadDraws(machine?.pacingSpread ?? MeasuredSpread(), seed: seed, entity: 0)
    }

    mutating func next(after sleep: TimeSpan) -> TimeSpan { draws.next(span + Coldness(after: sleep).cost(cold)) }
}
