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
    let bounds: LagBounds
    let written: (any WrittenInstants)?
    /// Where every receipt is recorded too.
    let trace: TraceLane?
    var measuredFrom: MonotonicInstant
    var record: LoopRecord
    private var lastWritten: [WrittenMessage] = []

    private struct WrittenMessage {
        var publisher = UInt32.max
        var sequence = UInt64.max
        var at = MonotonicInstant(nanoseconds: 0)
    }

    init(
        run: UInt32, publisherCount: Int, channel: UInt8, measuredFrom: MonotonicInstant, bounds: LagBounds,
        written: (any WrittenInstants)?, trace: TraceLane?
    ) {
        self.run = run
        self.publisherCount = publisherCount
        self.channel = channel
        self.measuredFrom = measuredFrom
        self.bounds = bounds
        self.written = written
        self.trace = trace
        self.record = LoopRecord(channel: channel, publisherCount: publisherCount)
    }

    /// Takes in one whole message.
    mutating func received(session: Int, message: UnsafeRawBufferPointer, at: MonotonicInstant) {
        let reading = ProbeStamp.read(message)
        trace?.received(session: session, reading, message: message, at: at)
        guard case .stamped(let stamp, let intact) = reading, stamp.run == run else {
            record.foreign += 1
            if at >= measuredFrom { record.measuredForeign += 1 }
            return
        }
        received(session: session, stamp: stamp, intact: intact, at: at)
    }

    /// Takes in one whole message that came to each of `sessions`.
    mutating func received(
        sessions: UnsafeBufferPointer<Int>, message: UnsafeRawBufferPointer, at: MonotonicInstant
    ) {
        let reading = ProbeStamp.read(message)
        guard case .stamped(let stamp, let intact) = reading, stamp.run == run else {
            for session in sessions { received(session: session, message: message, at: at) }
            return
        }
        for session in sessions {
            trace?.received(session: session, reading, message: message, at: at)
            received(session: session, stamp: stamp, intact: intact, at: at)
        }
    }

    /// Takes in a message of this run by its stamp; `intact`: the checksum fitted its bytes.
    mutating func received(session: Int, stamp: ProbeStamp, intact: Bool, at: MonotonicInstant) {
        if let anomaly = refusal(of: stamp, intact: intact, session: session) {
            return note(anomaly, stamp, session, at)
        }
        if at < stamp.sent { note(.beforeSent, stamp, session, at) }
        // A stamp without the instant of publishing bounds it from below by the instant of sending.
        record.ledger.sessions[session].noteCertainty(max(stamp.published, stamp.sent), at: at)
        guard stamp.kind == .load else {
            record.fences += 1
            return
        }
        let measured = stamp.intended >= measuredFrom
        let receipt = record.ledger.receive(
            session: session,
            ChannelMessage(
                publisher: Int(stamp.publisher.rawValue), sequence: Int(stamp.sequence), process: stamp.process,
                step: stamp.step, isMeasured: measured))
        switch receipt.arrival {
        case .advanced: break
        case .late: note(.late, stamp, session, at)
        case .duplicate: return note(.duplicate, stamp, session, at)
        case .ambiguous: return
        }
        record.received += 1
        if record.listening != nil {
            record.listening?.received(session: session, published: max(stamp.published, stamp.sent), at: at)
        }
        if receipt.marks.contains(.step) {
            record.stepsChecked += 1
            if let later = receipt.laterStep { note(.stepOrder, stamp, session, at, other: UInt64(later)) }
        } else if receipt.marks.contains(.uncheckedStep) {
            record.stepsUnchecked += 1
        }
        noteLag(stamp, session, at)
        if measured { measure(stamp, session, at) }
    }

    /// Why a stamped message has no place in the session's ledger; `nil` when it has.
    private func refusal(of stamp: ProbeStamp, intact: Bool, session: Int) -> Anomaly? {
        if !intact { return .corrupted }
        if stamp.channel != channel { return .wrongChannel }
        if stamp.publisher.rawValue >= UInt32(clamping: publisherCount) { return .unknownPublisher }
        if record.ledger.sessions[session].closedAt != nil { return .afterClose }
        return nil
    }

    private mutating func noteLag(_ stamp: ProbeStamp, _ session: Int, _ at: MonotonicInstant) {
        let state = record.ledger.sessions[session]
        let instance = Int(state.instance)
        while record.lags.count <= instance { record.lags.append(LagTally()) }
        let lag = at.nanoseconds &- stamp.sent.nanoseconds
        if lag > record.lags[instance].longest { record.lags[instance].longest = lag }
        if !isSick(session, stamp, at) {
            record.lags[instance].healthy &+= 1
            if lag > bounds.isolation { noteHealthyLate(stamp, session, at) }
        }
        if let limit = bounds.lag, lag > limit { noteLate(stamp, session, at) }
    }

    /// Whether the session's lag says nothing of others: its client reads slowly, or has not caught up after a stall.
    private mutating func isSick(_ session: Int, _ stamp: ProbeStamp, _ at: MonotonicInstant) -> Bool {
        let state = record.ledger.sessions[session]
        if state.slowReader { return true }
        return state.isCatchingUp && !hasCaughtUp(session, stamp, at)
    }

    @inline(never)
    private mutating func hasCaughtUp(_ session: Int, _ stamp: ProbeStamp, _ at: MonotonicInstant) -> Bool {
        guard record.sickness.hasCaughtUp(session: session, published: stamp.sent) else { return false }
        record.ledger.sessions[session].isCatchingUp = false
        record.sickness.end(session: session, at: at)
        return true
    }

    @inline(never)
    private mutating func noteHealthyLate(_ stamp: ProbeStamp, _ session: Int, _ at: MonotonicInstant) {
        let sighting = lateSighting(stamp, session, at)
        record.lags[Int(sighting.instance)].healthyLate.note(stamp.sent.nanoseconds...at.nanoseconds, sighting)
    }

    @inline(never)
    private mutating func noteLate(_ stamp: ProbeStamp, _ session: Int, _ at: MonotonicInstant) {
        let sighting = lateSighting(stamp, session, at)
        let instance = Int(sighting.instance)
        record.lags[instance].late += 1
        if let known = record.lags[instance].firstLate, known.at <= at { return }
        record.lags[instance].firstLate = sighting
    }

    private func lateSighting(_ stamp: ProbeStamp, _ session: Int, _ at: MonotonicInstant) -> Sighting {
        sighting(stamp, session, at, other: UInt64(max(0, (at - stamp.sent).nanoseconds)))
    }

    private mutating func measure(_ stamp: ProbeStamp, _ session: Int, _ at: MonotonicInstant) {
        let instance = Int(record.ledger.sessions[session].instance)
        guard !isSick(session, stamp, at) else {
            record.stages.slowReaderLatency.record(at - stamp.intended)
            record.timeline?.record(nil, at: at, instance: instance)
            return
        }
        record.timeline?.record(at - stamp.intended, at: at, instance: instance)
        record.latencies.record(at - stamp.intended, instance: instance)
        record.stages.latencyFromActualSend.record(at - stamp.sent)
        record.skew.record(publisher: Int(stamp.publisher.rawValue), sequence: Int(stamp.sequence), at: at)
        if written != nil, let instant = writtenAt(stamp, session) { record.stages.wire.record(at - instant) }
    }

    /// Where all clients of an instance share an instant, asks only for another message than the last one.
    private mutating func writtenAt(_ stamp: ProbeStamp, _ session: Int) -> MonotonicInstant? {
        let state = record.ledger.sessions[session]
        func ask() -> MonotonicInstant? {
            written?.writtenAt(
                instance: state.instance, client: state.client, publisher: stamp.publisher.rawValue,
                sequence: stamp.sequence)
        }
        if written?.isPerClient == true { return ask() }
        let index = Int(state.instance)
        while lastWritten.count <= index { lastWritten.append(WrittenMessage()) }
        if lastWritten[index].sequence == stamp.sequence, lastWritten[index].publisher == stamp.publisher.rawValue {
            return lastWritten[index].at
        }
        guard let instant = ask() else { return nil }
        lastWritten[index] = WrittenMessage(
            publisher: stamp.publisher.rawValue, sequence: stamp.sequence, at: instant)
        return instant
    }

    @inline(never)
    private mutating func note(
        _ anomaly: Anomaly, _ stamp: ProbeStamp, _ session: Int, _ at: MonotonicInstant, other: UInt64 = 0
    ) {
        record.sightings.note(anomaly, sighting(stamp, session, at, other: other))
    }

    private func sighting(
        _ stamp: ProbeStamp, _ session: Int, _ at: MonotonicInstant, other: UInt64
    ) -> Sighting {
        let observed = record.ledger.sessions[session]
        return Sighting(
            client: observed.client, instance: observed.instance, publisher: stamp.publisher.rawValue,
            sequence: stamp.sequence, process: stamp.process, step: stamp.step, other: other, at: at)
    }
}
