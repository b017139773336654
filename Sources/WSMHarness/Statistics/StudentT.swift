internal import Foundation

/// Student's t distribution: how far the mean of a few normal values strays, measured in their own estimated spread.
///
/// With three rounds a bootstrap has 27 samples to draw, ten different ones, and its intervals are too narrow by far; this
/// distribution is exact for normal values however few there are (Student, "The Probable Error of a Mean", 1908).
package enum StudentT {
    /// The probability of a value above `t`.
    ///
    /// By the regularized incomplete beta function: P(T > t) = ½ I(ν / (ν + t²); ν/2, ½) for t ≥ 0 (Abramowitz and Stegun,
    /// 26.7.1).
    package static func upperTail(_ t: Double, degreesOfFreedom: Double) -> Double {
        guard degreesOfFreedom > 0, !t.isNaN else { return .nan }
        guard t.isFinite else { return t > 0 ? 0 : 1 }
        let x = degreesOfFreedom / (degreesOfFreedom + t * t)
        let half = incompleteBeta(x, degreesOfFreedom / 2, 0.5) / 2
        return t >= 0 ? half : 1 - half
    }

    /// The value that is exceeded with probability `upperTail`, by bisection of ``upperTail(_:degreesOfFreedom:)``.
    ///
    /// - Parameter upperTail: Above 0 and at most 0.5.
    package static func quantile(upperTail probability: Double, degreesOfFreedom: Double) -> Double {
        guard probability > 0, degreesOfFreedom > 0 else { return .infinity }
        guard probability < 0.5 else { return 0 }
        var (low, high) = (0.0, 1.0)
        while upperTail(high, degreesOfFreedom: degreesOfFreedom) > probability, high < 1e12 { high *= 2 }
        for _ in 0..<100 {
            let middle = (low + high) / 2
            if upperTail(middle, degreesOfFreedom: degreesOfFreedom) > probability {
                low = middle
            } else {
                high = middle
            }
        }
        return (low + high) / 2
    }

    /// I(x; a, b), by its continued fraction (Abramowitz and Stegun, 26.5.8), evaluated with Lentz's method.
    private static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        guard x > 0 else { return 0 }
        guard x < 1 else { return 1 }
        let front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
        // The fraction converges fast on this side; the other is its mirror.
        return x < (a + 1) / (a + b + 2)
            ? front * continuedFraction(x, a, b) / a : 1 - front * continuedFraction(1 - x, b, a) / b
    }

    private static func continuedFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
        let tiny = 1e-300
        func kept(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
        var c = 1.0
        var d = 1 / kept(1 - (a + b) * x / (a + 1))
        var result = d
        for step in 1...500 {
            let m = Double(step)
            let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            d = 1 / kept(1 + even * d)
            c = kept(1 + even / c)
            result *= d * c
            let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            d = 1 / kept(1 + odd * d)
            c = kept(1 + odd / c)
            let factor = d * c
            result *= factor
            if abs(factor - 1) < 1e-14 { break }
        }
        return result
    }
}
