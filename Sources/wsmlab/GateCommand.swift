import ArgumentParser
import Foundation
import WSMCore
import WSMHarness
import WSMReport
import WSMScenario

/// `wsmlab gate`: whether this build got worse.
struct GateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gate",
        abstract: "Hold this build against another one, or against a stored baseline.",
        discussion: """
            --against runs another build of wsmlab and this one in turns on this machine: old, new, old again, round \
            after round. The old build against itself tells what noise is. A regression needs a difference that is \
            both beyond chance and beyond the tolerance (expect.tolerances in the scenario), and fresh rounds that show \
            it again; a message that only the new build loses is one at once.

            --baseline holds what carries over between machines against a file: guarantees, counts, and times as \
            ratios to what the load generator itself takes here. --update writes the file.

            Exit codes: 0 pass, 2 regression, 4 inconclusive: no baseline, no samples, INVALID runs, too much noise. \
            docs/gate.md has the formulas and the error rates.

            Examples:
              wsmlab gate Scenarios/gate.yaml --against /path/to/old/wsmlab
              wsmlab gate Scenarios/gate.yaml --baseline Results/baselines/gate.json
              wsmlab gate Scenarios/gate.yaml --baseline Results/baselines/gate.json --update
              wsmlab gate Scenarios/gate.yaml --against old/wsmlab --set 'expect.tolerances={latency.p50: 5%}'
            """)

    @Argument(help: "The scenario file.", completion: .file(extensions: ["yaml", "yml"]))
    var scenario: String

    @Option(
        help: ArgumentHelp("The wsmlab of another build, to compare with on this machine.", valueName: "program"),
        completion: .file())
    var against: String?

    @Option(
        help: ArgumentHelp("The stored baseline to compare with.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var baseline: String?

    @Flag(help: "Write the baseline in place of comparing with it; what has not changed stays as it is.")
    var update = false

    @Flag(help: "With --update: also keep the times of this machine, which are compared on no other.")
    var thisMachine = false

    @Option(help: "Rounds to begin with; more follow while nothing is decided, at most four times as many in all.")
    var rounds = 3

    @OptionGroup(title: "Scenario")
    var scenarioFlags: ScenarioFlags

    @OptionGroup(title: "Result")
    var resultFlags: ResultFlags

    func validate() throws {
        guard (against == nil) != (baseline == nil) else {
            throw ValidationError("a gate needs either --against PROGRAM or --baseline FILE")
        }
        guard !update || baseline != nil else { throw ValidationError("--update needs --baseline FILE") }
        guard !thisMachine || update else { throw ValidationError("--this-machine belongs to --update") }
        let least = against == nil ? 1 : 2
        guard (least...50).contains(rounds) else { throw ValidationError("--rounds must be from \(least) to 50") }
    }

    func run() async throws {
        let scenario = try scenarioFlags.load(self.scenario)
        let (result, folder) = try await perform(scenario)
        HTMLFile.write(into: folder) { HTMLReport.text(result) }
        try resultFlags.write(
            text: { GateReport.text(result, folder: folder, width: $0, color: $1) },
            json: { try GateReport.json(result) }, markdown: { GateMarkdown.text(result, folder: folder) })
        throw ArgumentParser.ExitCode(result.exitCode)
    }

    private func perform(_ scenario: Scenario) async throws -> (result: GateResult, folder: String) {
        let console = ExperimentConsole(
            title: "gating", isQuiet: resultFlags.quiet, interrupted: "the run that is on ends, nothing is decided")
        defer { console.finish() }
        let interruption = console.interruption
        let progress: @Sendable (GateProgress) -> Void = { step in
            if let note = step.note { console.display.announce(note) }
            if let run = step.run { console.display.show(run, now: .now()) }
        }
        let source = ScenarioSource(
            path: self.scenario, changes: scenarioFlags.changes.map { (key: $0.0, value: $0.1) })
        if let against {
            let gate = try AgainstGate(
                program: against, source: source, scenario: scenario, rounds: rounds, folder: resultFlags.out)
            return try await gate.perform(interruption: interruption, progress: progress)
        }
        let gate = try BaselineGate(
            file: baseline ?? "", source: source, scenario: scenario, rounds: rounds, folder: resultFlags.out)
        return update
            ? try await gate.update(keepsTimes: thisMachine, interruption: interruption, progress: progress)
            : try await gate.compare(interruption: interruption, progress: progress)
    }
}
