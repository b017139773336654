internal import WSMCore
internal import WSMRecord

/// Where the load's threads say how they kept to their plan; safe from any thread.
protocol LoadRecord: Sendable {
    /// A send was this late on account of the generator.
    func slipped(_ span: TimeSpan)
    func refused(_ refusal: ProcessLoad.Refusal)
    /// A thread of the load has used so much CPU time in the measured window.
    func used(_ cpu: TimeSpan)
}

/// Adds it all up, for a load in the run's own process.
final class LoadTally: LoadRecord {
    private let sum = Monitor(LoadFigures())

    func slipped(_ span: TimeSpan) { sum.withLock { $0.scheduleSlip.record(span) } }
    func refused(_ refusal: ProcessLoad.Refusal) { sum.withLock { $0.refusals.count(refusal) } }
    func used(_ cpu: TimeSpan) { sum.withLock { $0.cpu = $0.cpu + cpu } }

    var figures: LoadFigures { sum.withLock { $0 } }
}

/// Writes it into the journal of an instance's process.
struct JournalLoadRecord: LoadRecord {
    let journal: JournalWriter

    func slipped(_ span: TimeSpan) { journal.append(.slipped(span)) }
    func refused(_ refusal: ProcessLoad.Refusal) { journal.append(.refused(refusal)) }
    func used(_ cpu: TimeSpan) { journal.append(.loadUsed(cpu)) }
}
