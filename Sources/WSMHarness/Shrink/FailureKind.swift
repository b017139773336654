/// In which way a run failed: the condition that its verdict names, and all others that it missed as well.
///
/// A run *fails in the same way* when the same condition fails and none beside it that had not failed before: what a shrinker
/// must keep, so that it does not slip from one fault to another.
package struct FailureKind: Codable, Hashable, Sendable {
    /// The guarantee or threshold that decided the verdict.
    package var condition: String
    /// Everything that is not as expected, ``condition`` among it.
    package var conditions: Set<String>

    /// The way in which a run failed; `nil` for one that passed or shows nothing.
    package init?(_ result: RunResult) {
        var wrong: [String] = []
        switch result.verdict {
        case .passed, .inconclusive: return nil
        case .guarantee:
            wrong = result.guarantees.filter(\.isContradicted).map(\.id)
            if result.clients.refused?.violation != nil { wrong.append("refused clients") }
        case .threshold: wrong = result.thresholds.filter { !$0.passed }.map(\.expression)
        }
        guard let first = wrong.first else { return nil }
        condition = first
        conditions = Set(wrong)
    }

    /// Whether a run failed in this way again.
    package func isRepeated(by result: RunResult) -> Bool {
        guard let other = FailureKind(result) else { return false }
        return other.conditions.contains(condition) && other.conditions.isSubset(of: conditions)
    }
}
