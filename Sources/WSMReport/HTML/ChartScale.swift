#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Which of the two drawings of a chart: one for a desk and paper, one for a phone.
struct ChartSize {
    var name: String
    var width: Double
    var height: Double
    /// From the left edge to the axis, and from the right edge to the end of the drawing.
    var left: Double
    var right: Double

    static func both(height: Double, right: Double = 16) -> [ChartSize] {
        [
            ChartSize(name: "wide", width: 880, height: height, left: 64, right: right),
            ChartSize(name: "narrow", width: 360, height: height, left: 52, right: right > 16 ? 34 : 14),
        ]
    }

    var isNarrow: Bool { width < 500 }
}

/// Places values along an axis.
struct ChartScale {
    enum Kind { case linear, logarithmic }

    var kind: Kind
    var low: Double
    var high: Double
    /// Where `low` and `high` are drawn.
    var start: Double
    var end: Double

    /// A scale from 0 to `most`.
    static func linear(to most: Double, start: Double, end: Double) -> ChartScale {
        ChartScale(kind: .linear, low: 0, high: most > 0 ? most : 1, start: start, end: end)
    }

    /// A scale over whole powers of ten that hold `least` and `most`.
    static func logarithmic(_ least: Double, _ most: Double, start: Double, end: Double) -> ChartScale {
        let low = floor(log10(max(least, 1)))
        let high = max(ceil(log10(max(most, 10))), low + 1)
        return ChartScale(kind: .logarithmic, low: pow(10, low), high: pow(10, high), start: start, end: end)
    }

    func place(_ value: Double) -> Double {
        let share: Double
        switch kind {
        case .linear: share = (value - low) / (high - low)
        case .logarithmic: share = (log10(max(value, low)) - log10(low)) / (log10(high) - log10(low))
        }
        return start + min(1, max(0, share)) * (end - start)
    }

    /// Values for labels: powers of ten, or at most `count` round steps.
    func ticks(_ count: Int) -> [Double] {
        guard kind == .linear else {
            let exponents = stride(from: log10(low).rounded(), through: log10(high).rounded(), by: 1)
            let all = exponents.map { pow(10, $0) }
            let step = max(1, (all.count + count - 1) / count)
            return all.enumerated().filter { $0.offset % step == 0 }.map(\.element)
        }
        let rough = (high - low) / Double(max(1, count))
        let power = pow(10, floor(log10(rough)))
        let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? rough
        return Array(stride(from: low, through: high * 1.000001, by: step))
    }
}

/// The axis of nines: 1 stands for 90 %, 2 for 99 %, 3 for 99.9 %.
enum Nines {
    static func percent(at position: Double) -> Double { 100 * (1 - pow(10, -position)) }

    /// How many nines so many samples can tell: 1,000 have three.
    static func position(of count: Double) -> Double { log10(max(1, count)) }
}

/// A coordinate with one decimal at the most.
func coordinate(_ value: Double) -> String {
    let tenths = (value.isFinite ? value * 10 : 0).rounded()
    return tenths.truncatingRemainder(dividingBy: 10) == 0
        ? String(Int(tenths / 10)) : String(Double(Int(tenths)) / 10)
}
