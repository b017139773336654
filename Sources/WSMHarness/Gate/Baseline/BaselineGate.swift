internal import Foundation
package import WSMScenario
internal import WSMVerify

/// A gate against a stored baseline: a few runs of this build, and a few more before a time is called a regression.
package struct BaselineGate: Sendable {
    private let file: String
    private let arm: Arm
    private let rounds: Int
    private let folder: GateFolder

    private static let repeats = 2

    /// - Parameters:
    ///   - file: The baseline.
    ///   - program: The build that is judged.
    ///   - rounds: How many runs; as many again confirm a suspicion.
    ///   - folder: Where the gate's folder goes; `nil`: under `Results/runs`.
    package init(
        file: String, program: String = ProgramRun.ownProgram, source: ScenarioSource, scenario: Scenario, rounds: Int,
        folder: String?
    ) throws {
        self.file = file
        self.rounds = max(1, rounds)
        arm = Arm(name: "run", program: program, source: source, scenario: scenario)
        self.folder = try GateFolder(folder, name: scenario.name)
    }

    /// Compares, and leaves `gate.json` in the folder.
    ///
    /// - Throws: ``HarnessError`` when a run could not take place, or the file is broken.
    package func compare(
        interruption: Interruption, progress: @escaping @Sendable (GateProgress) -> Void
    ) async throws -> (result: GateResult, folder: String) {
        let baseline: GateBaseline
        switch try stored() {
        case .success(let known): baseline = known
        case .failure(let reason): return try finish(Work(), nil, (.inconclusive, [reason.text]))
        }
        var work = Work()
        work.knownLosses = baseline.counts["delivery.lostByCause.\(LossCause.unexplained.rawValue)"]
        guard let runs = try await measure(rounds, isFresh: false, &work, interruption, progress) else {
            return try finish(work, nil, nil)
        }
        let first = BaselineComparison(baseline, runs: runs, scenario: arm.scenario)
        if let decision = work.spoiled ?? Self.decide(first) { return try finish(work, first, decision) }
        guard let fresh = try await measure(rounds, isFresh: true, &work, interruption, progress) else {
            return try finish(work, first, nil)
        }
        let again = BaselineComparison(baseline, runs: fresh, scenario: arm.scenario)
        let all = BaselineComparison(baseline, runs: runs + fresh, scenario: arm.scenario)
        return try finish(work, all, work.spoiled ?? Self.confirm(first, again, all))
    }

    /// Measures, and writes the baseline.
    ///
    /// - Parameter keepsTimes: Whether it also keeps the times of this machine.
    package func update(
        keepsTimes: Bool, interruption: Interruption, progress: @escaping @Sendable (GateProgress) -> Void
    ) async throws -> (result: GateResult, folder: String) {
        var work = Work()
        guard let runs = try await measure(rounds, isFresh: false, &work, interruption, progress) else {
            return try finish(work, nil, nil)
        }
        if let spoiled = work.spoiled { return try finish(work, nil, spoiled) }
        let baseline: GateBaseline
        do {
            baseline = try GateBaseline(
                runs, scenario: arm.scenario, earlier: try? GateBaseline.read(file), keepsTimes: keepsTimes)
        } catch let unfit as GateBaseline.Unfit {
            return try finish(work, nil, (.inconclusive, ["the baseline is not written: \(unfit.reason)"]))
        }
        let hasChanged = try baseline.write(file)
        let comparison = BaselineComparison(baseline, runs: runs, scenario: arm.scenario)
        let reason =
            hasChanged ? "the baseline is written: read its diff before you keep it" : "the baseline is as it was"
        return try finish(work, comparison, (.pass, [reason]))
    }

    // MARK: The file

    private struct Reason: Error { var text: String }

    private func stored() throws -> Result<GateBaseline, Reason> {
        let baseline: GateBaseline
        do {
            baseline = try GateBaseline.read(file)
        } catch GateBaseline.Absence.noFile {
            return .failure(
                Reason(text: "there is no baseline \(file): write it with --update, from a build that you trust"))
        } catch GateBaseline.Absence.otherSchema(let schema) {
            return .failure(
                Reason(
                    text:
                        "the baseline's schema is \(schema), and this program reads \(GateBaseline.schemaName): write it "
                        + "anew with --update"))
        }
        guard baseline.scenario == ScenarioHash.of(arm.scenario) else {
            return .failure(
                Reason(
                    text:
                        "the baseline is of another scenario (\(baseline.name), \(baseline.scenario)): give it its own "
                        + "file, or write it anew with --update"))
        }
        return .success(baseline)
    }

    // MARK: Runs

    private struct Work {
        var runs: [String] = []
        var count = 0
        var fresh = 0
        var repeated = 0
        var environment: RunEnvironment?
        /// The unexplained losses of the baseline; `nil` where there is none to compare with.
        var knownLosses: Int?
        var spoiled: (verdict: GateResult.Verdict, reasons: [String])?
    }

    /// Runs so many times; `nil` when it was interrupted.
    ///
    /// A run that stays INVALID ends it, and is noted.
    private func measure(
        _ count: Int, isFresh: Bool, _ work: inout Work, _ interruption: Interruption,
        _ progress: @escaping @Sendable (GateProgress) -> Void
    ) async throws -> [RunResult]? {
        var results: [RunResult] = []
        if isFresh { progress(GateProgress(note: "a suspicion: as many fresh runs have to confirm it")) }
        var attempts: [RunResult] = []
        while results.count < count {
            let name = "round-\(work.count + 1)" + (attempts.isEmpty ? "" : "-again-\(attempts.count)")
            let sum = GateProgressSum(
                done: work.runs.count, total: work.runs.count + count - results.count, round: work.count)
            let outcome = try await Experiment(arms: [arm], rounds: 1, folder: "\(folder.path)/\(name)").perform(
                interruption: interruption
            ) { sum.progress($0).map(progress) }
            guard !outcome.interrupted, let result = outcome.results.first?.first else { return nil }
            work.runs += outcome.folders.joined().map { "\(name)/\($0)" }
            work.environment = result.environment
            guard result.validity.verdict == .invalid else {
                results.append(result)
                work.count += 1
                if isFresh { work.fresh += 1 }
                attempts = []
                continue
            }
            attempts.append(result)
            guard attempts.count <= Self.repeats else {
                work.spoiled = Self.spoiled(attempts, known: work.knownLosses)
                return results
            }
            work.repeated += 1
        }
        return results
    }

    /// What a run that stayed INVALID comes to: its times are the machine's, and what each attempt lost is lost.
    private static func spoiled(_ attempts: [RunResult], known: Int?) -> Decision {
        let losses = attempts.map(\.unexplainedLosses)
        if known == 0, losses.allSatisfy({ $0 > 0 }) {
            let counts = losses.map(String.init).joined(separator: ", ")
            return (
                .regression,
                [
                    "\(counts) deliveries were lost (unexplained) in \(losses.count) runs, and none in the baseline; those "
                        + "runs were INVALID, which spoils times, and not counts that repeat"
                ]
            )
        }
        let reason = attempts.last?.validity.reasons.first ?? "it gives no reason"
        return (.inconclusive, ["a run stayed INVALID \(attempts.count) times: \(reason)"])
    }

    // MARK: Deciding

    private typealias Decision = (verdict: GateResult.Verdict, reasons: [String])

    /// What the first runs decide; `nil` where a suspicion is to be measured afresh.
    private static func decide(_ comparison: BaselineComparison) -> Decision? {
        if !comparison.certain.isEmpty { return (.regression, comparison.certain.map(\.text)) }
        if !comparison.obstacles.isEmpty { return (.inconclusive, comparison.obstacles) }
        guard comparison.suspicious.isEmpty else { return nil }
        return (.pass, ["everything that carries over is as in the baseline, or better"])
    }

    private static func confirm(
        _ first: BaselineComparison, _ again: BaselineComparison, _ all: BaselineComparison
    ) -> Decision {
        if !again.certain.isEmpty { return (.regression, again.certain.map(\.text)) }
        if !again.obstacles.isEmpty { return (.inconclusive, again.obstacles) }
        let suspects = Set(first.suspicious.map(\.subject))
        let confirmed = again.suspicious.filter { suspects.contains($0.subject) }
        if !confirmed.isEmpty { return (.regression, confirmed.map { "\($0.text), and fresh runs confirm it" }) }
        let left = all.suspicious.map { "\($0.text); not every run shows it" }
        return left.isEmpty ? (.pass, ["a suspicion was not seen again in fresh runs"]) : (.inconclusive, left)
    }

    private func finish(
        _ work: Work, _ comparison: BaselineComparison?, _ decision: Decision?
    ) throws -> (GateResult, String) {
        var result = GateResult(
            name: arm.scenario.name, mode: .baseline, reference: file, startedAt: folder.startedAt,
            scenario: ScenarioHash.of(arm.scenario), environment: work.environment ?? .current())
        result.rounds = work.count
        result.freshRounds = work.fresh
        result.repeated = work.repeated
        result.runs = work.runs
        result.metrics = comparison?.metrics ?? []
        result.counts = comparison?.counts ?? []
        result.guarantees = comparison?.guarantees ?? []
        result.notes = comparison?.notes ?? []
        result.interrupted = decision == nil
        result.conclude(
            decision?.verdict ?? .inconclusive,
            decision?.reasons ?? ["interrupted after \(work.count) runs: nothing is decided"])
        try folder.write(result)
        return (result, folder.path)
    }
}
