internal import Synchronization
internal import WSMClients
internal import WSMCore
internal import WSMRecord
internal import WSMScenario
internal import WSMVerify

/// The trace of a run, from its first document to its last.
final class RunTrace: Sendable {
    let publisherLane: SharedTraceLane
    private let writer: TraceWriter
    private let aging = Mutex<Task<Void, Never>?>(nil)

    /// How often the clients' lanes are asked for what has waited.
    private static let interval = TimeSpan.milliseconds(500)
    private static let longestWait = TimeSpan.seconds(1)
    /// For what is left to be written at the end: at most the buffers of 32 MiB.
    private static let longestFinish = TimeSpan.seconds(30)

    /// - Throws: ``HarnessError`` when the file cannot be written.
    init(path: String, document: some Encodable) throws {
        do {
            writer = try TraceWriter(path: path, document: TraceDocument.bytes(document))
        } catch let error as TraceWriteError {
            throw HarnessError(.outputNotWritable, "\(error.message): choose another place with --out")
        }
        publisherLane = writer.publisherLane()
    }

    /// Waits, on a thread that may block, until the writer has caught up with what was handed over.
    func waitForRoom() { writer.waitForRoom(deadline: .now() + Self.longestFinish) }

    func clientLane(_ loop: Int) -> TraceLane { writer.clientLane(index: loop) }
    func instanceLane(_ instance: Int) -> SharedTraceLane { writer.instanceLane(instance) }

    /// Hands over what waits in the clients' lanes, twice a second, so that a crash loses little of a quiet run.
    func watch(_ fleet: any RunFleet) {
        let task = Task {
            while !Task.isCancelled {
                try? await Task.sleep(nanoseconds: UInt64(Self.interval.nanoseconds))
                let old = MonotonicInstant.now() + Self.longestWait.scaled(by: -1)
                await fleet.handOverTrace(olderThan: old)
            }
        }
        aging.withLock { $0 = task }
    }

    /// Closes the lanes of the clients and the logs: what is reported later is nowhere.
    ///
    /// While the fleet's event loops still run.
    func closeLanes(of fleet: any RunFleet, logs: [PublishLog]) async {
        let task = aging.withLock { $0 }
        task?.cancel()
        await task?.value
        for log in logs { log.close() }
        await fleet.closeTrace()
    }

    /// Writes the rest and ends the trace; without a document it stays without its last one.
    ///
    /// A disk that hangs ends the waiting, not the run: the outcome then says so.
    func finish(_ document: TraceEnd?) async throws -> TraceOutcome {
        let bytes = try document.map { try TraceDocument.bytes($0) }
        let written = Monitor<TraceOutcome?>(nil)
        writer.finish(document: bytes) { outcome in written.withLock { $0 = outcome } }
        let deadline = MonotonicInstant.now() + Self.longestFinish
        while MonotonicInstant.now() < deadline {
            if let outcome = written.withLock({ $0 }) { return outcome }
            try? await Task.sleep(nanoseconds: 5_000_000)
        }
        return TraceOutcome(failure: .timedOut(after: Self.longestFinish))
    }
}

extension TraceRun {
    init(
        scenario: Scenario, startedAt: String, run: UInt32, publishers: PublisherTable
    ) {
        self.init(
            name: scenario.name, seed: scenario.seed, startedAt: startedAt, version: RunEnvironment.programVersion,
            run: run, channels: publishers.channelNames, listened: publishers.number(of: .events) ?? 0,
            bounds: LagBounds(isolation: scenario.expect.bounds.isolation, lag: scenario.expect.bounds.lag),
            publishers: publishers.logs.map { Publisher(instance: $0.instance, isFence: $0.isFence) })
    }
}
