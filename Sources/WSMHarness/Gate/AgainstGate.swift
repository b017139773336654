internal import Foundation
internal import WSMCore
package import WSMScenario

/// A gate against another build: old, new, old again, round after round on this machine, until ``GateSequence`` knows enough.
package struct AgainstGate: Sendable {
    private let old: Arm
    private let new: Arm
    private let again: Arm
    private let folder: GateFolder
    private let plan: GateSequence.Plan

    /// INVALID runs are done again at most so often each.
    private static let repeats = 2

    /// - Parameters:
    ///   - program: The other build of wsmlab.
    ///   - ownProgram: The build that is judged: this very program, unless a test puts another in its place.
    ///   - source: The scenario, which both builds read by themselves.
    ///   - rounds: How many rounds to begin with.
    ///   - folder: Where the gate's folder goes; `nil`: under `Results/runs`.
    /// - Throws: ``HarnessError`` when the folder cannot be made, or there is no such program.
    package init(
        program: String, ownProgram: String = ProgramRun.ownProgram, source: ScenarioSource, scenario: Scenario,
        rounds: Int, folder: String?
    ) throws {
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: program, isDirectory: &isFolder)
        guard isThere, !isFolder.boolValue, FileManager.default.isExecutableFile(atPath: program) else {
            throw HarnessError(
                .invalidData, "there is no program \(program): name the wsmlab of the other build, as a path")
        }
        // A bare name would be looked for in the search path.
        let program = URL(fileURLWithPath: program).path
        old = Arm(name: "old", program: program, source: source, scenario: scenario)
        new = Arm(name: "new", program: ownProgram, source: source, scenario: scenario)
        again = Arm(name: "control", program: program, source: source, scenario: scenario)
        plan = GateSequence.Plan(rounds: rounds)
        self.folder = try GateFolder(folder, name: scenario.name)
    }

    /// What a gate has done besides deciding.
    private struct Work {
        var runs: [String] = []
        var repeated = 0
        var environment: RunEnvironment?
    }

    /// Measures until something is decided, and leaves `gate.json` in the folder.
    ///
    /// A request on `interruption` ends the run that is on, and gives a result that is marked `interrupted`.
    ///
    /// - Throws: ``HarnessError`` when a run could not take place.
    package func perform(
        interruption: Interruption, progress: @escaping @Sendable (GateProgress) -> Void
    ) async throws -> (result: GateResult, folder: String) {
        var sequence = GateSequence(figures: GateFigure.of(new.scenario), plan: plan)
        var work = Work()
        var step = sequence.next(after: nil)
        var wasFresh = false
        while case .measure(let isFresh) = step {
            if isFresh, !wasFresh {
                let suspects = sequence.suspected.joined(separator: ", ")
                progress(GateProgress(note: "suspected: \(suspects); fresh rounds have to confirm it"))
            }
            wasFresh = isFresh
            let least = isFresh ? sequence.rounds.count + plan.fresh : plan.first
            let sum = GateProgressSum(
                done: work.runs.count, total: max(least, sequence.all.count + 1) * 3 + work.repeated,
                round: sequence.all.count)
            let measured = try await measure(sequence.all.count + 1, &work, interruption) {
                sum.progress($0).map(progress)
            }
            switch measured {
            case .round(let round): step = sequence.next(after: round)
            case .spoiled(let verdict, let reason): step = .decided(verdict, reasons: [reason])
            case .interrupted: return try finish(sequence, work, nil)
            }
        }
        guard case .decided(let verdict, let reasons) = step else { return try finish(sequence, work, nil) }
        return try finish(sequence, work, (verdict, reasons))
    }

    // MARK: Rounds

    private enum Measured {
        case round(GateRound)
        /// A run stayed INVALID however often it was done again.
        case spoiled(GateResult.Verdict, reason: String)
        case interrupted
    }

    private func measure(
        _ number: Int, _ work: inout Work, _ interruption: Interruption,
        _ report: @escaping @Sendable (Experiment.Progress) -> Void
    ) async throws -> Measured {
        let arms = [old, new, again]
        let name = "round-\(number)"
        let outcome = try await Experiment(arms: arms, rounds: 1, folder: "\(folder.path)/\(name)").perform(
            interruption: interruption, progress: report)
        guard !outcome.interrupted else { return .interrupted }
        work.runs += outcome.folders.joined().map { "\(name)/\($0)" }
        var attempts = outcome.results
        for (index, arm) in arms.enumerated() {
            while attempts[index].last?.validity.verdict == .invalid {
                let count = attempts[index].count
                guard count <= Self.repeats else { return spoiled(index, attempts) }
                let folder = "\(name)/again-\(count)"
                let repeated = try await Experiment(
                    arms: [arm], rounds: 1, folder: "\(self.folder.path)/\(folder)"
                ).perform(interruption: interruption, progress: report)
                guard !repeated.interrupted else { return .interrupted }
                work.runs += repeated.folders.joined().map { "\(folder)/\($0)" }
                work.repeated += 1
                attempts[index] += repeated.results.joined()
            }
        }
        let results = attempts.compactMap(\.last)
        guard results.count == arms.count else { return .interrupted }
        work.environment = results[1].environment
        return .round(GateRound(old: results[0], new: results[1], again: results[2]))
    }

    /// What a run that stayed INVALID comes to.
    ///
    /// Its times are the machine's; but what only the new build loses, and in each of its runs, is lost whatever the machine did
    /// beside.
    private func spoiled(_ index: Int, _ attempts: [[RunResult]]) -> Measured {
        let losses = attempts.map { $0.map(\.unexplainedLosses) }
        if index == 1, losses[1].allSatisfy({ $0 > 0 }), (losses[0] + losses[2]).allSatisfy({ $0 == 0 }) {
            let counts = losses[1].map(String.init).joined(separator: ", ")
            return .spoiled(
                .regression,
                reason:
                    "the new build lost \(counts) deliveries (unexplained) in \(losses[1].count) runs, and the old one "
                    + "none; those runs were INVALID, which spoils times, and not counts that repeat")
        }
        let build = index == 1 ? "new" : "old"
        let reason = attempts[index].last?.validity.reasons.first ?? "it gives no reason"
        return .spoiled(
            .inconclusive,
            reason: "a run of the \(build) build stayed INVALID \(attempts[index].count) times: \(reason)")
    }

    // MARK: The result

    private func finish(
        _ sequence: GateSequence, _ work: Work, _ decision: (verdict: GateResult.Verdict, reasons: [String])?
    ) throws -> (GateResult, String) {
        let scenario = new.scenario
        var result = GateResult(
            name: scenario.name, mode: .against, reference: old.program, startedAt: folder.startedAt,
            scenario: ScenarioHash.of(scenario), environment: work.environment ?? .current())
        result.rounds = sequence.all.count
        result.freshRounds = sequence.freshRounds.count
        result.repeated = work.repeated
        result.runs = work.runs
        let counts = GateCounts(sequence.all)
        result.counts = counts.table
        result.guarantees = counts.guarantees
        if sequence.all.count >= 2 {
            let table = GateTable(sequence.figures, rounds: sequence.all)
            result.metrics = table.metrics(convicted: Set(sequence.convicted), fresh: sequence.freshRounds)
            result.control = table.control(level: GateSequence.controlLevel)
        }
        if !sequence.dismissed.isEmpty {
            result.notes.append(
                "suspected, and not seen again in fresh rounds: \(sequence.dismissed.joined(separator: ", "))")
        }
        result.interrupted = decision == nil
        result.conclude(
            decision?.verdict ?? .inconclusive,
            decision?.reasons ?? ["interrupted after \(sequence.all.count) rounds: nothing is decided"])
        try folder.write(result)
        return (result, folder.path)
    }
}
