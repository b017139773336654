import WSMCore

/// The buffers of a trace: a bounded number, filled by lanes and emptied by the writer.
///
/// A lane never waits: without a free buffer it drops its events and counts them.
final class TracePool: Sendable {
    struct State: Sendable {
        var free: [TraceBuffer] = []
        var allocated = 0
        var full: [TraceBuffer] = []
        /// Loop lanes that may still fill buffers.
        var openLanes: Set<UInt32> = []
        /// What lanes have dropped after their last buffer, as they said when they closed.
        var dropped: [UInt32: UInt64] = [:]
        /// Nobody empties buffers any more.
        var hasEnded = false
    }

    let limit: Int
    let state = Monitor(State())

    /// - Parameter limit: The most buffers that exist at a time.
    init(limit: Int) {
        self.limit = max(1, limit)
    }

    /// A free buffer; `nil` when all are on their way.
    func take() -> TraceBuffer? {
        state.withLock { state in
            if let buffer = state.free.popLast() { return buffer }
            guard state.allocated < limit, !state.hasEnded else { return nil }
            state.allocated += 1
            return TraceBuffer()
        }
    }

    /// Hands a filled buffer to the writer.
    func handOver(_ buffer: TraceBuffer) {
        state.update { $0.full.append(buffer) }
    }

    /// Takes an emptied buffer back.
    func giveBack(_ buffer: TraceBuffer) {
        state.update { $0.free.append(buffer) }
    }

    func laneOpened(_ lane: UInt32) {
        state.withLock { _ = $0.openLanes.insert(lane) }
    }

    func laneClosed(_ lane: UInt32, dropped: UInt64) {
        state.withLock { state in
            state.openLanes.remove(lane)
            state.dropped[lane] = dropped
        }
    }
}
