internal import WSMCore
package import WSMScenario
package import WSMSimulation

/// A failing seed as a scenario of its own: an explicit plan, as small as it could be made.
package struct ShrunkSeed: Sendable {
    package var seed: UInt64
    package var kind: FailureKind
    /// What fails.
    package var scenario: Scenario
    /// What its run gave.
    package var result: RunResult
    package var before: PlanSize
    package var size: PlanSize
    /// How many scenarios were simulated for it, and whether nothing can be taken from it any more.
    package var trials: Int
    package var isMinimal: Bool
}

/// Shrinks what a seed simulates by simulating smaller scenarios.
package struct SeedShrinker {
    private let budget: Int
    private let sabotage: Sabotage?
    private let interruption: Interruption

    /// - Parameters:
    ///   - budget: How many scenarios may be simulated.
    ///   - sabotage: The defect that is planted in each of them, in tests of the checkers.
    ///   - interruption: Ends it early, with what has been found until then.
    package init(
        budget: Int = ScenarioShrinker.standardBudget, sabotage: Sabotage? = nil, interruption: Interruption
    ) {
        self.budget = budget
        self.sabotage = sabotage
        self.interruption = interruption
    }

    /// The smallest scenario that fails as this one does; `nil` when this one does not fail.
    package func shrink(_ scenario: Scenario, seed: UInt64) throws -> ShrunkSeed? {
        let first = try SimulatedRun.judged(scenario, sabotage: sabotage, interruption: interruption).result
        guard let kind = FailureKind(first), !interruption.isRequested else { return nil }
        var best = first
        let outcome = try ScenarioShrinker(budget: budget, isValid: Self.isRunnable).shrink(scenario) { candidate in
            guard !interruption.isRequested else { return false }
            let result = try SimulatedRun.judged(candidate, sabotage: sabotage, interruption: interruption).result
            // What was cut short says nothing.
            guard !interruption.isRequested, kind.isRepeated(by: result) else { return false }
            best = result
            return true
        }
        return ShrunkSeed(
            seed: seed, kind: kind, scenario: outcome.scenario, result: best, before: PlanSize(scenario),
            size: PlanSize(outcome.scenario), trials: outcome.trials,
            isMinimal: outcome.isMinimal && !interruption.isRequested)
    }

    /// Whether a scenario can be written as a file that is read as the same again, and simulated.
    static func isRunnable(_ scenario: Scenario) -> Bool {
        ScenarioFile.parse(text: scenario.yaml()).scenario == scenario && SimulatedRun.isModelled(scenario)
    }
}
