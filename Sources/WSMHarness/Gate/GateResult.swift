package import Foundation
internal import WSMVerify

/// What a gate found: `gate.json`, schema `wsmlab.gate/1`.
///
/// Times are nanoseconds. Fields may be added; none changes its meaning.
package struct GateResult: Codable, Equatable, Sendable {
    package static let schemaName = "wsmlab.gate/1"

    package enum Verdict: String, Codable, Sendable, CaseIterable {
        /// Nothing got worse by more than is tolerated, and the evidence would have shown it.
        case pass
        case regression
        /// The evidence is not enough for either.
        case inconclusive
    }

    package enum Mode: String, Codable, Sendable, CaseIterable {
        /// Another build, interleaved on this machine.
        case against
        /// A stored baseline.
        case baseline
    }

    package var schema = GateResult.schemaName
    package var name: String
    package var mode: Mode
    /// The other program, or the baseline's file.
    package var reference: String
    package var verdict: Verdict = .inconclusive
    package var exitCode: Int32 = ExitCode.inconclusive.rawValue
    /// Why, one sentence each; the one that decided first.
    package var reasons: [String] = []
    /// What else a reader should know, and what to do.
    package var notes: [String] = []
    package var interrupted = false
    package var startedAt: String
    /// The hash of the scenario as it ran.
    package var scenario: String
    /// Rounds that count; a round is three runs with `--against`, and one with a baseline.
    package var rounds = 0
    /// Of these, those measured afresh to confirm a suspicion.
    package var freshRounds = 0
    /// Runs that were INVALID and done again.
    package var repeated = 0
    package var metrics: [GateMetric] = []
    /// The old build against itself; empty with a baseline.
    package var control = GateControl()
    /// What is compared as a count, not as a time.
    package var counts: [GateCount] = []
    package var guarantees: [GateGuarantee] = []
    /// The run folders, relative to the gate's.
    package var runs: [String] = []
    package var environment: RunEnvironment

    package init(
        name: String, mode: Mode, reference: String, startedAt: String, scenario: String, environment: RunEnvironment
    ) {
        self.name = name
        self.mode = mode
        self.reference = reference
        self.startedAt = startedAt
        self.scenario = scenario
        self.environment = environment
    }

    /// Sets the verdict and the exit code that goes with it.
    mutating func conclude(_ verdict: Verdict, _ reasons: [String]) {
        self.verdict = verdict
        self.reasons = reasons
        let code: ExitCode =
            switch verdict {
            case .pass: .passed
            case .regression: .thresholdMissed
            case .inconclusive: .inconclusive
            }
        exitCode = interrupted ? ExitCode.interrupted.rawValue : code.rawValue
    }

    /// The bytes of `gate.json`: sorted keys, two spaces, a line feed at the end.
    package func json() throws -> Data { try documentJSON() }
}

/// One measured figure, old against new.
package struct GateMetric: Codable, Hashable, Sendable {
    package enum Verdict: String, Codable, Sendable, CaseIterable {
        /// Worse by more than is tolerated, and not by chance.
        case worse
        /// Better by as much as would not be tolerated the other way, and not by chance.
        case better
        /// A difference that is not tolerated can be ruled out.
        case within
        /// Neither is shown.
        case undecided
        /// There are no samples.
        case missing
    }

    /// The metric's path; a baseline also has ratios of two, `latency.p50/calibration.latencyFloor.p50`.
    package var path: String
    package var verdict: Verdict
    /// How much worse it may become, as a part of the old value: the tolerance, or the floor where that is more.
    package var tolerance: Double
    /// The medians over the rounds.
    package var old: Double?
    package var new: Double?
    package var ratio: Double?
    /// The 95 % confidence interval of ``ratio``; `nil` with a baseline, whose own noise is not known.
    package var low: Double?
    package var high: Double?
    /// The ratio in the fresh rounds alone, where a suspicion was to be confirmed.
    package var freshRatio: Double?

    package init(
        path: String, verdict: Verdict, tolerance: Double, old: Double? = nil, new: Double? = nil, ratio: Double? = nil,
        low: Double? = nil, high: Double? = nil
    ) {
        self.path = path
        self.verdict = verdict
        self.tolerance = tolerance
        self.old = old
        self.new = new
        self.ratio = ratio
        self.low = low
        self.high = high
    }
}

/// The old build against itself (A/A): what this machine and these rounds call a difference where there is none.
package struct GateControl: Codable, Hashable, Sendable {
    /// Whether the same build differs from itself by more than is tolerated, and not by chance: then nothing can be said.
    package var fired = false
    package var metrics: [GateMetric] = []

    package init() {}
}

/// One count, old against new.
package struct GateCount: Codable, Hashable, Sendable {
    package enum Verdict: String, Codable, Sendable, CaseIterable {
        case same
        /// Different, and tolerated.
        case within
        case better
        case worse
        /// One of the two does not have it.
        case missing
    }

    package var path: String
    package var verdict: Verdict
    /// The medians over the rounds.
    package var old: Double?
    package var new: Double?

    package init(path: String, verdict: Verdict, old: Double?, new: Double?) {
        self.path = path
        self.verdict = verdict
        self.old = old
        self.new = new
    }
}

/// One guarantee, old against new: the worst that was found over the rounds.
package struct GateGuarantee: Codable, Hashable, Sendable {
    package var id: String
    /// Whether the scenario or the manager wants it to hold.
    package var expected: GuaranteeResult.Expectation
    package var old: GuaranteeResult.Verdict
    package var new: GuaranteeResult.Verdict
    package var witness: String?

    package init(
        id: String, expected: GuaranteeResult.Expectation, old: GuaranteeResult.Verdict, new: GuaranteeResult.Verdict,
        witness: String? = nil
    ) {
        self.id = id
        self.expected = expected
        self.old = old
        self.new = new
        self.witness = witness
    }

    /// It held, and does no longer.
    package var isNewlyViolated: Bool { expected == .holds && old == .holds && new == .violated }
}
