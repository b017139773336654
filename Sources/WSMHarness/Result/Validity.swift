/// Whether the load generator measured the system or itself.
package struct Validity: Codable, Hashable, Sendable {
    package enum Verdict: String, Codable, Sendable, CaseIterable {
        case valid
        /// Something was off, but not so far that the numbers mean nothing.
        case suspect
        /// The generator spoiled the run: its numbers are not the system's.
        case invalid
    }

    package var verdict: Verdict
    /// Why it is not simply valid; one sentence each, with the measured value and its bound.
    package var reasons: [String]

    package init(verdict: Verdict = .valid, reasons: [String] = []) {
        self.verdict = verdict
        self.reasons = reasons
    }
}
