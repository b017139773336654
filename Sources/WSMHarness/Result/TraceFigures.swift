internal import WSMRecord

/// What a run's trace holds, and what it lacks.
package struct TraceFigures: Codable, Hashable, Sendable {
    package var events: Int
    /// Events that were dropped because the disk or the processor was too slow for them.
    package var dropped: Int
    /// Events that could not be written.
    package var unwritten: Int
    /// The file's length.
    package var bytes: Int64
}

extension TraceFigures {
    init(_ outcome: TraceOutcome) {
        self.init(
            events: Int(clamping: outcome.events), dropped: Int(clamping: outcome.dropped),
            unwritten: Int(clamping: outcome.unwritten), bytes: outcome.bytes)
    }
}
