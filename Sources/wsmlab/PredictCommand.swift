import ArgumentParser
import WSMCore
import WSMHarness
import WSMReport
import WSMScenario

/// `wsmlab predict`: what scenarios would show on a calibrated machine, and whether they do.
struct PredictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Predict latencies from a calibration, and check them against live runs.",
        discussion: """
            Simulates each scenario with the costs of a calibration (wsmlab calibrate). With --check each also runs live on \
            this machine, and both distributions are shown side by side. The goals hold for the middle of the scenarios: p50 \
            within 15 %, p99 within 25 %, and with --capacity the highest load within 10 %. Live runs that are INVALID, or that use \
            more than 70 % of the cores, do not count.

            Exit codes: 0 predicted, and with --check within the goals; 2 a goal is missed; 4 too few live runs tell anything; \
            65 the calibration or a scenario is invalid.

            Examples:
              wsmlab predict Scenarios/quickstart.yaml --calibration machine.json
              wsmlab predict Scenarios/quickstart.yaml Scenarios/gate.yaml --calibration machine.json --check --repeat 3
            """)

    @Argument(help: "The scenario files.", completion: .file(extensions: ["yaml", "yml"]))
    var scenarios: [String]

    @Option(
        help: ArgumentHelp("The calibration of the machine.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var calibration: String

    @Flag(help: "Run the scenarios live, too, and hold the predictions against that.")
    var check = false

    @Flag(
        help: ArgumentHelp(
            "Predict the highest rate that is carried, too.",
            discussion:
                "With --check it is searched for live, as wsmlab capacity does with one run a step: minutes each."))
    var capacity = false

    @Option(
        name: .customLong("repeat"),
        help: ArgumentHelp("Live runs of each scenario; their middle counts.", valueName: "n"))
    var repeats = 1

    @Option(help: ArgumentHelp("What the highest rate must keep to.", valueName: "threshold"))
    var limit = "latency.p99 < 100ms"

    @OptionGroup(title: "Scenario")
    var scenarioFlags: ScenarioFlags

    @OptionGroup(title: "Result")
    var resultFlags: ResultFlags

    func validate() throws {
        guard !scenarios.isEmpty else { throw ValidationError("name a scenario file at least") }
        guard (1...99).contains(repeats) else { throw ValidationError("--repeat is a number from 1 to 99") }
        guard repeats == 1 || check else { throw ValidationError("--repeat counts live runs: it needs --check") }
        _ = try threshold()
    }

    func run() async throws {
        let calibration = try NamedCalibration.read(self.calibration)
        let changes = scenarioFlags.changes.map { (key: $0.0, value: $0.1) }
        let loaded = try scenarios.map {
            (source: ScenarioSource(path: $0, changes: changes), scenario: try scenarioFlags.load($0))
        }
        var options = Prediction.Options()
        options.checks = check
        options.repeats = repeats
        options.capacityLimit = capacity ? try threshold() : nil
        options.folder = resultFlags.out
        let outcome = try await perform(Prediction(scenarios: loaded, calibration: calibration, options: options))
        let (result, folder) = (outcome.result, outcome.folder)
        try resultFlags.write(
            text: { PredictionReport.text(result, folder: folder, color: $1) },
            json: { String(decoding: try result.json(), as: UTF8.self) },
            markdown: { PredictionReport.markdown(result, folder: folder) })
        throw ArgumentParser.ExitCode(result.exitCode)
    }

    private func threshold() throws -> Threshold {
        switch Threshold.parse(limit) {
        case .success(let threshold): return threshold
        case .failure(let error):
            throw ValidationError("--limit: \(Output.printable("\(error.message): \(error.hint)"))")
        }
    }

    private func perform(_ prediction: Prediction) async throws -> Prediction.Outcome {
        let console = ExperimentConsole(
            title: "predicting", isQuiet: resultFlags.quiet, interrupted: "the scenarios that are done are shown")
        defer { console.finish() }
        return try await prediction.perform(interruption: console.interruption) { step in
            console.display.show(
                Experiment.Progress(done: step.done, total: step.total, left: step.left),
                now: .now())
        }
    }
}
