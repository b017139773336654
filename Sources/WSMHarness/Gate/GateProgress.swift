internal import WSMCore

/// Where a gate stands, for a display.
package struct GateProgress: Sendable {
    /// The run that begins, of all that there will be at least; `nil` when there is only a ``note``.
    package var run: Experiment.Progress?
    /// What a reader should know at once, and stays: a suspicion, an INVALID run.
    package var note: String?
}

/// Puts the experiments of a gate, a round each, together into one.
struct GateProgressSum: Sendable {
    /// Runs that are done before this round.
    var done: Int
    /// Runs that there will be at least.
    var total: Int
    /// Counted from 0.
    var round: Int

    /// The run of this round that `experiment` tells of; `nil` for its end, which is the beginning of another.
    func progress(_ experiment: Experiment.Progress) -> GateProgress? {
        guard let next = experiment.next else { return nil }
        let done = done + experiment.done
        let total = max(total, done + 1)
        let inRound = max(1, experiment.total - experiment.done)
        let left = experiment.left.seconds * Double(total - done) / Double(inRound)
        return GateProgress(
            run: Experiment.Progress(
                done: done, total: total, next: RunOrder.Turn(round: round, arm: next.arm),
                armName: experiment.armName, left: .milliseconds(Int64(left * 1000))))
    }
}
