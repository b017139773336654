import ArgumentParser
import Foundation
import WSMHarness
import WSMScenario

/// `wsmlab new`: a commented scenario to begin with.
struct NewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Write a commented scenario to begin with.",
        discussion: """
            Templates:
            \(ScenarioTemplate.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n"))

            The scenario has the file's name. A file that is there already is kept, unless --force is given.

            Examples:
              wsmlab new my-cluster.yaml
              wsmlab new outage.yaml --template faults
              wsmlab new - --template target | less
            """)

    @Argument(
        help: ArgumentHelp("The file to write, or - for stdout. (default: the template's name)", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var file: String?

    @Option(help: "What the scenario begins with.")
    var template: ScenarioTemplate = .quickstart

    @Flag(help: "Replace a file that is there already.")
    var force = false

    func run() throws {
        let path = file ?? "\(template.rawValue).yaml"
        guard path != "-" else {
            Output.standard.write(template.text(name: template.rawValue))
            return Output.standard.flush()
        }
        let name = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
        guard ScenarioTemplate.isName(name) else {
            throw ValidationError(
                "a scenario cannot be called \"\(Output.printable(name))\": use letters, digits, - and _ for the file")
        }
        try write(template.text(name: name), to: path)
        Output.standard.write("\(Output.printable(path)): wsmlab run \(Output.printable(path))\n")
        Output.standard.flush()
    }

    private func write(_ text: String, to path: String) throws {
        do {
            // Without --force the file must not be there: the system checks and creates in one step.
            let options: Data.WritingOptions = force ? .atomic : .withoutOverwriting
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: options)
        } catch let error as CocoaError where error.code == .fileWriteFileExists {
            throw HarnessError(.outputNotWritable, "\(path) is there already: choose another name, or add --force")
        } catch {
            throw HarnessError(.outputNotWritable, "cannot write \(path)", cause: error)
        }
    }
}
