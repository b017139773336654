import ArgumentParser
import Foundation
import WSMHarness
import WSMScenario

/// `wsmlab validate`: checks scenario files.
struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check scenario files and name every fault.",
        discussion: """
            Each fault has its place, file:line:column, and what to do about it. The exit code is 65 if any file has an \
            error; warnings alone leave it 0.

            Examples:
              wsmlab validate Scenarios/*.yaml
              wsmlab validate my.yaml --set clients.count=500
              wsmlab validate my.yaml --format json | jq '.files[].diagnostics[]'
            """)

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case text
        case json
    }

    @Argument(help: "The scenario files.", completion: .file(extensions: ["yaml", "yml"]))
    var scenarios: [String]

    @OptionGroup(title: "Scenario")
    var scenarioFlags: ScenarioFlags

    @Option(help: "What goes to stdout.")
    var format: Format = .text

    func run() throws {
        let changes = scenarioFlags.changes
        let files = scenarios.map { ($0, ScenarioFile.load(path: $0, overrides: changes)) }
        switch format {
        case .text:
            for (path, loaded) in files {
                for diagnostic in loaded.diagnostics { Output.standard.write("\(diagnostic)\n") }
                if loaded.scenario != nil { Output.standard.write("\(Output.printable(path)): ok\n") }
            }
        case .json:
            let report = ValidationReport(files: files.map { ValidationReport.File(path: $0.0, loaded: $0.1) })
            Output.standard.write(try report.json())
        }
        Output.standard.flush()
        if files.contains(where: { $0.1.scenario == nil }) { throw Failure.code(.invalidData) }
    }
}

/// What `validate --format json` prints.
private struct ValidationReport: Encodable {
    struct File: Encodable {
        var path: String
        var valid: Bool
        var diagnostics: [Fault]

        init(path: String, loaded: LoadedScenario) {
            self.path = path
            valid = loaded.scenario != nil
            diagnostics = loaded.diagnostics.map { Fault($0) }
        }
    }

    /// A fault stands in a file, or in a `--set` flag, which has a key in place of a position.
    struct Fault: Encodable {
        var severity: String
        var message: String
        var hint: String?
        var file: String?
        var line: Int?
        var column: Int?
        var key: String?

        init(_ diagnostic: Diagnostic) {
            severity = diagnostic.severity.rawValue
            message = diagnostic.message
            hint = diagnostic.hint
            switch diagnostic.location {
            case .position(let file, let line, let column):
                (self.file, self.line, self.column) = (file, line, column)
            case .override(let key): self.key = key
            }
        }
    }

    var schema = "wsmlab.validate/1"
    var files: [File]

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}
