import ArgumentParser
import WSMHarness
import WSMReport

/// `wsmlab report`: writes stored runs for people and for other programs.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write stored runs as JUnit, Markdown, annotations, CSV and more.",
        discussion: """
            Reads result.json of each run folder and writes what the flags ask for; FILE may be - for stdout. Without a \
            flag, and with --format, each run's summary goes to stdout. Several runs make one file: a JUnit suite, a CSV \
            row, a Markdown section each.

            The exit code is 0 once all is written, whatever the runs' verdicts: those are the exit codes of wsmlab run. It \
            is 65 when a run folder cannot be read, and nothing is written then; 5 when a file cannot be written.

            wsmlab run takes the same flags, so that one command both runs and reports.

            Examples:
              wsmlab report Results/latest
              wsmlab report Results/latest --junit junit.xml --annotations -
              wsmlab report Results/runs/* --csv runs.csv --markdown runs.md
              wsmlab report Results/latest --html report.html
              wsmlab report Results/latest --format json | jq .delivery
            """)

    @Argument(
        help: ArgumentHelp("The run folders.", valueName: "run"), completion: .custom(RunCompletion.folders))
    var runs: [String]

    @OptionGroup(title: "Reports")
    var reportFlags: ReportFlags

    @Option(
        help: ArgumentHelp("Write one run as a page of HTML, self-contained.", valueName: "file"),
        completion: .file(extensions: ["html"]))
    var html: String?

    @Option(help: "What goes to stdout. (default: text, unless a report is written)")
    var format: ResultFormat?

    func validate() throws {
        guard html == nil || runs.count == 1 else {
            throw ValidationError("--html takes one run: wsmlab compare puts several side by side")
        }
        guard format == nil || !reportFlags.takeStandardOutput else {
            throw ValidationError("--format and a report to - both go to stdout: give the report a file")
        }
    }

    func run() throws {
        // All are read before anything is written: a report with a hole in it is none.
        let stored = try runs.map { folder in
            let result = try StoredResult.read(folder: folder)
            return ReportedRun(
                result, folder: folder, places: ScenarioLocation.places(of: result, folder: folder))
        }
        if let format = format ?? (reportFlags.requests.isEmpty && html == nil ? .text : nil) {
            try write(stored, format)
        }
        try ReportWriter.write(stored, reportFlags.requests)
        if let html { try ReportWriter.write(HTMLReport.text(try RunRecords.read(folder: runs[0])), html: html) }
        Output.standard.flush()
    }

    /// Several results as JSON follow one another, as `cat` would have it: `jq` reads them one by one.
    private func write(_ stored: [ReportedRun], _ format: ResultFormat) throws {
        let output = Output.standard
        switch format {
        case .text:
            for (index, run) in stored.enumerated() {
                if index > 0 { output.write("\n") }
                output.write(
                    TextReport.summary(
                        run.result, folder: run.folder, width: output.width, color: output.usesColor))
            }
        case .json: for run in stored { output.write(try JSONReport.text(run.result)) }
        case .markdown: output.write(MarkdownReport.text(stored))
        }
    }
}
