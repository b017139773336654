package import WSMCore
package import WSMRecord

/// Tells when an instance had written a message's frames, for the wire stage.
package protocol WrittenInstants: AnyObject {
    /// The instant, or `nil` when it is not known (yet).
    ///
    /// Called on the observer's event loop, once a message and instance when known; it must not block.
    func writtenAt(instance: UInt16, publisher: UInt32, sequence: UInt64) -> MonotonicInstant?
}

/// Observes the deliveries of one event loop: the latencies, and the ledger of its sessions.
///
/// It belongs to that loop; ``snapshot()`` is what other threads may have. A delivery in order costs the reading of the
/// stamp, one comparison and a few increments, and allocates nothing.
package final class DeliveryObserver: DeliverySink {
    private let run: UInt32
    private let publisherCount: Int
    private let channel: UInt8
    private let written: (any WrittenInstants)?
    private var measuredFrom: MonotonicInstant
    private var record: LoopRecord
    private var lastWritten: [WrittenMessage] = []

    private struct WrittenMessage {
        var publisher = UInt32.max
        var sequence = UInt64.max
        var at = MonotonicInstant(nanoseconds: 0)
    }

    /// - Parameters:
    ///   - run: the number in the stamps of this run; messages of other runs are foreign.
    ///   - publisherCount: how many publishers there are, fence publishers too; they are numbered from 0.
    ///   - channel: the channel that all sessions of this observer listen to.
    ///   - measuredFrom: messages intended from here on are measured; by default none is until ``startMeasuring(at:)``.
    package init(
        run: UInt32, publisherCount: Int, channel: UInt8,
        measuredFrom: MonotonicInstant = MonotonicInstant(nanoseconds: .max), written: (any WrittenInstants)? = nil
    ) {
        self.run = run
        self.publisherCount = publisherCount
        self.channel = channel
        self.measuredFrom = measuredFrom
        self.written = written
        self.record = LoopRecord(channel: channel, publisherCount: publisherCount)
    }

    /// Measures the messages that are intended from `instant` on; to be called before the first of them is due.
    package func startMeasuring(at instant: MonotonicInstant) {
        measuredFrom = instant
    }

    /// What it knows now.
    package func snapshot() -> LoopRecord { record }

    /// What it has seen so far, in a few numbers: cheap enough to be asked a few times a second.
    package var progress: ObserverProgress {
        let latency = record.stages.latency
        return ObserverProgress(
            received: record.sessions.reduce(0) { $0 + $1.counts.received },
            p50: latency.count > 0 ? latency.percentile(50) : nil, p99: latency.count > 0 ? latency.percentile(99) : nil)
    }

    /// Open sessions that have received nothing that was published at `instant` or later.
    package func openSessions(behind instant: MonotonicInstant) -> Int {
        record.sessions.reduce(0) { count, session in
            guard session.closedAt == nil else { return count }
            guard let latest = session.latestPublished else { return count + 1 }
            return latest < instant ? count + 1 : count
        }
    }

    // MARK: - DeliverySink

    package func sessionOpened(
        client: UInt32, instance: UInt16, slowReader: Bool, attemptedAt: MonotonicInstant, openedAt: MonotonicInstant
    ) -> Int {
        record.ledger.openSession()
        record.sessions.append(
            ObservedSession(
                client: client, instance: instance, slowReader: slowReader, attemptedAt: attemptedAt,
                openedAt: openedAt))
        return record.sessions.count - 1
    }

    package func received(session: Int, message: UnsafeRawBufferPointer, at: MonotonicInstant) {
        guard case .stamped(let stamp, let intact) = ProbeStamp.read(message), stamp.run == run else {
            record.foreign += 1
            if at >= measuredFrom { record.measuredForeign += 1 }
            return
        }
        if let anomaly = refusal(of: stamp, intact: intact, session: session) {
            return note(anomaly, stamp, session, at)
        }
        if at < stamp.sent { note(.beforeSent, stamp, session, at) }
        noteCertainty(stamp, session, at)
        guard stamp.kind == .load else {
            record.sessions[session].fences += 1
            return
        }
        let arrival = record.ledger.receive(
            session: session, publisher: Int(stamp.publisher.rawValue), sequence: Int64(stamp.sequence))
        let measured = stamp.intended >= measuredFrom
        record.sessions[session].counts.note(arrival)
        if measured { record.sessions[session].measuredCounts.note(arrival) }
        switch arrival {
        case .advanced:
            break
        case .late:
            note(.late, stamp, session, at)
        case .duplicate:
            return note(.duplicate, stamp, session, at)
        case .ambiguous:
            return
        }
        if stamp.process != ProbeStamp.noProcess { checkStep(stamp, session, at) }
        if measured { measure(stamp, session, at) }
    }

    package func sessionClosed(session: Int, end: SessionEnd, at: MonotonicInstant) {
        record.sessions[session].closedAt = at
        record.sessions[session].end = end
        record.sessions[session].steps.removeAll()
    }

    package func connectFailed(client: UInt32, instance: UInt16, at: MonotonicInstant) {
        record.connectFailures[client, default: .init(count: 0, first: at)].count += 1
    }

    // MARK: - The way of a receipt

    /// Why a stamped message has no place in the session's ledger; `nil` when it has.
    private func refusal(of stamp: ProbeStamp, intact: Bool, session: Int) -> Anomaly? {
        if !intact { return .corrupted }
        if stamp.channel != channel { return .wrongChannel }
        if stamp.publisher.rawValue >= UInt32(clamping: publisherCount) { return .unknownPublisher }
        if record.sessions[session].closedAt != nil { return .afterClose }
        return nil
    }

    private func noteCertainty(_ stamp: ProbeStamp, _ session: Int, _ at: MonotonicInstant) {
        // A stamp without the instant of publishing bounds it from below by the instant of sending.
        let published = max(stamp.published, stamp.sent)
        if let known = record.sessions[session].latestPublished {
            if published > known { record.sessions[session].latestPublished = published }
        } else {
            record.sessions[session].firstReceipt = at
            record.sessions[session].latestPublished = published
        }
    }

    private func checkStep(_ stamp: ProbeStamp, _ session: Int, _ at: MonotonicInstant) {
        switch record.sessions[session].steps.receive(process: stamp.process, step: stamp.step) {
        case .inOrder:
            record.stepsChecked += 1
        case .violated(let after):
            record.stepsChecked += 1
            note(.stepOrder, stamp, session, at, other: UInt64(after))
        case .unchecked:
            record.stepsUnchecked += 1
        }
    }

    private func measure(_ stamp: ProbeStamp, _ session: Int, _ at: MonotonicInstant) {
        guard !record.sessions[session].slowReader else {
            record.stages.slowReaderLatency.record(at - stamp.intended)
            return
        }
        record.stages.latency.record(at - stamp.intended)
        record.stages.latencyFromActualSend.record(at - stamp.sent)
        record.skew.record(publisher: Int(stamp.publisher.rawValue), sequence: Int(stamp.sequence), at: at)
        if written != nil, let instant = writtenAt(stamp, instance: record.sessions[session].instance) {
            record.stages.wire.record(at - instant)
        }
    }

    /// Asks only for another message than the last one of the same instance, which most receipts are.
    private func writtenAt(_ stamp: ProbeStamp, instance: UInt16) -> MonotonicInstant? {
        let index = Int(instance)
        while lastWritten.count <= index { lastWritten.append(WrittenMessage()) }
        if lastWritten[index].sequence == stamp.sequence, lastWritten[index].publisher == stamp.publisher.rawValue {
            return lastWritten[index].at
        }
        guard
            let instant = written?.writtenAt(
                instance: instance, publisher: stamp.publisher.rawValue, sequence: stamp.sequence)
        else { return nil }
        lastWritten[index] = WrittenMessage(
            publisher: stamp.publisher.rawValue, sequence: stamp.sequence, at: instant)
        return instant
    }

    @inline(never)
    private func note(
        _ anomaly: Anomaly, _ stamp: ProbeStamp, _ session: Int, _ at: MonotonicInstant, other: UInt64 = 0
    ) {
        let observed = record.sessions[session]
        record.sightings.note(
            anomaly,
            Sighting(
                client: observed.client, instance: observed.instance, publisher: stamp.publisher.rawValue,
                sequence: stamp.sequence, process: stamp.process, step: stamp.step, other: other, at: at))
    }
}

/// How far an observer has come.
package struct ObserverProgress: Hashable, Sendable {
    /// Distinct messages received, over all sessions.
    package var received: Int64
    /// Of the measured deliveries; `nil` before the first.
    package var p50: TimeSpan?
    package var p99: TimeSpan?
}
