import ArgumentParser
import WSMReport

/// The flags that write results for other programs, the same for a run and for stored runs.
struct ReportFlags: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write JUnit XML: a case for the validity, each threshold and each guarantee.", valueName: "file"),
        completion: .file(extensions: ["xml"]))
    var junit: String?

    @Option(
        help: ArgumentHelp(
            "Write Markdown, for a job's summary; $GITHUB_STEP_SUMMARY is appended to.", valueName: "file"),
        completion: .file(extensions: ["md"]))
    var markdown: String?

    @Option(
        help: ArgumentHelp(
            "Write GitHub annotations that point at the scenario's lines; GitHub reads /dev/stderr too.",
            valueName: "file"), completion: .file())
    var annotations: String?

    @Option(
        help: ArgumentHelp("Write JSON for github-action-benchmark (customSmallerIsBetter).", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var githubBenchmark: String?

    @Option(
        help: ArgumentHelp("Write Bencher Metric Format.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var bencher: String?

    @Option(
        help: ArgumentHelp("Write Prometheus' text format.", valueName: "file"),
        completion: .file(extensions: ["prom", "txt"]))
    var prometheus: String?

    @Option(
        help: ArgumentHelp("Write a table with a row for each run.", valueName: "file"),
        completion: .file(extensions: ["csv"]))
    var csv: String?

    /// What is to be written where, in the order of the flags.
    var requests: [ReportRequest] {
        let paths: [(ReportFormat, String?)] = [
            (.junit, junit), (.markdown, markdown), (.annotations, annotations), (.githubBenchmark, githubBenchmark),
            (.bencher, bencher), (.prometheus, prometheus), (.csv, csv),
        ]
        return paths.compactMap { format, path in path.map { ReportRequest(format: format, path: $0) } }
    }

    /// Whether a report takes the place of the summary on stdout.
    var takeStandardOutput: Bool { requests.contains { $0.path == ReportRequest.standardOutput } }

    func validate() throws {
        var seen: Set<String> = []
        for request in requests {
            guard !request.path.isEmpty else {
                throw ValidationError("--\(request.format.rawValue) needs a file, or -")
            }
            guard seen.insert(request.path).inserted else {
                let place = request.path == ReportRequest.standardOutput ? "stdout" : request.path
                throw ValidationError(
                    "two reports cannot go to \(place): give --\(request.format.rawValue) another file")
            }
        }
    }
}

/// A report that somebody asked for.
struct ReportRequest {
    /// The path that stands for stdout.
    static let standardOutput = "-"

    var format: ReportFormat
    var path: String
}
