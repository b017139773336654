/// Writes the number of a metric in the unit that its path implies.
package enum MetricFormat {
    /// `1.24 ms` for `latency.p99`, `45.2 MiB` for a memory metric, `1,203` for a count.
    package static func text(_ value: Double, path: String) -> String {
        let parts = path.split(separator: ".")
        guard let last = parts.last else { return Figures.threeDigits(value) }
        if last == "perSecond" { return Figures.rate(value) }
        if last.hasSuffix("Bytes") { return Figures.bytes(value) }
        if last.hasPrefix("cpuSeconds") { return "\(Figures.threeDigits(value)) s" }
        if last.hasSuffix("Nanoseconds") { return Figures.time(value) }
        let isStatistic = ["min", "mean", "p50", "p90", "p99", "p999", "max"].contains(last)
        if isStatistic, parts.count >= 2 { return Figures.time(value) }
        return value == value.rounded() && abs(value) < 1e15
            ? Figures.grouped(Int(value)) : Figures.threeDigits(value)
    }
}
