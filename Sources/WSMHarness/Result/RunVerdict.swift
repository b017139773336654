internal import WSMVerify

/// Turns what a run measured into its verdict and exit code.
///
/// A pure function, so that a table can test it.
package enum RunVerdict {
    package struct Judgement: Hashable, Sendable {
        package var verdict: RunResult.Verdict
        package var exitCode: ExitCode
        /// The one reason, as a sentence without its full stop.
        package var reason: String
    }

    /// Judges a run. The first of these that applies decides:
    ///
    /// 1. The run is INVALID: *inconclusive*, whatever its numbers say, since they are not the system's.
    /// 2. A guarantee was found to be the opposite of what is expected, or a client was let in that has no right, or
    ///    refused that has it: *guarantee*.
    /// 3. A threshold was missed: *threshold*. One without samples is missed.
    /// 4. A guarantee with an expectation is unknown, or nothing was delivered at all: *inconclusive*.
    /// 5. The run was interrupted before its time, so that it cannot have shown everything: *inconclusive*.
    /// 6. Otherwise *passed*.
    ///
    /// An interrupted run keeps the verdict so found; its exit code is 130.
    package static func judge(
        validity: Validity, delivery: DeliveryCounts, thresholds: [ThresholdResult], guarantees: [GuaranteeResult],
        refused: RefusedClients? = nil, interrupted: Bool
    ) -> Judgement {
        var judgement = judge(
            validity: validity, delivery: delivery, thresholds: thresholds, guarantees: guarantees, refused: refused)
        guard interrupted else { return judgement }
        if judgement.verdict == .passed {
            judgement.verdict = .inconclusive
            judgement.reason = "interrupted; until then \(judgement.reason)"
        }
        judgement.exitCode = .interrupted
        return judgement
    }

    /// Judges a result by its fields.
    package static func judge(_ result: RunResult) -> Judgement {
        judge(
            validity: result.validity, delivery: result.delivery, thresholds: result.thresholds,
            guarantees: result.guarantees, refused: result.clients.refused, interrupted: result.interrupted)
    }

    private static func judge(
        validity: Validity, delivery: DeliveryCounts, thresholds: [ThresholdResult], guarantees: [GuaranteeResult],
        refused: RefusedClients?
    ) -> Judgement {
        if validity.verdict == .invalid {
            let why = validity.reasons.first.map { ": \($0)" } ?? ""
            return Judgement(verdict: .inconclusive, exitCode: .inconclusive, reason: "the run is INVALID\(why)")
        }
        if let reason = contradiction(in: guarantees) ?? refused?.violation {
            return Judgement(verdict: .guarantee, exitCode: .guaranteeViolated, reason: reason)
        }
        let missed = thresholds.filter { !$0.passed }
        if let first = missed.first {
            let more = missed.count > 1 ? " and \(missed.count - 1) more" : ""
            let what = first.actual == nil ? "\(first.expression) has no samples" : "\(first.expression) missed"
            return Judgement(verdict: .threshold, exitCode: .thresholdMissed, reason: what + more)
        }
        if let reason = lackOfEvidence(delivery: delivery, guarantees: guarantees) {
            return Judgement(verdict: .inconclusive, exitCode: .inconclusive, reason: reason)
        }
        return Judgement(
            verdict: .passed, exitCode: .passed, reason: success(delivery: delivery, guarantees: guarantees))
    }

    /// The first guarantee that is certainly not as expected.
    private static func contradiction(in guarantees: [GuaranteeResult]) -> String? {
        let wrong = guarantees.filter(\.isContradicted)
        guard let first = wrong.first else { return nil }
        let more = wrong.count > 1 ? ", and \(wrong.count - 1) more" : ""
        return first.verdict == .violated
            ? "\(first.id) is violated\(more)" : "\(first.id) holds, but the scenario expects it violated\(more)"
    }

    private static func lackOfEvidence(delivery: DeliveryCounts, guarantees: [GuaranteeResult]) -> String? {
        if delivery.expected == 0 { return "no delivery was expected, so nothing was shown" }
        if delivery.received == 0 { return "nothing was delivered" }
        let unknown = guarantees.filter { $0.expected != .any && $0.verdict == .unknown }
        guard let first = unknown.first else { return nil }
        return "\(first.id) is unknown" + (unknown.count > 1 ? ", and \(unknown.count - 1) more" : "")
    }

    private static func success(delivery: DeliveryCounts, guarantees: [GuaranteeResult]) -> String {
        if delivery.lost == 0, delivery.indeterminate == 0 { return "every expected delivery arrived" }
        let foreseen = guarantees.contains { $0.expected == .violated }
        return foreseen ? "everything is as the scenario expects" : "what was promised was kept"
    }
}
