/// A distribution of lengths of time, as a scenario writes it: `20ms`, `exponential(20ms)`, `uniform(10ms, 30ms)`,
/// `lognormal(20ms, 0.5)`.
public enum Distribution: Hashable, Sendable {
    case constant(TimeSpan)
    /// By its mean.
    case exponential(mean: TimeSpan)
    case uniform(from: TimeSpan, to: TimeSpan)
    /// By its median and the standard deviation of its logarithm.
    case lognormal(median: TimeSpan, sigma: Double)

    /// The mean length.
    public var mean: TimeSpan {
        switch self {
        case .constant(let span): span
        case .exponential(let mean): mean
        case .uniform(let from, let to): TimeSpan(nanoseconds: from.nanoseconds / 2 + to.nanoseconds / 2)
        case .lognormal(let median, let sigma): median.scaled(by: DeterministicMath.exp(sigma * sigma / 2))
        }
    }

    /// One length, never negative, rounded to the nanosecond.
    public func draw(from random: inout CounterRNG) -> TimeSpan {
        switch self {
        case .constant(let span):
            return span
        case .exponential(let mean):
            return mean.scaled(by: -DeterministicMath.log(1 - random.unit()))
        case .uniform(let from, let to):
            return from + (to - from).scaled(by: random.unit())
        case .lognormal(let median, let sigma):
            return median.scaled(by: DeterministicMath.exp(sigma * Distribution.normal(&random)))
        }
    }

    /// A draw of the standard normal distribution by Marsaglia's polar method.
    private static func normal(_ random: inout CounterRNG) -> Double {
        while true {
            let x = 2 * random.unit() - 1
            let y = 2 * random.unit() - 1
            let square = x * x + y * y
            if square > 0, square < 1 {
                return x * (-2 * DeterministicMath.log(square) / square).squareRoot()
            }
        }
    }
}

extension TimeSpan {
    /// The length times `factor`, rounded, and held within what an `Int64` of nanoseconds can say.
    public func scaled(by factor: Double) -> TimeSpan {
        let product = (Double(nanoseconds) * factor).rounded()
        return TimeSpan(nanoseconds: Int64(max(-9.2e18, min(9.2e18, product))))
    }
}
