internal import Foundation
internal import Synchronization
package import WSMCore
package import WSMScenario
internal import WSMSimulation

/// Simulates one scenario with many seeds, or another one with each seed (a swarm), on all cores, and keeps the seeds that fail.
///
/// Every ``repeatEvery``th seed is simulated twice: the same seed has to do the same again, to the last step.
package struct SeedCampaign: Sendable {
    /// What a campaign leaves behind.
    package struct Outcome: Sendable {
        package var result: SeedCampaignResult
        /// The path of the folder.
        package var folder: String
    }

    /// How far a campaign has come.
    package struct Progress: Hashable, Sendable {
        package var done: Int
        package var total: Int
        package var failed: Int
        /// How long what is left will take, by what is done.
        package var left: TimeSpan
    }

    /// How failing seeds are shrunk.
    package struct Shrinking: Sendable {
        /// How many scenarios may be simulated for one seed.
        package var budget = ScenarioShrinker.standardBudget
        /// The text of the scenario file for what a seed became: comments for people, and the scenario.
        package var text: @Sendable (ShrunkSeed) -> String

        package init(text: @escaping @Sendable (ShrunkSeed) -> String) { self.text = text }
    }

    package static let resultName = "seeds.json"
    /// So many failing seeds are shrunk, the first of each way in which they fail.
    package static let shrunkLimit = 5
    /// One seed in so many is simulated again.
    package static let repeatEvery: UInt64 = 16

    private let scenario: Scenario
    private let isSwarm: Bool
    private let command: String
    private let seeds: SeedRange
    private let workers: Int
    private let folder: String?
    private let shrinking: Shrinking?

    /// - Parameters:
    ///   - scenario: What every seed simulates.
    ///   - isSwarm: Whether each seed draws a scenario of its own, with the profile and the expectations of this one.
    ///   - command: What simulates one seed, but for `--seed N`; for people.
    ///   - seeds: Which.
    ///   - workers: How many at a time; `nil`: one a core.
    ///   - folder: Where the result goes; `nil`: `Results/runs/seeds-<name>-<time>`.
    ///   - shrinking: Whether the first seed of each way of failing becomes a scenario file of its own, as small as it can be.
    /// - Throws: ``HarnessError`` that names the keys of what is not modelled.
    package init(
        scenario: Scenario, isSwarm: Bool = false, command: String, seeds: SeedRange, workers: Int? = nil,
        folder: String?, shrinking: Shrinking? = nil
    ) throws {
        if !isSwarm { try SimulatedRun.check(scenario) }
        self.scenario = scenario
        self.isSwarm = isSwarm
        self.command = command
        self.seeds = seeds
        self.workers = max(1, min(workers ?? ProcessInfo.processInfo.activeProcessorCount, seeds.count))
        self.folder = folder
        self.shrinking = shrinking
    }

    private struct State {
        var next = 0
        var done = 0
        var result: SeedCampaignResult
        var error: (any Error)?
    }

    /// What the workers share: who takes which seed, and what came of them.
    private final class Board: Sendable {
        let state: Mutex<State>
        let began = MonotonicInstant.now()

        init(_ result: SeedCampaignResult) { state = Mutex(State(result: result)) }
    }

    /// Simulates all seeds; a request on `interruption` ends it after those that are under way.
    ///
    /// `progress` is called after each seed, on the workers' threads, one at a time.
    package func perform(
        interruption: Interruption, progress: @escaping @Sendable (Progress) -> Void
    ) async throws -> Outcome {
        let folder = try RunFolder.make(self.folder, name: "seeds-\(scenario.name)")
        let board = Board(
            SeedCampaignResult(
                name: scenario.name, command: command, seeds: seeds,
                probes: isSwarm ? SwarmProbe.possible(isHardened: scenario.cluster.profile == .hardened) : nil,
                startedAt: RunFolder.timestamp(), environment: .current()))
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<workers {
                group.addTask {
                    try? await DedicatedThread.perform(name: "seeds-\(worker)") {
                        work(board, interruption, progress)
                    }
                }
            }
        }
        if let error = board.state.withLock({ $0.error }) {
            folder.removeUnfinished()
            throw error
        }
        var result = board.state.withLock { $0.result }
        result.interrupted = interruption.isRequested && result.done < seeds.count
        result.conclude()
        if let shrinking, !result.interrupted {
            result.shrunken = try await shrink(result.failures, shrinking, folder, interruption)
        }
        try folder.write(Array(result.json()), as: Self.resultName)
        folder.linkLatest()
        return Outcome(result: result, folder: folder.path)
    }

    /// Makes files of the first failing seed of each kind.
    private func shrink(
        _ failures: [SeedCampaignResult.Failure], _ shrinking: Shrinking, _ folder: RunFolder,
        _ interruption: Interruption
    ) async throws -> [SeedCampaignResult.Shrunken] {
        var known: Set<String> = []
        let first = failures.filter { failure in failure.condition.map { known.insert($0).inserted } ?? false }
        var shrunken: [SeedCampaignResult.Shrunken] = []
        for failure in first.prefix(Self.shrunkLimit) where !interruption.isRequested {
            let scenario = try self.scenario(of: failure.seed)
            let shrunk = try await DedicatedThread.perform(name: "shrink") {
                try SeedShrinker(budget: shrinking.budget, interruption: interruption)
                    .shrink(scenario, seed: failure.seed)
            }
            guard let shrunk else { continue }
            let name = "seed-\(failure.seed).yaml"
            try folder.write(Array(shrinking.text(shrunk).utf8), as: name)
            shrunken.append(SeedCampaignResult.Shrunken(shrunk, file: name))
        }
        return shrunken
    }

    /// Takes seed after seed until there is none left.
    private func work(_ board: Board, _ interruption: Interruption, _ progress: (Progress) -> Void) {
        while !interruption.isRequested {
            let place = board.state.withLock { state -> Int? in
                guard state.next < seeds.count, state.error == nil else { return nil }
                defer { state.next += 1 }
                return state.next
            }
            guard let place else { return }
            do {
                let finding = try examine(seeds.first + UInt64(place), interruption)
                // What was cut short says nothing of its seed.
                guard !interruption.isRequested else { return }
                board.state.withLock { state in
                    state.done += 1
                    state.result.take(finding)
                    let each = (MonotonicInstant.now() - board.began).seconds / Double(state.done)
                    progress(
                        Progress(
                            done: state.done, total: seeds.count, failed: state.result.failed,
                            left: .milliseconds(Int64(each * Double(seeds.count - state.done) * 1000))))
                }
            } catch {
                board.state.withLock { $0.error = $0.error ?? error }
                return
            }
        }
    }

    private func examine(_ seed: UInt64, _ interruption: Interruption) throws -> SeedCampaignResult.Finding {
        let scenario = try self.scenario(of: seed)
        let run = try SimulatedRun.judged(scenario, interruption: interruption)
        var finding = SeedCampaignResult.Finding(seed: seed, run: run)
        guard seed.isMultiple(of: Self.repeatEvery) || seeds.count == 1, !interruption.isRequested else {
            return finding
        }
        let again = try SimulatedRun.judged(scenario, interruption: interruption)
        finding.isRepeated = true
        if again.result.traceHash != run.result.traceHash {
            finding.parting = Self.words(run.trail.parting(from: again.trail))
        }
        return finding
    }

    private func scenario(of seed: UInt64) throws -> Scenario {
        if isSwarm { return try SwarmScenario.draw(scenario, seed: seed) }
        var scenario = scenario
        scenario.seed = seed
        return scenario
    }

    private static func words(_ parting: HashTrail.Parting?) -> String {
        guard let parting else { return "the same at every mark, and not at the end" }
        let after = parting.after.map { "step \($0.step) (\($0.at.seconds) s)" } ?? "the begin"
        let before = parting.before.map { "step \($0.step) (\($0.at.seconds) s)" } ?? "the end"
        return "the same until \(after), and not at \(before)"
    }
}
