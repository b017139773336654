package import WSMVerify

/// What a checker found out about one guarantee, and what was expected of it.
package struct GuaranteeResult: Codable, Hashable, Sendable {
    package typealias Verdict = WSMVerify.Verdict

    /// What the run needs of the guarantee to pass.
    package enum Expectation: String, Codable, Sendable, CaseIterable {
        case holds
        case violated
        /// Whatever was found does not decide the run.
        case any
    }

    /// The guarantee's name, `publisher-order`.
    package var id: String
    /// Whether the manager promises it under this scenario.
    ///
    /// A guarantee that the workload cannot exercise (the order of a process where no process runs) is not promised: it
    /// would never be known.
    package var promised: Bool
    /// The scenario's own expectation, or else `holds` for a promised guarantee and `any` for another.
    package var expected: Expectation
    package var verdict: Verdict
    /// How many facts the checker looked at.
    package var checked: Int
    package var violations: Int
    /// The smallest violation, or why nothing is known: who, what, when.
    package var witness: String?
    /// The same violation as events, for a drawing; `nil` where there are none.
    package var witnessEvents: [WitnessEvent]?

    package init(
        id: String, promised: Bool, expected: Expectation? = nil, verdict: Verdict, checked: Int, violations: Int = 0,
        witness: String? = nil
    ) {
        self.id = id
        self.promised = promised
        self.expected = expected ?? (promised ? .holds : .any)
        self.verdict = verdict
        self.checked = checked
        self.violations = violations
        self.witness = witness
    }
    /// The answer of a checker together with what was expected of it; without an `expected` of the scenario's own, what
    /// the manager promises.
    package init(_ outcome: GuaranteeOutcome, promised: Bool, expected: Expectation? = nil) {
        self.init(
            id: outcome.id.rawValue, promised: promised, expected: expected, verdict: outcome.verdict,
            checked: Int(outcome.checked), violations: Int(outcome.violations), witness: outcome.witness)
        witnessEvents = outcome.witnessEvents
    }

    /// Whether it is certainly not as expected.
    package var isContradicted: Bool {
        (expected == .holds && verdict == .violated) || (expected == .violated && verdict == .holds)
    }
}
