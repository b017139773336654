import WSMCore

/// How measured times lie around their middle: a table of quantiles, from which a simulation draws.
///
/// Whole numbers throughout, so that a draw is the same on every machine.
package struct MeasuredSpread: Hashable, Sendable {
    /// A quantile: so many of a million are at most so many thousandths of the middle.
    package struct Point: Hashable, Sendable {
        package var perMillion: Int64
        package var perMille: Int64

        package init(perMillion: Int64, perMille: Int64) {
            self.perMillion = perMillion
            self.perMille = perMille
        }
    }

    /// Rising in both numbers, the first at 0 and the last at 1,000,000; empty: no spread at all.
    package var points: [Point]

    /// Takes the points as they are: who reads them from a file has checked that they rise.
    package init(points: [Point] = []) { self.points = points }

    /// The factor in thousandths at a place of the distribution, 0 ..< 1,000,000; between two quantiles along a line.
    package func perMille(at place: Int64) -> Int64 {
        guard let last = points.last else { return 1000 }
        guard let above = points.firstIndex(where: { $0.perMillion >= place }) else { return last.perMille }
        guard above > 0 else { return points[0].perMille }
        let (low, high) = (points[above - 1], points[above])
        let width = high.perMillion - low.perMillion
        guard width > 0 else { return high.perMille }
        return low.perMille + (high.perMille - low.perMille) * (place - low.perMillion) / width
    }
}

/// Draws times from a ``MeasuredSpread``, the same for the same seed and entity.
struct SpreadDraws {
    private var random: CounterRNG
    private let spread: MeasuredSpread

    init(_ spread: MeasuredSpread, seed: UInt64, entity: UInt64) {
        self.spread = spread
        random = CounterRNG(seed: seed, stream: .serviceTimes, entity: entity)
    }

    /// The next factor, in thousandths.
    mutating func next() -> Int64 {
        spread.points.isEmpty ? 1000 : spread.perMille(at: Int64(random.below(1_000_000)))
    }

    /// `span` times the next factor.
    mutating func next(_ span: TimeSpan) -> TimeSpan {
        TimeSpan(nanoseconds: span.nanoseconds * next() / 1000)
    }
}
