import WSMCore
import WSMRecord

/// The way of a receipt from the message's bytes to the ledger and the histograms.
///
/// A value of its own, so that the observer is entered once a message: each access to a class's property from its methods
/// would be checked for exclusivity anew, which costs as much as the ledger itself.
struct ReceiptRecorder {
    let run: UInt32
    let publisherCount: Int
    let channel: UInt8
    let written: (any WrittenInstants)?
    var measuredFrom: MonotonicInstant
    var record: LoopRecord
    private var lastWritten: [WrittenMessage] = []

    private struct WrittenMessage {
        var publisher = UInt32.max
        var sequence = UInt64.max
        var at = MonotonicInstant(nanoseconds: 0)
    }

    init(
        run: UInt32, publisherCount: Int, channel: UInt8, measuredFrom: MonotonicInstant,
        written: (any WrittenInstants)?
    ) {
        self.run = run
        self.publisherCount = publisherCount
        self.channel = channel
        self.measuredFrom = measuredFrom
        self.written = written
        self.record = LoopRecord(channel: channel, publisherCount: publisherCount)
    }

    /// Takes in one whole message.
    mutating func received(session: Int, message: UnsafeRawBufferPointer, at: MonotonicInstant) {
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

    /// Why a stamped message has no place in the session's ledger; `nil` when it has.
    private func refusal(of stamp: ProbeStamp, intact: Bool, session: Int) -> Anomaly? {
        if !intact { return .corrupted }
        if stamp.channel != channel { return .wrongChannel }
        if stamp.publisher.rawValue >= UInt32(clamping: publisherCount) { return .unknownPublisher }
        if record.sessions[session].closedAt != nil { return .afterClose }
        return nil
    }

    private mutating func noteCertainty(_ stamp: ProbeStamp, _ session: Int, _ at: MonotonicInstant) {
        // A stamp without the instant of publishing bounds it from below by the instant of sending.
        let published = max(stamp.published, stamp.sent)
        if let known = record.sessions[session].latestPublished {
            if published > known { record.sessions[session].latestPublished = published }
        } else {
            record.sessions[session].firstReceipt = at
            record.sessions[session].latestPublished = published
        }
    }

    private mutating func checkStep(_ stamp: ProbeStamp, _ session: Int, _ at: MonotonicInstant) {
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

    private mutating func measure(_ stamp: ProbeStamp, _ session: Int, _ at: MonotonicInstant) {
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
    private mutating func writtenAt(_ stamp: ProbeStamp, instance: UInt16) -> MonotonicInstant? {
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
    private mutating func note(
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
