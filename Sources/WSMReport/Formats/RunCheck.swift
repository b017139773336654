import WSMHarness
internal import WSMVerify

/// One thing that a run had to show, and what it showed: a test case for whoever reads reports.
///
/// A run has at least one check that failed or stayed without proof if, and only if, its exit code is not 0.
struct RunCheck: Hashable {
    enum Subject: Hashable {
        /// Whether the load generator measured the system and not itself.
        case validity
        case threshold(expression: String)
        case guarantee(id: String)
        /// What no threshold and no guarantee says: nothing was delivered, Ctrl-C, somebody let in without a right.
        case verdict
    }

    enum Outcome: Hashable {
        case passed
        case failed
        /// Nothing can be said, where something had to be shown.
        case unproven
        /// Nothing was expected of it, or its numbers mean nothing.
        case skipped
    }

    var subject: Subject
    var outcome: Outcome
    /// What was found, in a sentence; empty where there is nothing to add.
    var message: String

    /// All checks of a run: its validity first, then thresholds and guarantees in their order.
    static func all(of result: RunResult) -> [RunCheck] {
        var checks = [validity(result.validity)]
        let isVoid = result.validity.verdict == .invalid
        checks += result.thresholds.map { threshold($0, isVoid: isVoid) }
        checks += result.guarantees.map { guarantee($0, isVoid: isVoid) }
        let isRed = checks.contains { $0.outcome == .failed || $0.outcome == .unproven }
        if !isRed, result.exitCode != ExitCode.passed.rawValue {
            let outcome: Outcome = result.verdict == .guarantee ? .failed : .unproven
            checks.append(RunCheck(subject: .verdict, outcome: outcome, message: result.reason))
        }
        return checks
    }

    private static func validity(_ validity: Validity) -> RunCheck {
        let reasons = validity.reasons.joined(separator: "; ")
        return switch validity.verdict {
        case .valid: RunCheck(subject: .validity, outcome: .passed, message: "")
        case .suspect: RunCheck(subject: .validity, outcome: .passed, message: "the run is SUSPECT: \(reasons)")
        case .invalid: RunCheck(subject: .validity, outcome: .unproven, message: "the run is INVALID: \(reasons)")
        }
    }

    private static func threshold(_ result: ThresholdResult, isVoid: Bool) -> RunCheck {
        let actual = result.actual.map { "the run had \(MetricFormat.text($0, path: result.path))" }
        let found = actual ?? "the run had no samples of it"
        let subject = Subject.threshold(expression: result.expression)
        if isVoid {
            return RunCheck(subject: subject, outcome: .skipped, message: "void: the run is INVALID; \(found)")
        }
        return RunCheck(subject: subject, outcome: result.passed ? .passed : .failed, message: found)
    }

    private static func guarantee(_ result: GuaranteeResult, isVoid: Bool) -> RunCheck {
        var found = "\(result.verdict.rawValue)"
        if result.verdict == .violated {
            found += ", \(Figures.grouped(result.violations)) of \(Figures.grouped(result.checked)) times"
        }
        if let witness = result.witness { found += ": \(witness)" }
        let excuse = result.promised ? "nothing is expected of it" : "not promised"
        let subject = Subject.guarantee(id: result.id)
        if isVoid {
            return RunCheck(subject: subject, outcome: .skipped, message: "void: the run is INVALID; \(found)")
        }
        return switch (result.expected, result.verdict) {
        case (.any, .holds): RunCheck(subject: subject, outcome: .passed, message: found)
        case (.any, _): RunCheck(subject: subject, outcome: .skipped, message: "\(excuse); \(found)")
        case (.holds, .holds), (.violated, .violated): RunCheck(subject: subject, outcome: .passed, message: found)
        case (.holds, .unknown), (.violated, .unknown):
            RunCheck(subject: subject, outcome: .unproven, message: found)
        case (.holds, .violated): RunCheck(subject: subject, outcome: .failed, message: found)
        case (.violated, .holds):
            RunCheck(subject: subject, outcome: .failed, message: "the scenario expects it violated; \(found)")
        }
    }

    /// What people call it.
    var name: String {
        switch subject {
        case .validity: "validity"
        case .threshold(let expression): expression
        case .guarantee(let id): id
        case .verdict: "verdict"
        }
    }

    /// The kind of check, as the last part of a test case's class.
    var group: String {
        switch subject {
        case .validity, .verdict: "run"
        case .threshold: "thresholds"
        case .guarantee: "guarantees"
        }
    }
}
