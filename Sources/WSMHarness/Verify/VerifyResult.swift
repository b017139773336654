package import Foundation
package import WSMRecord
package import WSMVerify

/// What came of checking a stored trace again: schema `wsmlab.verify/1`.
package struct VerifyResult: Codable, Equatable, Sendable {
    package static let schemaName = "wsmlab.verify/1"

    /// How the answer of the trace compares to that of the live run.
    package enum Comparison: String, Codable, Sendable, CaseIterable {
        /// Ledger, verdicts and latencies are the same.
        case same
        case different
        /// There is no `result.json` to compare to.
        case none
    }

    /// A field that the live run has otherwise.
    package struct Difference: Codable, Hashable, Sendable {
        /// The dotted path in `result.json`; a guarantee by its name.
        package var path: String
        package var live: String
        package var verified: String

        package init(path: String, live: String, verified: String) {
            self.path = path
            self.live = live
            self.verified = verified
        }
    }

    /// Where the trace is not as it was written.
    package struct Damage: Codable, Hashable, Sendable {
        package var code: TraceError.Code
        package var offset: Int64
        package var chunk: Int
        package var what: String

        package init(code: TraceError.Code, offset: Int64, chunk: Int, what: String) {
            self.code = code
            self.offset = offset
            self.chunk = chunk
            self.what = what
        }
    }

    package var schema = VerifyResult.schemaName
    package var trace: String
    package var name: String?
    package var seed: UInt64?
    package var startedAt: String?
    /// The version of wsmlab that wrote the trace.
    package var writtenBy: String?
    package var verdict = RunResult.Verdict.inconclusive
    package var exitCode = ExitCode.inconclusive.rawValue
    /// Why, in one sentence.
    package var reason = ""
    package var comparison = Comparison.none
    package var differences: [Difference] = []
    package var damage: Damage?
    package var read: TraceSummary
    /// `nil` when the trace is damaged or incomplete.
    package var delivery: DeliveryCounts?
    package var latency: LatencySummary?
    package var latencyFromActualSend: LatencySummary?
    package var latencySlowReaders: LatencySummary?
    package var fanOutSkew: LatencySummary?
    package var guarantees: [GuaranteeResult] = []
    /// What each fault did, by its number.
    package var faults: [FaultScore] = []

    package init(trace: String, read: TraceSummary) {
        self.trace = trace
        self.read = read
    }

    init(trace: String, run: TraceRun?, read: TraceSummary) {
        self.init(trace: trace, read: read)
        name = run?.name
        seed = run?.seed
        startedAt = run?.startedAt
        writtenBy = run?.version
    }

    /// The bytes of the JSON form, with a line feed at the end.
    package func json() throws -> Data {
        try documentJSON()
    }
}
