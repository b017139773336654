import ArgumentParser
import WSMCore
import WSMHarness
import WSMReport
import WSMScenario

/// `wsmlab simulate`: one run in virtual time, a run folder and a summary.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run a scenario in virtual time: the same managers, a seed that decides everything.",
        discussion: """
            The managers' own code runs among models of event loops, threads, Redis and clients; no socket is opened. The \
            same scenario, seed and version give the same traceHash. Verdicts and exit codes are those of wsmlab run; \
            latencies are the model's, in round figures; with --calibration those of a machine that wsmlab calibrate has \
            measured.

            --seeds simulates one seed after the other on all cores, and prints each that fails with the command that \
            replays it. The exit code is that of the worst; one seed in 16 runs twice, and the code is 1 when it did not do \
            the same to the last step. With --swarm each seed also draws the cluster, its load and its faults, and the rare \
            things that no seed came by are named.

            --shrink makes the first failing seed of each kind as small as it can be while it fails in the same way, and \
            writes it beside the result as a scenario file that fails alone, with a drawing of the violation.

            Examples:
              wsmlab simulate Scenarios/quickstart.yaml
              wsmlab simulate Scenarios/quickstart.yaml --seed 7 --format json | jq .traceHash
              wsmlab simulate Scenarios/redis-restart-hardened.yaml --seeds 1..200
              wsmlab simulate Scenarios/quickstart.yaml --swarm --seeds 1..1000 --shrink
            """)

    @Argument(help: "The scenario file.", completion: .file(extensions: ["yaml", "yml"]))
    var scenario: String

    @Option(
        help: ArgumentHelp("Simulate all these seeds, both ends among them.", valueName: "a..b"),
        transform: { text in
            do { return try SeedRange(parsing: text) } catch { throw ValidationError(Output.printable("\(error)")) }
        })
    var seeds: SeedRange?

    @Flag(
        help: ArgumentHelp(
            "Draw cluster, clients, load and faults from the seed.",
            discussion: "Of the scenario the profile and what it expects are kept."))
    var swarm = false

    @Option(
        help: ArgumentHelp(
            "Take what the parts cost from this file.",
            discussion: "wsmlab calibrate writes it; the simulated parts then share the cores of its machine.",
            valueName: "file"),
        completion: .file(extensions: ["json"]))
    var calibration: String?

    @Flag(help: "Write what fails as the smallest scenario that fails in the same way.")
    var shrink = false

    @OptionGroup(title: "Scenario")
    var scenarioFlags: ScenarioFlags

    @OptionGroup(title: "Result")
    var resultFlags: ResultFlags

    func validate() throws {
        guard seeds == nil || scenarioFlags.seed == nil else {
            throw ValidationError("--seed is one and --seeds are many: give either")
        }
        guard seeds == nil || calibration == nil else {
            throw ValidationError("--calibration predicts one run, and --seeds are many: give either")
        }
    }

    func run() async throws {
        let calibration = try calibration.map { try NamedCalibration.read($0) }
        let scenario = try scenarioFlags.load(self.scenario)
        if let seeds = seeds ?? (shrink ? SeedRange(only: scenario.seed) : nil) {
            try await explore(scenario, seeds)
        } else {
            try simulate(swarm ? try SwarmScenario.draw(scenario, seed: scenario.seed) : scenario, calibration)
        }
    }

    // MARK: One seed

    private func simulate(_ scenario: Scenario, _ calibration: NamedCalibration?) throws {
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
                calibration: calibration, progress: { display.show($0, now: .now()) }, interruption: interruption)
        }
        HTMLFile.write(runIn: outcome.folder)
        try resultFlags.report(outcome)
        Output.standard.flush()
        throw ArgumentParser.ExitCode(outcome.result.exitCode)
    }

    // MARK: Many seeds

    private func explore(_ scenario: Scenario, _ seeds: SeedRange) async throws {
        let campaign = try SeedCampaign(
            scenario: scenario, isSwarm: swarm, command: command, seeds: seeds, folder: resultFlags.out,
            shrinking: shrink ? .init { ShrunkScenario.text($0) } : nil)
        let outcome = try await perform(campaign)
        let (result, folder) = (outcome.result, outcome.folder)
        try resultFlags.write(
            text: { SeedsReport.text(result, folder: folder, width: $0, color: $1) },
            json: { String(decoding: try result.json(), as: UTF8.self) },
            markdown: { SeedsReport.markdown(result, folder: folder) })
        throw ArgumentParser.ExitCode(outcome.result.exitCode)
    }

    private func perform(_ campaign: SeedCampaign) async throws -> SeedCampaign.Outcome {
        let console = ExperimentConsole(
            title: "simulating", isQuiet: resultFlags.quiet, interrupted: "the seeds that are under way end")
        defer { console.finish() }
        // Seeds come by the hundred a second: a line each would bury a log.
        let pace = Pace(every: Output.errors.isTerminal ? .milliseconds(100) : .seconds(5))
        return try await campaign.perform(interruption: console.interruption) { step in
            guard pace.isDue(at: .now()) else { return }
            console.display.show(
                Experiment.Progress(done: step.done, total: step.total, left: step.left), now: .now())
        }
    }

    /// What simulates one seed, but for `--seed N`.
    private var command: String {
        let changes = scenarioFlags.changes.flatMap { ["--set", "\($0.0)=\($0.1)"] }
        return (["wsmlab", "simulate", scenario] + (swarm ? ["--swarm"] : []) + changes).map(ShellWord.quoted).joined(
            separator: " ")
    }
}
