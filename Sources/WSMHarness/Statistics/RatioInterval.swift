internal import Foundation
internal import WSMCore

/// How many times a figure is on one arm what it is on another, and between which values that lies with 95 % confidence.
///
/// Two intervals are computed, and the wider ends of both are taken:
///
/// - the percentile bootstrap of the ratio of medians (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter
///   13): rounds are drawn with replacement, both arms of a round together, since they ran one after the other;
/// - Student's interval for the mean logarithm of the rounds' ratios. With few rounds the bootstrap is too narrow: of three
///   rounds it never says more than what it has seen (Hesterberg, "What Teachers Should Know About the Bootstrap", 2015).
package struct RatioInterval: Hashable, Sendable {
    /// The ratio of the medians, b to a.
    package var ratio: Double
    package var low: Double
    package var high: Double

    /// How many samples are drawn unless somebody asks for fewer.
    package static let draws = 4_000
    /// Fewer rounds say nothing about how much figures vary.
    package static let fewestRounds = 3

    /// The interval for rounds that ran in turns; `nil` for fewer than three, and where a value is not above zero.
    ///
    /// - Parameters:
    ///   - a: A figure on one arm, by round.
    ///   - b: The same on the other, as many.
    ///   - seed: Decides the draws: the same values and seed, the same interval.
    package static func paired(_ a: [Double], _ b: [Double], seed: UInt64, draws: Int = draws) -> RatioInterval? {
        guard a.count == b.count, a.count >= fewestRounds, isPositive(a), isPositive(b) else { return nil }
        let differences = zip(a, b).map { log($1 / $0) }
        var random = CounterRNG(seed: seed, stream: .resampling, entity: UInt64(a.count))
        let ratios = (0..<draws).map { _ in
            let rounds = a.map { _ in Int(random.next() % UInt64(a.count)) }
            return median(rounds.map { b[$0] }) / median(rounds.map { a[$0] })
        }
        let spread = variance(differences) / Double(a.count)
        return interval(
            a, b, ratios: ratios, mean: mean(differences), variance: spread, degreesOfFreedom: Double(a.count - 1))
    }

    /// The same for runs that have nothing to do with each other, as stored ones: both sides are drawn by themselves, and
    /// Student's interval is Welch's (1947).
    package static func unpaired(_ a: [Double], _ b: [Double], seed: UInt64, draws: Int = draws) -> RatioInterval? {
        guard a.count >= fewestRounds, b.count >= fewestRounds, isPositive(a), isPositive(b) else { return nil }
        var random = CounterRNG(seed: seed, stream: .resampling, entity: UInt64(a.count) << 32 | UInt64(b.count))
        func drawn(_ values: [Double], _ random: inout CounterRNG) -> Double {
            median(values.map { _ in values[Int(random.next() % UInt64(values.count))] })
        }
        let ratios = (0..<draws).map { _ in
            let denominator = drawn(a, &random)
            return drawn(b, &random) / denominator
        }
        let logsA = a.map { log($0) }
        let logsB = b.map { log($0) }
        let partA = variance(logsA) / Double(a.count)
        let partB = variance(logsB) / Double(b.count)
        let sum = partA + partB
        // Welch and Satterthwaite's degrees of freedom; without any spread no more than the smaller side has.
        let degrees =
            sum > 0
            ? sum * sum / (partA * partA / Double(a.count - 1) + partB * partB / Double(b.count - 1))
            : Double(min(a.count, b.count) - 1)
        return interval(
            a, b, ratios: ratios, mean: mean(logsB) - mean(logsA), variance: sum, degreesOfFreedom: degrees)
    }

    private static func interval(
        _ a: [Double], _ b: [Double], ratios: [Double], mean: Double, variance: Double, degreesOfFreedom: Double
    ) -> RatioInterval {
        let sorted = ratios.sorted()
        let reach = StudentT.quantile(upperTail: 0.025, degreesOfFreedom: degreesOfFreedom) * variance.squareRoot()
        let ratio = median(b) / median(a)
        // The ratio of medians need not lie within Student's interval, which is about means.
        return RatioInterval(
            ratio: ratio, low: min(ratio, exp(mean - reach), Quantile.of(sorted, 0.025) ?? ratio),
            high: max(ratio, exp(mean + reach), Quantile.of(sorted, 0.975) ?? ratio))
    }

    private static func isPositive(_ values: [Double]) -> Bool { values.allSatisfy { $0 > 0 && $0.isFinite } }
    private static func median(_ values: [Double]) -> Double { Quantile.median(values) ?? 0 }
    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    /// The unbiased estimate of the variance.
    private static func variance(_ values: [Double]) -> Double {
        let middle = mean(values)
        return values.reduce(0) { $0 + ($1 - middle) * ($1 - middle) } / Double(values.count - 1)
    }
}
