import ArgumentParser
import Foundation
import WSMCore
import WSMHarness
import WSMReport
import WSMScenario

/// `wsmlab compare`: the same plan under several variants, or stored runs, side by side.
struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Run a scenario's plan under several variants in turns, and say what the difference is.",
        discussion: """
            Every variant runs the same plan once a round, forwards and backwards in turn (A B B A …), each run in a process \
            of its own and with the scenario's own warm-up, which counts in nothing. Each figure is shown with its medians, \
            their ratio and its 95 % interval over the rounds, and a word: better, worse, no difference, or inconclusive. \
            Fewer than three rounds show nothing.

            With run folders in place of a scenario, stored runs are put side by side; repeated runs of one scenario count as \
            its rounds. The folder of a comparison, alone, is shown again.

            Exit codes: 0 compared, whatever the difference is; 4 a run was INVALID or missing; 130 interrupted, with the \
            rounds that were done.

            Examples:
              wsmlab compare Scenarios/quickstart.yaml --vary cluster.manager=memory,broadcast
              wsmlab compare Scenarios/quickstart.yaml --vary cluster.instances=1,2,4 --vary cluster.manager=memory,broadcast
              wsmlab compare Scenarios/quickstart.yaml --vary cluster.profile=reference,hardened --rounds 6
              wsmlab compare Results/runs/before Results/runs/after
            """)

    @Argument(
        help: ArgumentHelp("The scenario file, or the folders of stored runs.", valueName: "scenario-or-runs"),
        completion: .file())
    var subjects: [String]

    @Option(
        help: ArgumentHelp(
            "A scenario key and the values that it takes in turn; several make every combination.",
            valueName: "key=a,b"),
        transform: { text in
            do { return try Variation(parsing: text) } catch { throw ValidationError(Output.printable("\(error)")) }
        })
    var vary: [Variation] = []

    @Option(help: "How often each variant runs.")
    var rounds = 3

    @OptionGroup(title: "Scenario")
    var scenarioFlags: ScenarioFlags

    @OptionGroup(title: "Result")
    var resultFlags: ResultFlags

    func validate() throws {
        guard (1...1000).contains(rounds) else { throw ValidationError("--rounds is a number from 1 to 1000") }
        guard Set(vary.map(\.key)).count == vary.count else {
            throw ValidationError("--vary names the same key twice: give all its values at once")
        }
        guard vary.reduce(1, { $0 * $1.values.count }) <= CompareRun.mostVariants else {
            throw ValidationError("these are more than \(CompareRun.mostVariants) variants")
        }
        if vary.isEmpty, subjects.count == 1, !isFolder(subjects[0]) {
            throw ValidationError("say what to vary, for example --vary cluster.manager=memory,broadcast")
        }
        guard vary.isEmpty || subjects.count == 1 else { throw ValidationError("--vary takes one scenario") }
        guard vary.isEmpty || !isFolder(subjects[0]) else {
            throw ValidationError("--vary takes a scenario file, and \(Output.printable(subjects[0])) is a folder")
        }
    }

    func run() async throws {
        if vary.isEmpty {
            try report(try StoredComparison.read(subjects), folder: nil)
        } else {
            let outcome = try await perform()
            HTMLFile.write(outcome.result, into: outcome.folder)
            try report(outcome.result, folder: outcome.folder)
        }
    }

    private func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// Checks every variant before anything runs.
    private func variants() throws -> (arms: [Arm], sets: [[String: String]]) {
        let source = ScenarioSource(path: subjects[0], changes: scenarioFlags.changes.map { (key: $0.0, value: $0.1) })
        var arms: [Arm] = []
        var sets: [[String: String]] = []
        var told: Set<String> = []
        var isSound = true
        for combination in Variation.combinations(vary) {
            let varied = source.setting(combination.set)
            let loaded = varied.load()
            for text in loaded.diagnostics.map(described) where told.insert(text).inserted {
                Output.errors.write(text + "\n")
            }
            sets.append(Dictionary(uniqueKeysWithValues: combination.set.map { ($0.key, $0.value) }))
            guard let scenario = loaded.scenario else {
                isSound = false
                continue
            }
            arms.append(Arm(name: combination.name, source: varied, scenario: scenario))
        }
        guard isSound else { throw Failure.code(.invalidData) }
        return (arms, sets)
    }

    /// A fault in a varied key, laid to the flag that set it.
    private func described(_ fault: Diagnostic) -> String {
        guard case .override(let key) = fault.location, vary.contains(where: { $0.key == key }) else {
            return "\(fault)"
        }
        return "--vary" + "\(fault)".dropFirst("--set".count)
    }

    private func perform() async throws -> CompareRun.Outcome {
        let (arms, sets) = try variants()
        let console = ExperimentConsole(
            title: "comparing", isQuiet: resultFlags.quiet, interrupted: "this run ends, whole rounds are compared")
        defer { console.finish() }
        return try await CompareRun(arms: arms, sets: sets, rounds: rounds, folder: resultFlags.out).perform(
            interruption: console.interruption, progress: { console.display.show($0, now: .now()) })
    }

    private func report(_ result: CompareResult, folder: String?) throws {
        try resultFlags.write(
            text: { CompareReport.text(result, folder: folder, width: $0, color: $1) },
            json: { String(decoding: try result.json(), as: UTF8.self) },
            markdown: { CompareReport.markdown(result, folder: folder) })
        throw ArgumentParser.ExitCode(result.exitCode)
    }
}
