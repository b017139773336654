import WSMHarness
import WSMScenario
internal import WSMVerify

/// A table with a row for each run (RFC 4180): what ran, the verdict, every metric and every guarantee.
///
/// The columns are always the same, so that the rows of several files can be joined. The names say the units, as in
/// `timeseries.csv`. A cell without samples is empty.
package enum CSVReport {
    package static func text(_ runs: [ReportedRun]) -> String {
        ([header] + runs.map(row)).map { $0.joined(separator: ",") + "\r\n" }.joined()
    }

    private static let header: [String] =
        [
            "run", "name", "startedAt", "seed", "interrupted", "verdict", "exitCode", "reason", "validity", "manager",
            "profile", "instances", "placement", "transport", "version", "kernel", "cores", "thresholdsMet",
            "thresholdsMissed",
        ] + MetricCatalogue.metrics.map { column($0.path, $0.dimension) }
        + GuaranteeID.allCases.map { "guarantees.\($0.rawValue)" }

    /// Times alone have no unit in their path.
    private static func column(_ path: String, _ dimension: Dimension) -> String {
        dimension == .time && !path.hasSuffix("Nanoseconds") ? "\(path)Nanoseconds" : path
    }

    private static func row(_ run: ReportedRun) -> [String] {
        let (result, setup) = (run.result, run.result.setup)
        let words: [String] = [
            cell(run.folder ?? ""), cell(result.name), cell(result.startedAt), "\(result.seed)",
            "\(result.interrupted)", result.verdict.rawValue, "\(result.exitCode)", cell(result.reason),
            result.validity.verdict.rawValue, cell(setup.manager), cell(setup.profile), "\(setup.instances)",
            cell(setup.placement), cell(setup.transport), cell(result.environment.version),
            cell(result.environment.kernel), "\(result.environment.cores)",
            "\(result.thresholds.count { $0.passed })", "\(result.thresholds.count { !$0.passed })",
        ]
        let metrics = MetricCatalogue.metrics.map { metric in
            MetricLookup.value(at: metric.path, in: result).map { NumberText.plain($0) } ?? ""
        }
        let guarantees = GuaranteeID.allCases.map { id in
            result.guarantees.first { $0.id == id.rawValue }?.verdict.rawValue ?? ""
        }
        return words + metrics + guarantees
    }

    /// A cell with a text from outside, quoted where it has to be.
    ///
    /// Spreadsheets run a cell that begins like a formula: such a text gets an apostrophe before it (OWASP, "CSV Injection").
    static func cell(_ text: String) -> String {
        let dangerous: Set<Unicode.Scalar> = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"]
        var value = text
        if let first = text.unicodeScalars.first, dangerous.contains(first) { value = "'" + text }
        let needsQuotes = value.unicodeScalars.contains { ",\"\r\n".unicodeScalars.contains($0) }
        return needsQuotes ? "\"\(value.replacing("\"", with: "\"\""))\"" : value
    }
}
