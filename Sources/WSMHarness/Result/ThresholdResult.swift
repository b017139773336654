/// One condition of the scenario, and the number it was held against.
package struct ThresholdResult: Codable, Hashable, Sendable {
    /// As the scenario has it: `latency.p99 < 50ms`.
    package var expression: String
    /// The number, in the unit of the result's field; `nil` without samples, which misses every threshold.
    package var actual: Double?
    package var passed: Bool

    package init(expression: String, actual: Double?, passed: Bool) {
        self.expression = expression
        self.actual = actual.flatMap { $0.isFinite ? $0 : nil }
        self.passed = passed
    }

    /// The path that the expression begins with: `latency.p99`.
    package var path: String {
        String(expression.prefix { $0 != " " && $0 != "<" && $0 != ">" && $0 != "=" })
    }
}
