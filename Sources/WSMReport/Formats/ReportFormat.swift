/// The formats that a result can be written in for other programs and for pull requests.
package enum ReportFormat: String, CaseIterable, Sendable {
    case junit
    case markdown
    case annotations
    case githubBenchmark = "github-benchmark"
    case bencher
    case prometheus
    case csv

    /// The runs in this format, each once, in their order.
    package func text(_ runs: [ReportedRun]) -> String {
        switch self {
        case .junit: JUnitReport.text(runs)
        case .markdown: MarkdownReport.text(runs)
        case .annotations: AnnotationReport.text(runs)
        case .githubBenchmark: BenchmarkReport.githubAction(runs)
        case .bencher: BenchmarkReport.bencher(runs)
        case .prometheus: PrometheusReport.text(runs)
        case .csv: CSVReport.text(runs)
        }
    }
}
