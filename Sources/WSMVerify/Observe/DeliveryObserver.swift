package import WSMCore
package import WSMRecord

/// Tells when an instance had written a message's frames, for the wire stage.
package protocol WrittenInstants: AnyObject {
    /// Whether each client has an instant of its own; otherwise an instance has one for all of its clients.
    var isPerClient: Bool { get }

    /// The instant, or `nil` when it is not known (yet).
    ///
    /// Called on the observer's event loop, once a message and instance when known (each time where ``isPerClient``); it must
    /// not block.
    func writtenAt(instance: UInt16, client: UInt32, publisher: UInt32, sequence: UInt64) -> MonotonicInstant?
}

/// Observes the deliveries of one event loop: the latencies, and the ledger of its sessions.
///
/// It belongs to that loop; ``snapshot()`` is what other threads may have. A delivery in order costs the reading of the
/// stamp, one comparison and a few increments, and allocates nothing.
package final class DeliveryObserver: DeliverySink {
    private var recorder: ReceiptRecorder
    /// Where all that it is told is recorded too; it belongs to the same event loop.
    package let trace: TraceLane?

    /// - Parameters:
    ///   - run: the number in the stamps of this run; messages of other runs are foreign.
    ///   - publisherCount: how many publishers there are, fence publishers too; they are numbered from 0.
    ///   - channel: the channel that all sessions of this observer listen to.
    ///   - measuredFrom: messages intended from here on are measured; by default none is until ``startMeasuring(at:)``.
    ///   - bounds: how late a delivery may be.
    ///   - written: tells when an instance had written a message.
    ///   - trace: where all that it is told is recorded too, so that it can be told again.
    package init(
        run: UInt32, publisherCount: Int, channel: UInt8,
        measuredFrom: MonotonicInstant = MonotonicInstant(nanoseconds: .max), bounds: LagBounds = LagBounds(),
        written: (any WrittenInstants)? = nil, trace: TraceLane? = nil
    ) {
        self.trace = trace
        // Also a loop on which nothing happens has a lane in the trace.
        trace?.measuring(from: measuredFrom)
        recorder = ReceiptRecorder(
            run: run, publisherCount: publisherCount, channel: channel, measuredFrom: measuredFrom, bounds: bounds,
            written: written, trace: trace)
    }

    /// Measures the messages that are intended from `instant` on; to be called before the first of them is due.
    ///
    /// - Parameter timeline: Keeps the receipts over time too; its start is `instant`.
    package func startMeasuring(at instant: MonotonicInstant, timeline: Timeline.Plan? = nil) {
        trace?.measuring(from: instant)
        recorder.measuredFrom = instant
        recorder.record.timeline = timeline.map { Timeline($0) }
    }

    /// Hears of the run's faults: first that there will be some, then of each before it begins and once it is healed.
    package func tell(_ mark: FaultMark) {
        trace?.fault(mark)
        if recorder.record.listening == nil {
            recorder.record.listening = FaultListening(recorder.record.sessions)
        }
        recorder.record.listening?.tell(mark)
    }

    /// Measured messages received so far; cheap.
    package var measuredDeliveries: Int64 {
        recorder.record.latencies.count + recorder.record.stages.slowReaderLatency.count
    }

    /// Distinct messages received so far, over all sessions; cheap.
    package var received: Int64 { recorder.record.received }

    /// The latencies of measured messages so far; some 30,000 additions an instance.
    package var latencySoFar: LatencySummary { recorder.record.latencies.total.summary }

    /// What it knows now: the whole of it once the load has ended.
    ///
    /// While messages still come, the next of them pays for a copy of everything.
    package func snapshot() -> LoopRecord {
        var record = recorder.record
        record.stages.latency = record.latencies.total
        return record
    }

    /// What it has seen so far, in a few numbers: cheap enough to be asked a few times a second.
    package func progress(now: MonotonicInstant) -> ObserverProgress {
        let latency = recorder.record.latencies.total
        let latest = recorder.record.timeline?.latestLatencies(now: now)
        return ObserverProgress(
            received: recorder.record.received,
            p50: latency.count > 0 ? latency.percentile(50) : nil,
            p99: latency.count > 0 ? latency.percentile(99) : nil, recentP50: latest?.percentile(50),
            recentP99: latest?.percentile(99), overtaken: recorder.record.ledger.overtaken,
            stages: StageMeans(recorder.record.stages))
    }

    /// Open sessions that have received nothing that was published at `instant` or later.
    package func openSessions(behind instant: MonotonicInstant) -> Int {
        recorder.record.sessions.reduce(0) { count, session in
            guard session.closedAt == nil else { return count }
            guard let latest = session.latestPublished else { return count + 1 }
            return latest < instant ? count + 1 : count
        }
    }

    // MARK: - DeliverySink

    package func sessionOpened(
        client: UInt32, instance: UInt16, slowReader: Bool, attemptedAt: MonotonicInstant, openedAt: MonotonicInstant
    ) -> Int {
        trace?.opened(
            OpenedSession(
                session: UInt32(recorder.record.sessions.count), client: client, instance: instance,
                slowReader: slowReader, attemptedAt: attemptedAt, openedAt: openedAt))
        recorder.record.listening?.opened(client: client)
        recorder.record.latencies.prepare(instance: Int(instance))
        let session = recorder.record.ledger.openSession(
            ObservedSession(client: client, instance: instance, slowReader: slowReader, attemptedAt: attemptedAt))
        if slowReader {
            recorder.record.sickness.begin(session: session, client: client, instance: instance, at: openedAt)
        }
        return session
    }

    package func sessionStalled(session: Int, at: MonotonicInstant) {
        trace?.stalled(session: session, at: at)
        let state = recorder.record.ledger.sessions[session]
        recorder.record.sickness.stall(
            session: session, client: state.client, instance: state.instance, isSlow: state.slowReader, at: at)
        recorder.record.ledger.sessions[session].slowReader = true
    }

    package func sessionResumed(session: Int, at: MonotonicInstant) {
        trace?.resumed(session: session, at: at)
        let isSlow = recorder.record.sickness.resume(session: session, at: at)
        recorder.record.ledger.sessions[session].slowReader = isSlow
        recorder.record.ledger.sessions[session].isCatchingUp = !isSlow
    }

    package func received(session: Int, message: UnsafeRawBufferPointer, at: MonotonicInstant) {
        recorder.received(session: session, message: message, at: at)
    }

    /// Reads the stamp once for all of them.
    package func received(sessions: UnsafeBufferPointer<Int>, message: UnsafeRawBufferPointer, at: MonotonicInstant) {
        recorder.received(sessions: sessions, message: message, at: at)
    }

    /// Takes in one message of this run that came to several sessions, each at an instant of its own: for clients that are
    /// given the stamp itself, in a simulation.
    ///
    /// As many calls of ``received(session:message:at:)``, in this order; without a trace.
    package func received(_ receipts: UnsafeBufferPointer<StampedReceipt>, of stamp: ProbeStamp) {
        precondition(trace == nil, "a trace holds messages, not stamps")
        recorder.received(receipts, of: stamp)
    }

    package func sessionClosed(session: Int, end: SessionEnd, at: MonotonicInstant) {
        trace?.closed(session: session, end: end, at: at)
        recorder.record.ledger.sessions[session].close(end, at: at)
        if recorder.record.ledger.sessions[session].isSick { recorder.record.sickness.end(session: session, at: at) }
    }

    package func connectFailed(client: UInt32, instance: UInt16, at: MonotonicInstant) {
        trace?.connectFailed(client: client, instance: instance, at: at)
        recorder.record.connectFailures[client, default: .init(count: 0, first: at)].count += 1
    }
}

