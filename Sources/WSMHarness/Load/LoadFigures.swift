internal import WSMCore
internal import WSMRecord

/// What the load's threads said of themselves, added up.
struct LoadFigures: Sendable {
    /// How late the generator was against its plan.
    var scheduleSlip = LatencyHistogram()
    /// Calls of the API that failed.
    var refusals = ProcessLoad.Refusals()
    /// CPU time of the threads in the measured window; most of them are gone when the other parts' use is read at its end.
    var cpu = TimeSpan.zero

    mutating func add(_ other: LoadFigures) {
        scheduleSlip.add(other.scheduleSlip)
        refusals.add(other.refusals)
        cpu = cpu + other.cpu
    }
}
