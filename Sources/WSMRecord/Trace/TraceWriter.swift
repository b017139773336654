import Synchronization
package import WSMCore

/// Writes a trace: gives lanes to those who record, and compresses and writes their chunks on one thread of its own.
///
/// Its life: made with the first document; ``clientLane(index:)``, ``publisherLane()``, ``instanceLane(_:)``; the run, in
/// which ``handOver(olderThan:)`` of the loops' lanes is called now and then; all loop lanes closed; ``finish(document:_:)``
/// once. The load is never held up: when the disk is slow, events are dropped and counted; when it fails, the rest is
/// thrown away and the outcome says so.
package final class TraceWriter: Sendable {
    /// How a trace is written.
    package struct Options: Sendable {
        /// The most buffers of 128 KiB at a time.
        package var buffers = 256
        /// zstd's level.
        package var level: Int32 = 1

        package init() {}
    }

    private struct Lanes {
        var last: UInt32 = 0
        var shared: [SharedTraceLane] = []
    }

    private struct Ending: Sendable {
        var document: [UInt8]?
        var completion: (@Sendable (TraceOutcome) -> Void)?
    }

    private static let tick = TimeSpan.milliseconds(250)

    private let pool: TracePool
    private let lanes = Mutex(Lanes())
    private let ending = Mutex<Ending?>(nil)

    /// Makes the file, which replaces one of the same name, and writes `document` as its first chunk.
    ///
    /// - Throws: ``TraceWriteError`` when that fails.
    package init(path: String, document: [UInt8], options: Options = Options()) throws(TraceWriteError) {
        pool = TracePool(limit: options.buffers)
        let file = try TraceOutput(path: path)
        let journal = TraceJournal(file: file, level: options.level)
        journal.writeDocument(document)
        if let failure = journal.failure { throw failure }
        let handover = Mutex<TraceJournal?>(journal)
        _ = DedicatedThread(name: "trace-writer") { [self] in
            guard let journal = handover.withLock({ $0.take() }) else { return }
            run(journal)
        }
    }

    /// The lane of one event loop of clients; `index` is the loop's number.
    package func clientLane(index: Int) -> TraceLane {
        TraceLane(lane: nextLane(), index: index, pool: pool)
    }

    /// The lane that all publishers share.
    package func publisherLane() -> SharedTraceLane { shared(.publishers, index: 0) }

    /// The lane of one instance.
    package func instanceLane(_ index: Int) -> SharedTraceLane { shared(.instance, index: index) }

    /// Waits until half of the buffers are free, or for the deadline; for whoever records faster than the load does.
    ///
    /// Blocks.
    package func waitForRoom(deadline: MonotonicInstant) {
        _ = pool.state.wait(until: deadline) { state in
            state.allocated - state.free.count <= pool.limit / 2 || state.hasEnded ? true : nil
        }
    }

    private func nextLane() -> UInt32 {
        lanes.withLock { lanes in
            lanes.last += 1
            return lanes.last
        }
    }

    private func shared(_ role: TraceRole, index: Int) -> SharedTraceLane {
        let lane = SharedTraceLane(lane: nextLane(), role: role, index: index, pool: pool)
        lanes.withLock { $0.shared.append(lane) }
        return lane
    }

    /// Closes the shared lanes, writes what is left and then `document`, and marks the trace as complete.
    ///
    /// To be called once, when all loop lanes are closed: what one of them still holds is lost, and the outcome says so.
    /// `completion` is called on the writer's thread.
    package func finish(document: [UInt8]?, _ completion: @escaping @Sendable (TraceOutcome) -> Void) {
        ending.withLock { $0 = Ending(document: document, completion: completion) }
        pool.state.update { _ in }
    }

    // MARK: - The writer's thread

    private func run(_ journal: TraceJournal) {
        while true {
            let isEnding = isEnding
            if isEnding { for lane in sharedLanes { lane.close() } }
            let full = nextBuffers(waits: !isEnding)
            for buffer in full {
                journal.write(buffer)
                pool.giveBack(buffer)
            }
            guard isEnding, full.isEmpty else {
                let old = MonotonicInstant.now() + .nanoseconds(-LaneBuffer.longestAge)
                for lane in sharedLanes { lane.handOver(olderThan: old) }
                continue
            }
            end(journal)
            return
        }
    }

    private var isEnding: Bool { ending.withLock { $0 != nil } }

    private var sharedLanes: [SharedTraceLane] { lanes.withLock { $0.shared } }

    private func nextBuffers(waits: Bool) -> [TraceBuffer] {
        let deadline = waits ? MonotonicInstant.now() + Self.tick : MonotonicInstant(nanoseconds: 0)
        return pool.state.wait(until: deadline) { state in
            guard !state.full.isEmpty else { return isEnding ? [] : nil }
            defer { state.full = [] }
            return state.full
        } ?? []
    }

    private func end(_ journal: TraceJournal) {
        let (document, completion) = ending.withLock { ending in
            defer { ending?.completion = nil }
            return (ending?.document, ending?.completion)
        }
        let (dropped, unclosed) = pool.state.withLock { state in
            state.hasEnded = true
            state.free = []
            return (state.dropped, state.openLanes.count)
        }
        if let document { journal.writeDocument(document) }
        journal.writeEnd(dropped: dropped)
        completion?(journal.outcome(unclosedLanes: unclosed))
    }
}

/// What became of a trace.
package struct TraceOutcome: Hashable, Sendable {
    /// Events in the file.
    package var events: UInt64 = 0
    /// Events that had no free buffer.
    package var dropped: UInt64 = 0
    /// Events that could not be written.
    package var unwritten: UInt64 = 0
    /// Lanes that were not closed, so that what they held last is missing.
    package var unclosedLanes = 0
    /// The file's length.
    package var bytes: Int64 = 0
    /// Why it ends early.
    package var failure: TraceWriteError?

    package init(failure: TraceWriteError? = nil) {
        self.failure = failure
    }

    /// Whether every event of the run is in the file.
    package var isComplete: Bool { dropped == 0 && unwritten == 0 && unclosedLanes == 0 && failure == nil }
}