/// One receipt of a message whose stamp is known.
package struct StampedReceipt: Sendable {
    /// The observer's handle.
    package let session: Int32
    package let at: MonotonicInstant

    package init(session: Int32, at: MonotonicInstant) {
        self.session = session
        self.at = at
    }
}

/// How far an observer has come.
package struct ObserverProgress: Hashable, Sendable {
    /// Distinct messages received, over all sessions.
    package var received: Int64
    /// Of the measured deliveries; `nil` before the first.
    package var p50: TimeSpan?
    package var p99: TimeSpan?
    /// Of those received in the last moments, told apart to a sixteenth; `nil` where there was none.
    package var recentP50: TimeSpan?
    package var recentP99: TimeSpan?
    /// Deliveries that sessions have not received although they have one that stands behind it in the order of their
    /// instance: lost, unless it still comes.
    package var overtaken: Int64
    /// Of which only the wire is known here.
    package var stages: StageMeans

    package init(
        received: Int64, p50: TimeSpan?, p99: TimeSpan?, recentP50: TimeSpan? = nil, recentP99: TimeSpan? = nil,
        overtaken: Int64 = 0, stages: StageMeans
    ) {
        self.received = received
        self.p50 = p50
        self.p99 = p99
        self.recentP50 = recentP50
        self.recentP99 = recentP99
        self.overtaken = overtaken
        self.stages = stages
    }
}
