internal import Foundation
package import WSMCore
internal import WSMScenario

/// The same load on several arms, again and again, in turns on this machine.
///
/// Compare and gate measure through this; capacity, whose next run depends on the one before, through ``ProgramRun``.
package struct Experiment: Sendable {
    /// Where an experiment stands, for a display.
    package struct Progress: Hashable, Sendable {
        /// Runs that are done, and all there will be.
        package var done: Int
        package var total: Int
        /// The run that begins; `nil` at the end.
        package var next: RunOrder.Turn?
        package var armName: String
        /// How long what is left will take, by the runs so far, or by the scenario for the first.
        package var left: TimeSpan

        package init(done: Int, total: Int, next: RunOrder.Turn? = nil, armName: String = "", left: TimeSpan) {
            self.done = done
            self.total = total
            self.next = next
            self.armName = armName
            self.left = left
        }
    }

    /// What came of it.
    package struct Outcome: Sendable {
        /// By arm, in the order of the rounds.
        package var results: [[RunResult]]
        /// The run folders of ``results``, relative to the experiment's.
        package var folders: [[String]]
        /// Whether somebody ended it before its time.
        ///
        /// The interrupted run itself is left out.
        package var interrupted: Bool
        /// The run that could not take place and ended it, where what was done before is kept.
        package var failure: HarnessError?

        /// Rounds that every arm has.
        package var wholeRounds: Int { results.map(\.count).min() ?? 0 }
    }

    private let arms: [Arm]
    private let rounds: Int
    private let folder: String
    /// The arms' names as parts of paths.
    private let fileNames: [String]

    /// - Parameters:
    ///   - arms: At least one.
    ///   - rounds: How often each runs; at least 1.
    ///   - folder: Where the run folders go, `<arm>-<round>`.
    package init(arms: [Arm], rounds: Int, folder: String) {
        self.arms = arms
        self.rounds = rounds
        self.folder = folder
        let names = arms.map { RunFolder.fileName($0.name) }
        fileNames = Set(names).count == names.count ? names : names.enumerated().map { "\($1).\($0 + 1)" }
    }

    /// Performs all runs, one after another.
    ///
    /// - Parameters:
    ///   - keepsWholeRounds: When a run could not take place, return the rounds before it and the failure, if there is one.
    ///   - interruption: A request ends it in order.
    ///   - progress: Called before each run, and at the end.
    /// - Throws: ``HarnessError`` when a run could not take place: an experiment with a hole in it is none.
    package func perform(
        keepsWholeRounds: Bool = false, interruption: Interruption, progress: @Sendable (Progress) -> Void
    ) async throws -> Outcome {
        var outcome = Outcome(
            results: Array(repeating: [], count: arms.count), folders: Array(repeating: [], count: arms.count),
            interrupted: false, failure: nil)
        let turns = RunOrder.turns(arms: arms.count, rounds: rounds)
        let began = MonotonicInstant.now()
        for (index, turn) in turns.enumerated() {
            let arm = arms[turn.arm]
            let each = index == 0 ? Self.expectedSpan(arm) : (.now() - began).seconds / Double(index)
            progress(
                Progress(
                    done: index, total: turns.count, next: turn, armName: arm.name,
                    left: .milliseconds(Int64(each * Double(turns.count - index) * 1000))))
            let name = "\(fileNames[turn.arm])-\(turn.round + 1)"
            let run = ProgramRun(
                program: arm.program, source: arm.source, folder: "\(folder)/\(name)",
                deadline: .seconds(Int64(Self.expectedSpan(arm)) + 120))
            if interruption.isRequested {
                outcome.interrupted = true
                return outcome
            }
            let result: RunResult
            do {
                result = try await run.perform(interruption: interruption)
            } catch let failure as HarnessError where keepsWholeRounds && outcome.wholeRounds > 0 {
                outcome.failure = failure
                return outcome
            }
            if result.interrupted {
                outcome.interrupted = true
                return outcome
            }
            outcome.results[turn.arm].append(result)
            outcome.folders[turn.arm].append(name)
        }
        progress(Progress(done: turns.count, total: turns.count, next: nil, armName: "", left: .zero))
        return outcome
    }

    /// The seconds that a run of this arm takes at least.
    private static func expectedSpan(_ arm: Arm) -> Double {
        let clients = arm.scenario.clients
        return arm.scenario.loadDuration.seconds + Double(clients.count) / max(1, clients.connectRate.perSecond) + 2
    }
}
