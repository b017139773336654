package import WSMCore

/// Numbers as people read them: three significant digits and a unit.
package enum Figures {
    /// `640 ns`, `12.3 µs`, `1.24 ms`, `4.20 s`, `12 min 30 s`.
    package static func time(_ nanoseconds: Double) -> String {
        guard nanoseconds >= 0 else { return "-" + time(-nanoseconds) }
        if nanoseconds >= 600e9 {
            let seconds = Int(clamping: nanoseconds / 1e9)
            return "\(grouped(seconds / 60)) min \(seconds % 60) s"
        }
        if nanoseconds < 999.5 { return "\(Int(nanoseconds.rounded())) ns" }
        for (unit, size) in [("µs", 1e3), ("ms", 1e6)] where nanoseconds < size * 999.5 {
            return "\(threeDigits(nanoseconds / size)) \(unit)"
        }
        return "\(threeDigits(nanoseconds / 1e9)) s"
    }

    package static func time(_ nanoseconds: Int64) -> String { time(Double(nanoseconds)) }
    package static func time(_ span: TimeSpan) -> String { time(Double(span.nanoseconds)) }

    /// `0.20/s`, `120/s`, `45.1k/s`, `1.20M/s`.
    package static func rate(_ perSecond: Double) -> String {
        scaled(perSecond) + "/s"
    }

    /// A whole number with commas between its thousands.
    package static func grouped(_ count: Int) -> String {
        let digits = Array(String(count.magnitude))
        var text = count < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// `512 B`, `45.2 MiB`.
    package static func bytes(_ count: Double) -> String {
        guard count >= 1024 else { return "\(Int(clamping: count)) B" }
        var value = count / 1024
        for unit in ["KiB", "MiB", "GiB"] {
            if value < 999.5 { return "\(threeDigits(value)) \(unit)" }
            value /= 1024
        }
        return "\(threeDigits(value)) TiB"
    }

    /// A part of a whole in per cent, rounded down: what is not all never reads `100 %`, and what is not nothing never `0 %`.
    package static func share(_ part: Int, of whole: Int) -> String {
        guard whole > 0 else { return "–" }
        if part == whole { return "100 %" }
        let hundredths = Int(clamping: Double(part) / Double(whole) * 10_000)
        if part > 0, hundredths < 1 { return "<0.01 %" }
        return "\(decimal(Double(min(hundredths, 9_999)) / 100, places: 2)) %"
    }

    /// A plain number with three significant digits; a larger whole part stays whole.
    package static func threeDigits(_ value: Double) -> String {
        let magnitude = abs(value)
        if magnitude < 9.995 { return decimal(value, places: 2) }
        if magnitude < 99.95 { return decimal(value, places: 1) }
        return grouped(Int(clamping: value.rounded()))
    }

    private static func scaled(_ value: Double) -> String {
        if value < 999.5 { return threeDigits(value) }
        if value < 999_500 { return threeDigits(value / 1e3) + "k" }
        return threeDigits(value / 1e6) + "M"
    }

    /// `value` with exactly `places` digits after the point, half away from zero.
    package static func decimal(_ value: Double, places: Int) -> String {
        var scale = 1
        for _ in 0..<places { scale *= 10 }
        let whole = Int(clamping: (abs(value) * Double(scale)).rounded())
        let sign = value < 0 && whole > 0 ? "-" : ""
        guard places > 0 else { return sign + grouped(whole) }
        let fraction = String(whole % scale)
        return sign + grouped(whole / scale) + "." + String(repeating: "0", count: places - fraction.count) + fraction
    }
}

extension Int {
    /// The whole part of `value`; the nearest end of the range where it does not fit, 0 for not-a-number.
    fileprivate init(clamping value: Double) {
        if value.isNaN {
            self = 0
        } else if value >= 0x1p63 {
            self = .max
        } else if value < -0x1p63 {
            self = .min
        } else {
            self = Int(value)
        }
    }
}
