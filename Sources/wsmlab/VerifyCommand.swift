import ArgumentParser
import Foundation
import WSMHarness
import WSMReport

/// `wsmlab verify`: checks a stored trace again, offline.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check a stored trace again, offline, and compare with the live run.",
        discussion: """
            Reads trace.zst of a run folder (or the trace named), tells its events to the same checkers as in the run, and \
            prints ledger and verdicts. With result.json beside it, every count, verdict and witness is compared: they \
            must be the same.

            Exit codes: 0, 3 or 4 as the guarantees decide (4 for a run that was INVALID); 1 when the trace says otherwise than the live run; 65 when it \
            is cut or damaged, with what could be read. A trace that lacks events which were dropped during the run \
            cannot reproduce it: 4.

            --export jsonl writes one JSON object an event in place of the report: "event" is its kind, "lane" who \
            recorded it, times are nanoseconds of the run's monotonic clock. Kinds: received, foreign, opened, closed, \
            connect-failed, measuring, fault (clients-N); submitted, published, acknowledged, failed (publishers); fanned-out, \
            instance (instance-N); run and end are the first and the last line. docs/run-folder.md lists the fields.

            Examples:
              wsmlab verify Results/latest
              wsmlab verify Results/latest --format json | jq '.guarantees[] | {id, verdict}'
              wsmlab verify Results/latest --export jsonl | jq -c 'select(.event == "closed")'
            """)

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case text
        case json
    }

    enum Export: String, CaseIterable, ExpressibleByArgument {
        case jsonl
    }

    @Argument(
        help: ArgumentHelp("A run folder, or a trace.", valueName: "run"), completion: .custom(RunCompletion.folders))
    var path: String

    @Option(help: "What goes to stdout.")
    var format: Format = .text

    @Option(help: ArgumentHelp("Write the events for other tools, in place of the report.", valueName: "jsonl"))
    var export: Export?

    @Option(
        help: ArgumentHelp("Write the exported events into this file, in place of stdout.", valueName: "file"),
        completion: .file())
    var out: String?

    func validate() throws {
        if out != nil, export == nil { throw ValidationError("--out is for --export jsonl; a report goes to stdout") }
    }

    func run() throws {
        let stored = try StoredRun(path)
        if export != nil { return try exportEvents(stored) }
        let result = try TraceVerification.verify(stored)
        let output = Output.standard
        switch format {
        case .text: output.write(VerifyReport.text(result, width: output.width, color: output.usesColor))
        case .json: output.write(String(decoding: try result.json(), as: UTF8.self))
        }
        output.flush()
        throw ArgumentParser.ExitCode(result.exitCode)
    }

    private func exportEvents(_ stored: StoredRun) throws {
        guard let out else {
            var export = TraceExport(write: Output.standard.write)
            return try export.run(stored)
        }
        let file = try ExportFile(out)
        var export = TraceExport(write: file.write)
        try export.run(stored)
        try file.close()
    }
}

/// A file that lines are written into; the first error is kept for the end.
private final class ExportFile {
    private let path: String
    private let handle: FileHandle
    private var failure: (any Error)?

    init(_ path: String) throws {
        self.path = path
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let handle = FileHandle(forWritingAtPath: path)
        else { throw HarnessError(.outputNotWritable, "cannot write \(path): choose another file with --out") }
        self.handle = handle
    }

    func write(_ text: String) {
        guard failure == nil else { return }
        do { try handle.write(contentsOf: Data(text.utf8)) } catch { failure = error }
    }

    func close() throws {
        do { try handle.close() } catch { failure = failure ?? error }
        if let failure { throw HarnessError(.outputNotWritable, "cannot write \(path)", cause: failure) }
    }
}
