package import WSMRecord

/// The numbers by which a run's validity is judged; sampled elsewhere, so that a table can test the judging.
package struct ValidityEvidence: Hashable, Sendable {
    /// Why not all clients connected; `nil` when they did.
    package var connectFailure: String?
    package var scheduleSlip = LatencySummary()
    package var generator = GeneratorFigures()
    package var calibration: Calibration?
    /// Why there is no calibration although the plan is large enough for one.
    package var calibrationFailure: String?
    /// Whether clients receive without sockets, on the instances' event loops.
    package var isDirect = false
    package var negativeLatencies = 0
    /// Planned processes that the thread pool refused.
    package var refusedStarts = 0
    /// Open sessions that the end fence did not reach.
    package var unfencedSessions = 0
    /// Events inside the instances that were too many to be kept.
    package var unkeptEvents = 0
    /// What the run's trace lacks; `nil`: nothing.
    package var traceSuspicion: String?
    /// Processes of a target that ended during the run.
    package var endedProcesses: [TargetResult.EndedProcess] = []
    /// Processes of the run that ended on their own, in words.
    package var partFailures: [String] = []

    /// Faults that were not injected or healed as the scenario says, each in words.
    package var faultFailures: [String] = []

    package init() {}
}
