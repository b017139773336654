/// Medians and quantiles of a few values.
package enum Quantile {
    /// The median; the mean of the middle two of an even number, `nil` of none.
    package static func median(_ values: [Double]) -> Double? { of(values.sorted(), 0.5) }

    /// The quantile of sorted values, with a straight line between neighbours; `nil` of none.
    ///
    /// The definition that numpy and R use unless told otherwise (Hyndman and Fan, "Sample Quantiles in Statistical Packages",
    /// 1996, definition 7).
    package static func of(_ sorted: [Double], _ share: Double) -> Double? {
        guard let last = sorted.indices.last else { return nil }
        let place = share * Double(last)
        let below = min(last, max(0, Int(place)))
        let above = min(last, below + 1)
        return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
    }
}
