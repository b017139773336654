internal import Foundation

/// How one figure of the new build compares with the old build's, over rounds of three runs each: old, new, old again.
///
/// The logarithms of the three values of round r are taken as μ(r) + τ·[new] + ε: the round's own level (a machine that gets
/// warmer or busier moves all three), the effect of the new build, and normal noise of the standard deviation σ. The contrasts
///
///     d(r) = [new − (old + control) / 2] / √(3/2)
///     e(r) = [control − old] / √2
///
/// both have the variance σ². The effect is estimated by the mean of d, and σ² by [Σ (d − mean d)² + Σ e²] / (2 R − 1): the two
/// runs of the old build, which can differ by noise alone, say what noise is. A drift that is even over a round cancels in d,
/// since the new build runs in the middle. (A two-way analysis of variance without interaction; Student's t with 2 R − 1 degrees
/// of freedom.)
///
/// From four rounds on the mean is Huber's: a contrast counts up to ``clip`` σ and no further, so that one run that something
/// else on the machine spoiled does not drown all the others (Huber, "Robust Estimation of a Location Parameter", 1964, with
/// the variance from its equation 18; σ for the clipping from the median of the absolute values).
package struct GateEstimate: Hashable, Sendable {
    /// The logarithm of new to old.
    package var effect: Double
    package var standardError: Double
    package var degreesOfFreedom: Double

    /// Rounds from which on outliers can be told from noise.
    static let robustFrom = 4
    /// Of normal values one in eight lies beyond.
    static let clip = 1.5

    /// The new build against both runs of the old one.
    ///
    /// - Parameter rounds: The values of each round, all above zero; at least two rounds.
    package static func ofNew(_ rounds: [GateValues]) -> GateEstimate {
        let differences = rounds.map { $0.difference / 1.5.squareRoot() }
        let controls = rounds.map { $0.control / 2.0.squareRoot() }
        return estimate(differences, noise: controls, noiseDegrees: controls.count).scaled(by: 1.5.squareRoot())
    }

    /// The old build against itself; the new build's effect takes one degree of freedom from the noise.
    package static func ofControl(_ rounds: [GateValues]) -> GateEstimate {
        let differences = rounds.map { $0.difference / 1.5.squareRoot() }
        let controls = rounds.map { $0.control / 2.0.squareRoot() }
        let middle =
            rounds.count < robustFrom
            ? differences.reduce(0, +) / Double(rounds.count) : Quantile.median(differences) ?? 0
        return estimate(controls, noise: differences.map { $0 - middle }, noiseDegrees: differences.count - 1)
            .scaled(by: 2.0.squareRoot())
    }

    /// The location of `values` and its error; `noise` lies around zero and has their variance.
    private static func estimate(_ values: [Double], noise: [Double], noiseDegrees: Int) -> GateEstimate {
        let degrees = Double(values.count - 1 + noiseDegrees)
        var limit = Double.infinity
        var location = values.reduce(0, +) / Double(values.count)
        if values.count >= robustFrom, let middle = Quantile.median(values) {
            // The median of absolute normal values is 0.6745 σ.
            let spread = (Quantile.median((values.map { $0 - middle } + noise).map(abs)) ?? 0) / 0.6745
            if spread > 0 {
                limit = clip * spread
                location = clippedMean(values, from: middle, limit)
            }
        }
        let residuals = values.map { $0 - location } + noise
        let sum = residuals.reduce(0) { $0 + min(abs($1), limit) * min(abs($1), limit) }
        let free = Double(residuals.count { abs($0) <= limit }) / Double(residuals.count)
        let variance = sum / degrees / (free * free)
        return GateEstimate(
            effect: location, standardError: (variance / Double(values.count)).squareRoot(), degreesOfFreedom: degrees)
    }

    /// The location around which the deviations, each clipped at `limit`, add up to nothing.
    private static func clippedMean(_ values: [Double], from start: Double, _ limit: Double) -> Double {
        var location = start
        for _ in 0..<50 {
            let step = values.reduce(0) { $0 + max(-limit, min(limit, $1 - location)) } / Double(values.count)
            location += step
            if abs(step) < 1e-12 { break }
        }
        return location
    }

    private func scaled(by factor: Double) -> GateEstimate {
        GateEstimate(
            effect: effect * factor, standardError: standardError * factor, degreesOfFreedom: degreesOfFreedom)
    }

    /// Whether the effect is above zero at the one-sided level `alpha`.
    package func isWorse(alpha: Double) -> Bool {
        guard effect > 0 else { return false }
        guard standardError > 0 else { return true }
        return StudentT.upperTail(effect / standardError, degreesOfFreedom: degreesOfFreedom) < alpha
    }

    /// Whether the effect is not zero at the level `alpha`, either way.
    package func isDifferent(alpha: Double) -> Bool {
        isWorse(alpha: alpha / 2)
            || GateEstimate(effect: -effect, standardError: standardError, degreesOfFreedom: degreesOfFreedom)
                .isWorse(alpha: alpha / 2)
    }

    /// The interval of `confidence` around the effect, as ratios of new to old.
    package func interval(confidence: Double = 0.95) -> (low: Double, high: Double) {
        let tail = (1 - confidence) / 2
        let reach =
            standardError > 0
            ? StudentT.quantile(upperTail: tail, degreesOfFreedom: degreesOfFreedom) * standardError : 0
        return (exp(effect - reach), exp(effect + reach))
    }

    package var ratio: Double { exp(effect) }
}

/// One figure in the three runs of a round.
package struct GateValues: Hashable, Sendable {
    package var old: Double
    package var new: Double
    package var again: Double

    package init(old: Double, new: Double, again: Double) {
        self.old = old
        self.new = new
        self.again = again
    }

    /// The logarithm of new to the old build's geometric mean.
    var difference: Double { log(new) - (log(old) + log(again)) / 2 }
    /// The logarithm of the old build's second run to its first.
    var control: Double { log(again / old) }
    var isPositive: Bool { old > 0 && new > 0 && again > 0 }
}
