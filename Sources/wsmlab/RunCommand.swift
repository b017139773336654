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

            Reports are written whatever the verdict. One that cannot be written makes the exit code 5; the run is stored \
            all the same, and wsmlab report writes it again. A report to - takes the place of the summary on stdout.

            Examples:
              wsmlab run Scenarios/quickstart.yaml
              wsmlab run Scenarios/quickstart.yaml --set cluster.manager=memory
              wsmlab run Scenarios/quickstart.yaml --seed 7 --format json > result.json
              wsmlab run Scenarios/quickstart.yaml --junit junit.xml --markdown summary.md
              wsmlab run Scenarios/quickstart.yaml --live 0
              wsmlab run Scenarios/quickstart.yaml --dry-run | head -50
            """)

    @Argument(help: "The scenario file.", completion: .file(extensions: ["yaml", "yml"]))
    var scenario: String

    @OptionGroup(title: "Scenario")
    var scenarioFlags: ScenarioFlags

    @OptionGroup(title: "Result")
    var resultFlags: ResultFlags

    @OptionGroup(title: "Reports")
    var reportFlags: ReportFlags

    @Option(
        help: ArgumentHelp(
            "Show the progress in the browser too, at this port of 127.0.0.1; 0 takes a free one.",
            discussion: "The address is told on stderr before the run starts. Only this machine can reach it.",
            valueName: "port"))
    var live: Int?

    @Flag(help: "Print who would do what when, and run nothing. The same seed gives the same plan, byte for byte.")
    var dryRun = false

    func validate() throws {
        guard resultFlags.format == .text || !reportFlags.takeStandardOutput else {
            throw ValidationError("--format and a report to - both go to stdout: give the report a file")
        }
        guard let live else { return }
        guard (0...65535).contains(live) else { throw ValidationError("--live must be a port from 0 to 65535") }
        guard !dryRun else { throw ValidationError("--dry-run runs nothing: there is nothing for --live to show") }
    }

    func run() async throws {
        let scenario = try scenarioFlags.load(self.scenario)
        if dryRun {
            LoadPlan(scenario).write(Output.standard.write)
            return
        }
        let outcome = try await perform(scenario)
        HTMLFile.write(runIn: outcome.folder)
        if !reportFlags.takeStandardOutput { try resultFlags.report(outcome) }
        try writeReports(outcome)
        Output.standard.flush()
        throw ArgumentParser.ExitCode(outcome.result.exitCode)
    }

    private func perform(_ scenario: Scenario) async throws -> RunOutcome {
        let mode: ProgressDisplay.Mode = resultFlags.quiet ? .quiet : Output.errors.isTerminal ? .live : .plain
        let display = ProgressDisplay(
            mode: mode, color: Output.errors.usesColor,
            size: { .init(width: Output.errors.width, height: Output.errors.height) }, write: Output.errors.write)
        defer { display.finish() }
        let interruption = Interruption()
        let live = try await startLive(scenario)
        Signals.watch(
            interruption,
            first: { display.announce("interrupted: the load ends, the result is written; once more quits at once") },
            last: { display.finish() })
        do {
            let outcome = try await ScenarioRun.run(
                scenario: scenario, options: RunOptions(folder: resultFlags.out, scenarioPath: self.scenario),
                progress: { progress in
                    display.show(progress, now: .now())
                    live?.show(progress)
                }, interruption: interruption)
            await live?.finish(outcome)
            return outcome
        } catch {
            await live?.finish(error)
            throw error
        }
    }

    /// Starts the page if it is wanted, and tells where it is; of a quiet run only where nobody could know.
    private func startLive(_ scenario: Scenario) async throws -> LiveView? {
        guard let port = live else { return nil }
        let view = try await LiveView.start(port: port, name: scenario.name)
        if !resultFlags.quiet || port == 0 { Output.errors.write("live: \(view.address)\n") }
        return view
    }

    private func writeReports(_ outcome: RunOutcome) throws {
        let places = ScenarioLocation.places(of: outcome.result, folder: outcome.folder)
        try ReportWriter.write(
            [ReportedRun(outcome.result, folder: outcome.folder, places: places)], reportFlags.requests)
    }
}

extension ResultFlags {
    /// Writes the result to stdout in the format that was asked for.
    func report(_ outcome: RunOutcome) throws {
        let (result, folder) = (outcome.result, outcome.folder)
        try write(
            text: { TextReport.summary(result, folder: folder, width: $0, color: $1) },
            json: { try JSONReport.text(result) }, markdown: { MarkdownReport.text(result, folder: folder) })
    }
}
