import ArgumentParser
import WSMCore
import WSMHarness
import WSMReport
import WSMScenario

/// `wsmlab simulate`: one run in virtual time, a run folder and a summary.
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run a scenario in virtual time: the same managers, a seed that decides everything.",
        discussion: """
            The managers' own code runs among models of event loops, threads, Redis and clients; no socket is opened. The \
            same scenario, seed and version give the same traceHash. Verdicts and exit codes are those of wsmlab run; \
            latencies are the model's, in round figures.

            Examples:
              wsmlab simulate Scenarios/quickstart.yaml
              wsmlab simulate Scenarios/quickstart.yaml --seed 7 --format json | jq .traceHash
            """)

    @Argument(help: "The scenario file.", completion: .file(extensions: ["yaml", "yml"]))
    var scenario: String

    @OptionGroup(title: "Scenario")
    var scenarioFlags: ScenarioFlags

    @OptionGroup(title: "Result")
    var resultFlags: ResultFlags

    func run() throws {
        let scenario = try scenarioFlags.load(self.scenario)
        let mode: ProgressDisplay.Mode = resultFlags.quiet || !Output.errors.isTerminal ? .quiet : .live
        let display = ProgressDisplay(
            mode: mode, color: Output.errors.usesColor,
            size: { .init(width: Output.errors.width, height: Output.errors.height) }, write: Output.errors.write)
        let interruption = Interruption()
        Signals.watch(
            interruption, first: { display.announce("interrupted: the simulation ends; once more quits at once") },
            last: { display.finish() })
        let outcome: RunOutcome
        do {
            defer { display.finish() }
            outcome = try SimulatedRun.run(
                scenario: scenario, options: RunOptions(folder: resultFlags.out, scenarioPath: self.scenario),
                progress: { display.show($0, now: .now()) }, interruption: interruption)
        }
        HTMLFile.write(runIn: outcome.folder)
        try resultFlags.report(outcome)
        Output.standard.flush()
        throw ArgumentParser.ExitCode(outcome.result.exitCode)
    }
}
