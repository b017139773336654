import ArgumentParser
import WSMCore
import WSMHarness
import WSMReport
import WSMScenario

/// `wsmlab capacity`: the highest load that still delivers everything within the limit, and the curve up to it.
struct CapacityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capacity",
        abstract: "Find the highest load that still delivers everything within a limit.",
        discussion: """
            Runs the scenario as it is written, doubles the load until it is missed, and halves the gap until carried and \
            missed load lie within the tolerance. A load is carried when the majority of its runs deliver everything, keep \
            every promise and stay within the limit; each run is a process of its own. The scenario's own thresholds do not \
            count, and a scenario with faults is refused.

            Prints the answer, the curve, what is exhausted at the missed load, and what a client, an instance and a message \
            cost. If that is the load generator itself, or other programs on the machine, no number for the system follows, \
            and none is given.

            --vary rate scales the rates of all workloads alike, clients sets clients.count, instances cluster.instances.

            Exit codes: 0 found; 2 the lowest load is missed already; 4 no number (the load generator was exhausted, or the \
            search ended before it had found the limit); 130 interrupted, with what was found so far.

            Examples:
              wsmlab capacity Scenarios/quickstart.yaml
              wsmlab capacity Scenarios/quickstart.yaml --vary clients --limit 'latency.p99 < 250ms'
              wsmlab capacity Scenarios/quickstart.yaml --set duration=3s --repeat 1 --format json | jq .knee
            """)

    @Argument(help: "The scenario file.", completion: .file(extensions: ["yaml", "yml"]))
    var scenario: String

    @Option(help: ArgumentHelp("What every load must keep to, beside delivering everything.", valueName: "threshold"))
    var limit = "latency.p99 < 100ms"

    @Option(help: "What to turn up.")
    var vary: CapacityVariable = .rate

    @Option(
        name: .customLong("repeat"),
        help: ArgumentHelp("The most runs of each step: odd, since the majority decides.", valueName: "n"))
    var repeats = 3

    @Option(
        help: ArgumentHelp("How far above the carried load the missed one may be in the end.", valueName: "percent"))
    var tolerance = 5.0

    @Option(
        help: ArgumentHelp("Begin no run later than this; what was found by then is the result.", valueName: "minutes"))
    var minutes = 30.0

    @OptionGroup(title: "Scenario")
    var scenarioFlags: ScenarioFlags

    @OptionGroup(title: "Result")
    var resultFlags: ResultFlags

    func validate() throws {
        _ = try threshold()
        guard repeats >= 1, repeats <= 15, !repeats.isMultiple(of: 2) else {
            throw ValidationError("--repeat is an odd number from 1 to 15, so that a majority can decide")
        }
        guard tolerance >= 0.5, tolerance <= 50 else {
            throw ValidationError("--tolerance is a number of percent from 0.5 to 50")
        }
        guard minutes > 0, minutes <= 24 * 60 else {
            throw ValidationError("--minutes is a number above 0 and at most 1440")
        }
    }

    func run() async throws {
        let source = ScenarioSource(
            path: scenario, changes: scenarioFlags.changes.map { (key: $0.0, value: $0.1) })
        let scenario = try scenarioFlags.load(self.scenario)
        let search = try CapacitySearch(source: source, scenario: scenario, options: options())
        let outcome = try await perform(search)
        try report(outcome)
        Output.standard.flush()
        throw ArgumentParser.ExitCode(outcome.result.exitCode)
    }

    private func threshold() throws -> Threshold {
        switch Threshold.parse(limit) {
        case .success(let threshold): return threshold
        case .failure(let error):
            throw ValidationError("--limit: \(Output.printable("\(error.message): \(error.hint)"))")
        }
    }

    private func options() throws -> CapacitySearch.Options {
        var options = CapacitySearch.Options(limit: try threshold())
        options.variable = vary
        options.repeats = repeats
        options.tolerance = tolerance / 100
        options.timeLimit = .milliseconds(Int64(minutes * 60_000))
        options.folder = resultFlags.out
        return options
    }

    private func perform(_ search: CapacitySearch) async throws -> CapacitySearch.Outcome {
        let isQuiet = resultFlags.quiet
        let interruption = Interruption()
        Signals.watch(
            interruption,
            first: {
                if !isQuiet { Output.errors.write("interrupted: this run ends; once more quits at once\n") }
            },
            last: {})
        return try await search.perform(interruption: interruption) { progress in
            if !isQuiet { Output.errors.write(CapacityProgressText.line(progress) + "\n") }
        }
    }

    private func report(_ outcome: CapacitySearch.Outcome) throws {
        HTMLFile.write(into: outcome.folder) { HTMLReport.text(outcome.result) }
        let (result, folder) = (outcome.result, outcome.folder)
        try resultFlags.write(
            text: { CapacityReport.text(result, folder: folder, width: $0, color: $1) },
            json: { String(decoding: try result.json(), as: UTF8.self) },
            markdown: { CapacityReport.markdown(result, folder: folder) })
    }
}

extension CapacityVariable: ExpressibleByArgument {}
