import ArgumentParser
import WSMHarness

/// The command line.
///
/// It reads flags, calls the harness, prints what comes back, and turns it into an exit code.
@main
struct Wsmlab: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wsmlab",
        abstract: "Simulate and load-test clusters of WebSocket managers.",
        discussion: """
            A scenario file says what runs: how many instances behind which manager, how many clients, which load, and \
            what is expected of it. A run records what arrived, how late, in which order, and why anything is missing.

            Examples:
              wsmlab new my-cluster.yaml
              wsmlab run Scenarios/quickstart.yaml
              wsmlab run Scenarios/quickstart.yaml --set clients.count=500 --format json | jq .latency
              wsmlab compare Scenarios/quickstart.yaml --vary cluster.manager=memory,broadcast
              wsmlab gate Scenarios/gate.yaml --against ../main/.build/release/wsmlab
              wsmlab capacity Scenarios/quickstart.yaml --vary clients --limit 'latency.p99 < 250ms'
              wsmlab simulate Scenarios/quickstart.yaml --swarm --seeds 1..500 --shrink
              wsmlab calibrate -o machine.json
              wsmlab predict Scenarios/quickstart.yaml --calibration machine.json --check
              wsmlab verify Results/latest
              wsmlab report Results/latest --junit junit.xml
              wsmlab serve --manager broadcast --redis redis://127.0.0.1:6379 --port 8080
              wsmlab validate Scenarios/*.yaml

            Results go to stdout, progress and errors to stderr.

            Exit codes:
            \(exitCodes)
            """,
        version: RunEnvironment.programVersion,
        subcommands: [
            RunCommand.self,
            CompareCommand.self,
            GateCommand.self,
            CapacityCommand.self,
            SimulateCommand.self,
            CalibrateCommand.self,
            PredictCommand.self,
            VerifyCommand.self,
            ReportCommand.self,
            ListCommand.self,
            ServeCommand.self,
            NewCommand.self,
            ValidateCommand.self,
            SchemaCommand.self,
            ChildCommand.self,
        ])

    private static let exitCodes = WSMHarness.ExitCode.allCases
        .map { "  \($0.rawValue)\(String(repeating: " ", count: 5 - "\($0.rawValue)".count))\($0.meaning)" }
        .joined(separator: "\n")

    static func main() async {
        // A reader of stdout that goes away (`wsmlab run … | head -1`) must not end a run that has just been measured.
        Signals.ignoreBrokenPipes()
        Signals.surviveFileSizeLimit()
        let arguments = Array(CommandLine.arguments.dropFirst())
        refuseUnknownCommand(arguments.first)
        do {
            var command = try parseAsRoot(arguments)
            if var asyncCommand = command as? any AsyncParsableCommand {
                try await asyncCommand.run()
            } else {
                try command.run()
            }
        } catch {
            Failure.exit(error)
        }
        Output.standard.flush()
    }

    /// A word that is no command gets the list of those that are; the parser would call it an unexpected argument.
    private static func refuseUnknownCommand(_ word: String?) {
        guard let word, !word.hasPrefix("-") else { return }
        let shown = configuration.subcommands.filter { $0.configuration.shouldDisplay }
        let known = configuration.subcommands.compactMap { $0.configuration.commandName }
        guard !known.contains(word), word != "help" else { return }
        let text = Output.printable(word)
        Output.errors.write(
            """
            wsmlab: error: there is no command "\(text)"
            Commands: \(shown.compactMap { $0.configuration.commandName }.joined(separator: ", ")). See wsmlab --help.

            """)
        Wsmlab.exit(withError: ArgumentParser.ExitCode(WSMHarness.ExitCode.usage.rawValue))
    }
}
