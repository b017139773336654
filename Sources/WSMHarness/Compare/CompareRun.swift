internal import WSMScenario

/// Runs the same plan under every variant, in turns, and says what the difference is.
package struct CompareRun: Sendable {
    /// What a comparison leaves behind.
    package struct Outcome: Sendable {
        package var result: CompareResult
        /// The path of the folder.
        package var folder: String
    }

    /// The name of the result's file in the folder.
    package static let resultName = "compare.json"
    /// More variants than that no table shows, and no machine stands still for.
    package static let mostVariants = 16

    private let arms: [Arm]
    private let sets: [[String: String]]
    private let rounds: Int
    private let folder: String?

    /// - Parameters:
    ///   - arms: At least two, whose scenarios are checked.
    ///   - sets: What was set for each.
    ///   - rounds: How often each runs.
    ///   - folder: Where everything goes; `nil`: `Results/runs/compare-<name>-<time>`.
    package init(arms: [Arm], sets: [[String: String]], rounds: Int, folder: String?) {
        self.arms = arms
        self.sets = sets
        self.rounds = rounds
        self.folder = folder
    }

    /// Performs all runs and writes the folder.
    ///
    /// A request on `interruption` ends it in order, with the rounds that every variant has, marked `interrupted`. So does a
    /// run that could not take place, once every variant has one: then the comparison says so, and is inconclusive.
    ///
    /// - Throws: ``HarnessError`` when a run of the first round could not take place, or the folder be written.
    package func perform(
        interruption: Interruption, progress: @Sendable (Experiment.Progress) -> Void
    ) async throws -> Outcome {
        let name = arms[0].scenario.name
        let folder = try RunFolder.make(self.folder, name: "compare-\(name)")
        let startedAt = RunFolder.timestamp()
        let outcome: Experiment.Outcome
        do {
            outcome = try await Experiment(arms: arms, rounds: rounds, folder: folder.path).perform(
                keepsWholeRounds: true, interruption: interruption, progress: progress)
        } catch {
            folder.removeUnfinished()
            throw error
        }
        // Only whole rounds are compared.
        let whole = outcome.wholeRounds
        let variants = arms.indices.map { index in
            CompareResult.Variant(
                name: arms[index].name, set: sets[index], results: Array(outcome.results[index].prefix(whole)),
                folders: Array(outcome.folders[index].prefix(whole)))
        }
        let environments = outcome.results.joined().map(\.environment)
        let environment = environments.first { $0.redis != nil } ?? environments.first ?? .current()
        var result = CompareResult(
            name: name, startedAt: startedAt, rounds: rounds, variants: variants, environment: environment)
        result.interrupted = outcome.interrupted
        if let failure = outcome.failure {
            result.warnings.append("only \(whole) of \(rounds) rounds are compared: a run failed: \(failure.message)")
        }
        Comparison.judge(&result, paired: true)
        if outcome.failure != nil, !result.interrupted { result.exitCode = ExitCode.inconclusive.rawValue }
        try folder.write(Array(result.json()), as: Self.resultName)
        folder.linkLatest()
        return Outcome(result: result, folder: folder.path)
    }
}
