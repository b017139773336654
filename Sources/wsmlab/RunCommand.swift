import ArgumentParser
import WSMCore
import WSMHarness
import WSMReport
import WSMScenario

/// `wsmlab run`: one run, a run folder and a summary.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a scenario once: a run folder, and a summary on stdout.",
        discussion: """
            Starts what the scenario describes, connects the clients, applies the load, and judges what arrived. The exit \
            code is the verdict: 0 passed, 2 a threshold was missed, 3 a promised guarantee is violated, 4 inconclusive.

            Ctrl-C ends the load early; what is on its way still arrives, and the result is written, marked interrupted. \
            A second Ctrl-C ends at once.

            Examples:
              wsmlab run Scenarios/quickstart.yaml
              wsmlab run Scenarios/quickstart.yaml --set cluster.manager=memory
              wsmlab run Scenarios/quickstart.yaml --seed 7 --format json > result.json
              wsmlab run Scenarios/quickstart.yaml --dry-run | head -50
            """)

    @Argument(help: "The scenario file.", completion: .file(extensions: ["yaml", "yml"]))
    var scenario: String

    @OptionGroup(title: "Scenario")
    var scenarioFlags: ScenarioFlags

    @OptionGroup(title: "Result")
    var resultFlags: ResultFlags

    @Flag(help: "Print who would do what when, and run nothing. The same seed gives the same plan, byte for byte.")
    var dryRun = false

    func run() async throws {
        let scenario = try scenarioFlags.load(self.scenario)
        if dryRun {
            LoadPlan(scenario).write(Output.standard.write)
            return
        }
        let outcome = try await perform(scenario)
        try resultFlags.report(outcome)
        Output.standard.flush()
        throw ArgumentParser.ExitCode(outcome.result.exitCode)
    }

    private func perform(_ scenario: Scenario) async throws -> RunOutcome {
        let mode: ProgressDisplay.Mode = resultFlags.quiet ? .quiet : Output.errors.isTerminal ? .live : .plain
        let display = ProgressDisplay(mode: mode, width: { Output.errors.width }, write: Output.errors.write)
        defer { display.finish() }
        let interruption = Interruption()
        Signals.watch(
            interruption,
            first: { display.announce("interrupted: the load ends, the result is written; once more quits at once") },
            last: { display.finish() })
        return try await ScenarioRun.run(
            scenario: scenario, options: RunOptions(folder: resultFlags.out),
            progress: { display.show($0, now: .now()) }, interruption: interruption)
    }
}

extension ResultFlags {
    /// Writes the result to stdout in the format that was asked for.
    func report(_ outcome: RunOutcome) throws {
        let output = Output.standard
        switch format {
        case .text:
            output.write(
                TextReport.summary(
                    outcome.result, folder: outcome.folder, width: output.width, color: output.usesColor))
        case .json: output.write(try JSONReport.text(outcome.result))
        case .markdown: output.write(MarkdownReport.text(outcome.result, folder: outcome.folder))
        }
    }
}
