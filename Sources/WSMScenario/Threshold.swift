import WSMCore

/// A condition on one number of the result: `latency.p99 < 50ms`.
package struct Threshold: Hashable, Sendable {
    package enum Operator: String, CaseIterable, Sendable {
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case equal = "=="
    }

    /// As it was written, with single spaces between its parts.
    package var expression: String
    /// The number's path in `result.json`.
    package var path: String
    package var op: Operator
    /// What it is compared with, in the unit that the result uses (nanoseconds, bytes, a second, seconds of CPU).
    package var value: Double
    /// The unit that was written; empty for a plain number.
    package var unit: String

    /// Whether `actual` keeps to it.
    ///
    /// A metric without samples has no value and misses every threshold.
    package func evaluate(_ actual: Double?) -> Bool {
        guard let actual, !actual.isNaN else { return false }
        switch op {
        case .less: return actual < value
        case .lessOrEqual: return actual <= value
        case .greater: return actual > value
        case .greaterOrEqual: return actual >= value
        case .equal: return actual == value
        }
    }
}

extension Threshold {
    private static let form = "write a path, one of < <= > >= == and a number with its unit: latency.p99 < 50ms"

    /// Reads an expression; the error says what is wrong with it and what was most likely meant.
    package static func parse(_ text: String) -> Result<Threshold, ThresholdError> {
        do {
            return .success(try read(text))
        } catch {
            return .failure(ThresholdError(message: error.message, hint: error.hint))
        }
    }

    /// Why an expression is no threshold.
    package struct ThresholdError: Error, Hashable {
        package let message: String
        package let hint: String
    }

    private static func read(_ text: String) throws(QuantityError) -> Threshold {
        let signs: Set<Character> = ["<", ">", "=", "!", "≤", "≥"]
        guard let start = text.firstIndex(where: { signs.contains($0) }) else {
            throw QuantityError(message: "\(Diagnostic.quoted(text)) compares nothing", hint: form)
        }
        let path = QuantityReader.trimmed(text[..<start])
        let sign = text[start...].prefix { signs.contains($0) }
        let limit = QuantityReader.trimmed(text[start...].dropFirst(sign.count))
        guard let op = Operator(rawValue: String(sign)) else {
            throw QuantityError(message: "\(Diagnostic.quoted(String(sign))) is not a comparison", hint: form)
        }
        guard let dimension = MetricCatalogue.dimension(of: path) else {
            let nearest = EditDistance.nearest(to: path, among: MetricCatalogue.metrics.map(\.path))
            throw QuantityError(
                message: "there is no metric \(Diagnostic.quoted(path))",
                hint: nearest.map { "did you mean \($0)?" } ?? form)
        }
        let value = try read(limit, as: dimension)
        let unit = String(limit.drop { $0.isNumber || $0 == "." || $0 == " " })
        return Threshold(
            expression: "\(path) \(op.rawValue) \(limit)", path: path, op: op, value: value, unit: unit)
    }

    private static func read(_ text: String, as dimension: Dimension) throws(QuantityError) -> Double {
        switch dimension {
        case .time:
            return Double(try QuantityReader.duration(text).nanoseconds)
        case .count:
            do {
                return try QuantityReader.number(text)
            } catch {
                throw QuantityError(message: error.message, hint: "it counts something: a number without a unit")
            }
        case .rate:
            return try QuantityReader.rate(text).perSecond
        case .bytes:
            return Double(try QuantityReader.size(text))
        case .cpuSeconds:
            if text.last?.isNumber == true { return try QuantityReader.number(text) }
            return Double(try QuantityReader.duration(text).nanoseconds) / 1e9
        }
    }
}
