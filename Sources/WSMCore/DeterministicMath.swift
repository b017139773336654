/// Logarithm and exponential from IEEE 754 basic operations alone.
///
/// The C library picks other instructions on other processors and may differ in the last bit; a plan drawn from a seed
/// must be the same on every machine. Both are accurate to some 2 ulp, which a random draw does not notice.
package enum DeterministicMath {
    private static let ln2High = 6.93147180369123816490e-01
    private static let ln2Low = 1.90821492927058770002e-10

    /// The natural logarithm of a positive, finite, normal number: argument reduction to [√½, √2) and the series of
    /// log((1+s)/(1−s)), with the coefficients of fdlibm's `e_log.c`.
    package static func log(_ x: Double) -> Double {
        precondition(x > 0 && x.isFinite, "the logarithm needs a positive number")
        guard x.isNormal else { return log(x * 0x1p54) - 54 * (ln2High + ln2Low) }
        var exponent = Double(x.exponent)
        var fraction = x.significand
        if fraction > 1.4142135623730951 {
            fraction /= 2
            exponent += 1
        }
        let f = fraction - 1
        let s = f / (2 + f)
        let z = s * s
        let w = z * z
        let odd = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
        let even =
            z
            * (6.666666666666735130e-01
                + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)))
        let half = 0.5 * f * f
        return exponent * ln2High - ((half - (s * (half + odd + even) + exponent * ln2Low)) - f)
    }

    /// e to the power of `x`; 0 and infinity where the result leaves the range of a `Double`.
    package static func exp(_ x: Double) -> Double {
        if x > 709.7 { return .infinity }
        if x < -708 { return 0 }
        let scale = (x / (ln2High + ln2Low)).rounded()
        let reduced = (x - scale * ln2High) - scale * ln2Low
        var term = 1.0
        var sum = 1.0
        // |reduced| ≤ 0.35: after 18 terms the rest is below 2⁻⁵³ of the sum.
        for index in 1...18 {
            term *= reduced / Double(index)
            sum += term
        }
        return sum * Double(sign: .plus, exponent: Int(scale), significand: 1)
    }
}
