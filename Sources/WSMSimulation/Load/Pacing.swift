import WSMCore

/// How late the load's threads wake from their sleep on a shared machine; without one they are never late.
struct Pacing {
    let isOnSharedMachine: Bool
    private let span: TimeSpan
    private let cold: TimeSpan
    private var draws: SpreadDraws

    init(_ machine: SharedMachine?, seed: UInt64) {
        isOnSharedMachine = machine != nil
        span = machine?.pacing ?? .zero
        cold = machine?.pacingCold ?? .zero
        draws = SpreadDraws(machine?.pacingSpread ?? MeasuredSpread(), seed: seed, entity: 0)
    }

    /// - Parameter rest: How long no thread of the load has been woken by its timer.
    mutating func next(after rest: TimeSpan) -> TimeSpan { draws.next(span + Coldness(after: rest).cost(cold)) }
}
