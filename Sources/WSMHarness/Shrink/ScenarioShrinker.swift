package import WSMScenario

/// Makes a failing scenario smaller while it still fails, until nothing can be taken from it any more.
///
/// A pure search: whether a scenario fails is the caller's to say. It goes through the ways of ``Reduction`` in their order;
/// each tries its boldest step first and goes on from what still fails. A round in which nothing was accepted is the end: the
/// scenario is *minimal*, in that none of the single steps keeps the failure. No scenario is tried twice.
package struct ScenarioShrinker {
    /// What came of a search.
    package struct Outcome: Sendable {
        /// The smallest that fails.
        package var scenario: Scenario
        /// How many scenarios were tried.
        package var trials: Int
        /// Whether no step makes it smaller; `false` where the trials were used up before.
        package var isMinimal: Bool
    }

    /// Trials enough for what swarms draw.
    package static let standardBudget = 400

    private let budget: Int
    private let isValid: (Scenario) -> Bool

    /// - Parameters:
    ///   - budget: How many scenarios may be tried.
    ///   - isValid: Whether a scenario could be run at all; what could not is passed over, and costs no trial.
    package init(budget: Int = ScenarioShrinker.standardBudget, isValid: @escaping (Scenario) -> Bool) {
        self.budget = budget
        self.isValid = isValid
    }

    private struct Search {
        var best: Scenario
        var trials = 0
        var seen: Set<Scenario> = []
    }

    /// Shrinks `scenario`, which fails.
    ///
    /// - Parameter fails: Whether a scenario fails in the same way; called at most as often as the budget says.
    package func shrink(_ scenario: Scenario, fails: (Scenario) throws -> Bool) rethrows -> Outcome {
        var search = Search(best: scenario, seen: [scenario])
        var isChanged = true
        while isChanged {
            isChanged = false
            for reduction in Reduction.all {
                while try takeStep(reduction, &search, fails) { isChanged = true }
                if search.trials >= budget {
                    return Outcome(scenario: search.best, trials: search.trials, isMinimal: false)
                }
            }
        }
        return Outcome(scenario: search.best, trials: search.trials, isMinimal: true)
    }

    /// Takes the first step that keeps the failure; false when there is none.
    private func takeStep(
        _ reduction: Reduction, _ search: inout Search, _ fails: (Scenario) throws -> Bool
    ) rethrows -> Bool {
        for candidate in reduction.steps(from: search.best) {
            guard search.trials < budget else { return false }
            guard search.seen.insert(candidate).inserted, isValid(candidate) else { continue }
            search.trials += 1
            if try fails(candidate) {
                search.best = candidate
                return true
            }
        }
        return false
    }
}
