internal import Synchronization
internal import WSMCore
package import WSMHarness
package import WSMScenario

/// Looks for a mutant with one seed after the other, and shrinks the first that finds it.
package struct MutantHunt: Sendable {
    /// What came of it.
    package struct Catch: Sendable {
        package var mutant: Mutant
        /// The seed and what it became; `nil`: no seed found it.
        package var shrunk: ShrunkSeed?
        /// Seeds that were tried.
        package var tried: Int
        /// Seeds that fail without the defect as well, since the draw itself takes the guarantee away: they show nothing.
        package var passedOver: Int
    }

    private let base: Scenario
    private let seeds: SeedRange
    private let budget: Int
    private let interruption: Interruption

    /// - Parameters:
    ///   - base: The swarm's scenario: its profile and what it expects.
    ///   - seeds: The seeds to try, in their order.
    ///   - budget: How many scenarios may be simulated for shrinking.
    package init(
        base: Scenario, seeds: SeedRange, budget: Int = ScenarioShrinker.standardBudget, interruption: Interruption
    ) {
        self.base = base
        self.seeds = seeds
        self.budget = budget
        self.interruption = interruption
    }

    package func hunt(_ mutant: Mutant) throws -> Catch {
        var caught = Catch(mutant: mutant, tried: 0, passedOver: 0)
        let shrinker = SeedShrinker(budget: budget, sabotage: mutant.sabotage, interruption: interruption)
        for seed in seeds.first...seeds.last {
            guard !interruption.isRequested else { break }
            caught.tried += 1
            let twin = mutant.twin(of: try SwarmScenario.draw(base, seed: seed))
            let planted = mutant.planted(in: twin)
            guard SimulatedRun.isModelled(planted), try fails(planted, with: mutant) else { continue }
            guard try !fails(twin, with: nil) else {
                caught.passedOver += 1
                continue
            }
            caught.shrunk = try shrinker.shrink(planted, seed: seed)
            if caught.shrunk != nil { break }
        }
        return caught
    }

    private func fails(_ scenario: Scenario, with mutant: Mutant?) throws -> Bool {
        let result = try SimulatedRun.judged(scenario, sabotage: mutant?.sabotage, interruption: interruption).result
        return FailureKind(result) != nil
    }
}

extension MutantHunt {
    private struct State {
        var next = 0
        var catches: [Int: Catch] = [:]
        var error: (any Error)?
    }

    /// What the workers share.
    private final class Board: Sendable {
        let state = Mutex(State())
    }

    /// Hunts many, on all cores; what is caught comes in the order of the mutants.
    package func hunt(_ mutants: [Mutant], workers: Int = 2) async throws -> [Catch] {
        let board = Board()
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<workers {
                group.addTask {
                    try? await DedicatedThread.perform(name: "hunt-\(worker)") { work(mutants, board) }
                }
            }
        }
        let state = board.state.withLock { $0 }
        if let error = state.error { throw error }
        return mutants.indices.compactMap { state.catches[$0] }
    }

    /// Takes mutant after mutant until there is none left.
    private func work(_ mutants: [Mutant], _ board: Board) {
        while true {
            let place = board.state.withLock { state -> Int? in
                guard state.next < mutants.count, state.error == nil else { return nil }
                defer { state.next += 1 }
                return state.next
            }
            guard let place else { return }
            do {
                let caught = try hunt(mutants[place])
                board.state.withLock { $0.catches[place] = caught }
            } catch {
                board.state.withLock { $0.error = error }
            }
        }
    }
}
