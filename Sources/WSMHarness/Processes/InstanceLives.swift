internal import Foundation
internal import WSMCore
internal import WSMInstance
internal import WSMRecord

/// What is known of one instance, or worker, that has processes of its own: one after the other, each with its journal.
///
/// Safe from any thread; the telling happens on one at a time.
final class InstanceLives: @unchecked Sendable {
    // @unchecked: the journals and the replay are touched only under the lock.
    private struct State {
        var journals: [JournalReader] = []
        /// The journal that is told, by its place in the list.
        var current = 0
        var replay: ProbeReplay
        /// What the lives before the current one have counted and used.
        var counts = InstanceCounts()
        var cpuSeconds = 0.0
        var ends: [MonotonicInstant] = []
    }

    let index: Int
    let probe: RunProbe
    private let lock: Monitor<State>

    init(_ probe: RunProbe) {
        index = probe.instance
        self.probe = probe
        lock = Monitor(State(replay: ProbeReplay(probe)))
    }

    /// Begins a life: makes its journal, for the process to open at `path`.
    ///
    /// - Returns: What the publishers have submitted so far.
    func begin(path: String, numbers: PublisherNumbers) throws -> [SubmittedCount] {
        try lock.withLock { state in
            var submitted: [SubmittedCount] = []
            for journal in state.journals {
                for count in try journal.submittedCounts(numbers, instance: index) {
                    submitted.removeAll { $0.publisher == count.publisher && $0.channel == count.channel }
                    submitted.append(count)
                }
            }
            state.journals.append(try JournalReader(making: path))
            return submitted
        }
    }

    /// The process has opened its journal, which needs no name any more.
    func hasBegun() { lock.withLock { $0.journals.last?.unlink() } }

    /// A life is over; what it counted and used is kept.
    func end(at instant: MonotonicInstant, counts: InstanceCounts, cpuSeconds: Double) {
        lock.withLock { state in
            state.ends.append(instant)
            state.counts.add(counts)
            state.cpuSeconds += cpuSeconds
        }
    }

    /// Items of the load that found no instance between two lives.
    func count(skippedWhileDown count: Int) { lock.withLock { $0.counts.skippedWhileDown += count } }

    var pastCounts: InstanceCounts { lock.withLock { $0.counts } }
    var pastCPUSeconds: Double { lock.withLock { $0.cpuSeconds } }
    var loadFigures: LoadFigures { lock.withLock { $0.replay.load } }

    /// Tells the run's probe what the journals hold, up to what happened at `instant`; blocks.
    ///
    /// - Throws: ``HarnessError`` when a journal is damaged or incomplete.
    func tell(upTo instant: MonotonicInstant) throws {
        try lock.withLock { state in
            while state.current < state.journals.count {
                let journal = state.journals[state.current]
                do {
                    let isRead = try journal.readNew { event in
                        try state.replay.tell(event)
                        return event.at.map { $0 <= instant } ?? true
                    }
                    guard isRead, state.current + 1 < state.journals.count else { return }
                } catch let error as JournalError {
                    throw HarnessError(
                        .internalFault, "what instance \(index) did is not known: \(error)", cause: error)
                }
                if state.current < state.ends.count { state.replay.probe.lifeEnded(at: state.ends[state.current]) }
                state.current += 1
            }
        }
    }

    /// Events that did not fit into the journals.
    var lost: Int64 { lock.withLock { $0.journals.reduce(0) { $0 + $1.lost } } }
}

extension Sequence<InstanceLives> {
    /// Of the load in all of them, as far as it has been told.
    var loadFigures: LoadFigures { reduce(into: LoadFigures()) { $0.add($1.loadFigures) } }

    /// Tells the run's probes what all of them wrote up to `instant`; blocks.
    func tell(upTo instant: MonotonicInstant) throws {
        for life in self { try life.tell(upTo: instant) }
    }
}
