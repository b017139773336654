internal import WSMCore
internal import WSMRecord

/// Where the load's threads say how they kept to their plan; safe from any thread.
protocol LoadRecord: Sendable {
    /// A send was this late on account of the generator.
    func slipped(_ span: TimeSpan)
    func refused(_ refusal: ProcessLoad.Refusal)
}

/// Adds it all up, for a load in the run's own process.
final class LoadTally: LoadRecord {
    private let slip = Monitor(LatencyHistogram())
    private let refusalCounts = Monitor(ProcessLoad.Refusals())

    func slipped(_ span: TimeSpan) { slip.withLock { $0.record(span) } }
    func refused(_ refusal: ProcessLoad.Refusal) { refusalCounts.withLock { $0.count(refusal) } }

    var scheduleSlip: LatencyHistogram { slip.withLock { $0 } }
    var refusals: ProcessLoad.Refusals { refusalCounts.withLock { $0 } }
}

/// Writes it into the journal of an instance's process.
struct JournalLoadRecord: LoadRecord {
    let journal: JournalWriter

    func slipped(_ span: TimeSpan) { journal.append(.slipped(span)) }
    func refused(_ refusal: ProcessLoad.Refusal) { journal.append(.refused(refusal)) }
}
