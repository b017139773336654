package import Foundation

/// Variants of a scenario side by side: `compare.json`, schema `wsmlab.compare/1`.
///
/// Times are nanoseconds. Fields may be added; none changes its meaning.
package struct CompareResult: Codable, Equatable, Sendable {
    package static let schemaName = "wsmlab.compare/1"

    /// One side, and its runs in the order of the rounds.
    package struct Variant: Codable, Equatable, Sendable {
        package var name: String
        /// What was set for it; empty for stored runs.
        package var set: [String: String]
        package var results: [RunResult]
        /// The run folders: relative to the comparison's, or as they were named.
        package var folders: [String]

        package init(name: String, set: [String: String] = [:], results: [RunResult], folders: [String]) {
            self.name = name
            self.set = set
            self.results = results
            self.folders = folders
        }
    }

    package enum Verdict: String, Codable, Sendable, CaseIterable {
        case better, worse
        /// Any difference is too small to matter.
        case noDifference = "no-difference"
        /// There may be a difference that matters, and there may be none.
        case inconclusive
    }

    /// How `b` compares with `a`.
    package struct Ratio: Codable, Hashable, Sendable {
        package var a: String
        package var b: String
        /// b's median to a's; `nil` where a's is zero.
        package var ratio: Double?
        /// The 95 % interval of the ratio; `nil` with fewer than three rounds, and where a value is zero.
        package var low: Double?
        package var high: Double?
        package var verdict: Verdict
        /// Why nothing is shown; of inconclusive ones.
        package var reason: String?

        package init(
            a: String, b: String, ratio: Double? = nil, low: Double? = nil, high: Double? = nil, verdict: Verdict
        ) {
            self.a = a
            self.b = b
            self.ratio = ratio
            self.low = low
            self.high = high
            self.verdict = verdict
        }
    }

    package struct Metric: Codable, Equatable, Sendable {
        package var path: String
        /// By variant; those without samples are left out.
        package var medians: [String: Double]
        /// Each later variant against the first.
        package var ratios: [Ratio]

        package init(path: String, medians: [String: Double], ratios: [Ratio]) {
            self.path = path
            self.medians = medians
            self.ratios = ratios
        }
    }

    /// One guarantee on every variant.
    package struct Guarantee: Codable, Equatable, Sendable {
        package struct Finding: Codable, Equatable, Sendable {
            package var promised: Bool
            /// The worst of the rounds: violated, then unknown, then holds.
            package var verdict: GuaranteeResult.Verdict
            /// Over all rounds.
            package var violations: Int
            package var witness: String?

            package init(
                promised: Bool, verdict: GuaranteeResult.Verdict, violations: Int, witness: String? = nil
            ) {
                self.promised = promised
                self.verdict = verdict
                self.violations = violations
                self.witness = witness
            }
        }

        package var id: String
        /// By variant.
        package var findings: [String: Finding]

        package init(id: String, findings: [String: Finding]) {
            self.id = id
            self.findings = findings
        }
    }

    package var schema = CompareResult.schemaName
    /// The scenario's name.
    package var name: String
    /// The wall clock at the start, ISO 8601 in UTC.
    package var startedAt: String
    /// How often each variant was to run; `nil` for stored runs.
    package var rounds: Int?
    package var variants: [Variant]
    package var metrics: [Metric] = []
    package var guarantees: [Guarantee] = []
    /// What a reader must know before believing a ratio, one sentence each.
    package var warnings: [String] = []
    package var interrupted = false
    package var exitCode: Int32 = ExitCode.inconclusive.rawValue
    package var environment: RunEnvironment

    package init(
        name: String, startedAt: String, rounds: Int?, variants: [Variant], environment: RunEnvironment
    ) {
        self.name = name
        self.startedAt = startedAt
        self.rounds = rounds
        self.variants = variants
        self.environment = environment
    }

    /// The bytes of `compare.json`.
    package func json() throws -> Data { try documentJSON() }
}
