import WSMCore
import WSMHarness

/// Figures for services that follow them from commit to commit and raise an alert.
///
/// An INVALID run has no figures here: one bad machine must not become a baseline. With no figure at all these services report
/// an error of their own, as they should.
package enum BenchmarkReport {
    /// The input of github-action-benchmark with `tool: customSmallerIsBetter`: an array of
    /// `{name, unit, value, extra}` (its README, "custom benchmarks").
    package static func githubAction(_ runs: [ReportedRun]) -> String {
        let entries = zip(ReportedRun.names(of: runs), runs).flatMap { name, run in
            TrackedFigure.all(of: run.result).map { figure in
                object([
                    ("name", JSONString.quoted("\(name): \(figure.path)")),
                    ("unit", JSONString.quoted(figure.unit.rawValue)), ("value", NumberText.plain(figure.value)),
                    ("extra", JSONString.quoted(extra(run.result))),
                ])
            }
        }
        return entries.isEmpty ? "[]\n" : "[\n  " + entries.joined(separator: ",\n  ") + "\n]\n"
    }

    /// Bencher Metric Format (bencher.dev, "Bencher Metric Format"): a benchmark for each figure, with one measure.
    ///
    /// `latency` is Bencher's own measure, in nanoseconds; the other measures are made when they are first seen.
    package static func bencher(_ runs: [ReportedRun]) -> String {
        let benchmarks = zip(ReportedRun.names(of: runs), runs).flatMap { name, run in
            TrackedFigure.all(of: run.result).map { figure in
                let metric = object([("value", NumberText.plain(figure.value))])
                return "\(JSONString.quoted("\(name): \(figure.path)")): \(object([(measure(figure.unit), metric)]))"
            }
        }
        return benchmarks.isEmpty ? "{}\n" : "{\n  " + benchmarks.joined(separator: ",\n  ") + "\n}\n"
    }

    /// The slug of a measure: Bencher keeps one unit for each.
    private static func measure(_ unit: TrackedFigure.Unit) -> String {
        switch unit {
        case .nanoseconds: "latency"
        case .cpuSeconds: "cpu-seconds-per-million-deliveries"
        case .bytes: "peak-memory-bytes"
        case .connections: "connections"
        case .perMillion: "deliveries-per-million"
        }
    }

    /// What a chart shows beside the value.
    private static func extra(_ result: RunResult) -> String {
        "\(result.verdict.rawValue), seed \(result.seed)\n\(Headline.setup(of: result))"
    }

    /// An object on one line; the values are JSON already.
    private static func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\(JSONString.quoted($0.0)): \($0.1)" }.joined(separator: ", ") + "}"
    }
}
