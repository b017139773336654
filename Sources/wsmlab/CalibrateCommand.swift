import ArgumentParser
import Foundation
import WSMCore
import WSMHarness
import WSMReport
import WSMScenario

/// `wsmlab calibrate`: what the parts of a run cost on this machine, for predictions.
struct CalibrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Measure what the parts of a run cost on this machine, so that simulations can predict it.",
        discussion: """
            Runs a fixed staircase of loads live, client counts by rates, through Redis and in memory, each in processes of \
            its own, and lets threads wake each other; some four minutes. The CPU time of instances, Redis, publishers and clients \
            is fitted to what they did (non-negative least squares), and what shows in no CPU time, how soon a thread \
            runs that is woken, to their latencies. The file \
            keeps the coefficients, how measured values lie around them, how good the fits are, and the runs.

            It holds for this machine and this build, and wants a machine on which nothing else runs. Of a scenario only the \
            cluster's policies are kept; without one they are those of the hardened profile.

            Exit codes: 0 written; 5 a run could not take place, or too few delivered anything; 130 interrupted, nothing is \
            written.

            Examples:
              wsmlab calibrate -o machine.json
              wsmlab simulate Scenarios/quickstart.yaml --calibration machine.json
              wsmlab predict Scenarios/quickstart.yaml --calibration machine.json --check
            """)

    @Argument(
        help: "The scenario file whose cluster's policies the runs have.",
        completion: .file(extensions: ["yaml", "yml"]))
    var scenario: String?

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("Write the calibration here.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var output = "calibration.json"

    @OptionGroup(title: "Scenario")
    var scenarioFlags: ScenarioFlags

    @OptionGroup(title: "Result")
    var resultFlags: ResultFlags

    func validate() throws {
        guard scenario != nil || scenarioFlags.changes.isEmpty else {
            throw ValidationError("--set, --seed and --redis change a scenario: name one")
        }
        var isFolder: ObjCBool = false
        guard !output.isEmpty,
            !FileManager.default.fileExists(atPath: output, isDirectory: &isFolder) || !isFolder.boolValue
        else { throw ValidationError("-o is the file to write, and \(Output.printable(output)) is none") }
    }

    func run() async throws {
        var source: ScenarioSource?
        if let scenario {
            _ = try scenarioFlags.load(scenario)
            source = ScenarioSource(path: scenario, changes: scenarioFlags.changes.map { (key: $0.0, value: $0.1) })
        }
        let outcome = try await perform(CalibrationRun(source: source, folder: resultFlags.out))
        guard let calibration = outcome.calibration else { throw Failure.code(.interrupted) }
        try calibration.write(output)
        try resultFlags.write(
            text: { _, _ in CalibrationReport.text(calibration, file: output) },
            json: { String(decoding: try calibration.json(), as: UTF8.self) },
            markdown: { CalibrationReport.markdown(calibration, file: output) })
        Output.standard.flush()
    }

    private func perform(_ run: CalibrationRun) async throws -> CalibrationRun.Outcome {
        let console = ExperimentConsole(
            title: "calibrating", isQuiet: resultFlags.quiet, interrupted: "the run ends, and nothing is written")
        defer { console.finish() }
        return try await run.perform(interruption: console.interruption) { step in
            console.display.show(
                Experiment.Progress(done: step.done, total: step.total, left: step.left),
                now: .now())
        }
    }
}
