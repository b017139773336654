import WSMCore
import WSMRecord

/// One message for many clients at once, as a simulation has it.
///
/// Most of them follow the order of their instance, read at full speed and are in time: these are taken in column by column,
/// in loops so short that the processor fetches the next sessions while it works on the last. Whoever is different goes the
/// long way, and what comes of it is the same.
extension ReceiptRecorder {
    /// Takes in one message of this run, by its stamp, for each of these receipts.
    mutating func received(_ receipts: UnsafeBufferPointer<StampedReceipt>, of stamp: ProbeStamp) {
        var rest = receipts[...]
        let isPlain =
            written == nil && stamp.kind == .load && stamp.channel == channel && stamp.process == ProbeStamp.noProcess
            && stamp.publisher.rawValue < UInt32(clamping: publisherCount)
        while let receipt = rest.first {
            received(session: Int(receipt.session), stamp: stamp, intact: true, at: receipt.at)
            rest = rest.dropFirst()
            // Where the first one of a crowd has come to, the others come, too.
            guard isPlain, !rest.isEmpty else { continue }
            rest = rest.dropFirst(follow(receipt.session, UnsafeBufferPointer(rebasing: rest), stamp))
        }
    }

    /// Takes in the receipts that are like the one of `leader`, up to the first that is not; returns how many those are.
    private mutating func follow(
        _ leader: Int32, _ receipts: UnsafeBufferPointer<StampedReceipt>, _ stamp: ProbeStamp
    ) -> Int {
        let message = ChannelMessage(
            publisher: Int(stamp.publisher.rawValue), sequence: Int(stamp.sequence),
            isMeasured: stamp.intended >= measuredFrom)
        let published = max(stamp.published, stamp.sent)
        let earliest = stamp.sent.nanoseconds
        let (latest, isFar) = earliest.addingReportingOverflow(max(0, min(bounds.isolation, bounds.lag ?? .max)))
        let count = record.ledger.receive(
            receipts, message, like: Int(leader), published: published,
            at: earliest...(isFar ? .max : latest))
        guard count > 0 else { return 0 }
        let taken = UnsafeBufferPointer(rebasing: receipts[..<count])
        record.received += Int64(count)
        record.listening?.received(taken, published: published)
        let instance = Int(record.ledger.sessions[Int(leader)].instance)
        let last = taken.reduce(Int64.min) { max($0, $1.at.nanoseconds) }
        record.lags[instance].healthy += Int64(count)
        record.lags[instance].longest = max(record.lags[instance].longest, last &- earliest)
        if message.isMeasured { measure(taken, message, stamp, instance, last: last) }
        return count
    }

    private mutating func measure(
        _ receipts: UnsafeBufferPointer<StampedReceipt>, _ message: ChannelMessage, _ stamp: ProbeStamp,
        _ instance: Int, last: Int64
    ) {
        record.timeline?.record(receipts, since: stamp.intended, instance: instance)
        record.skew.record(
            publisher: message.publisher, sequence: message.sequence,
            first: receipts.reduce(Int64.max) { min($0, $1.at.nanoseconds) }, last: last, count: receipts.count)
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: receipts.count) { spans in
            for (index, receipt) in receipts.enumerated() {
                spans.initializeElement(at: index, to: (receipt.at - stamp.intended).nanoseconds)
            }
            record.latencies.record(UnsafeBufferPointer(spans), instance: instance)
            let slip = (stamp.sent - stamp.intended).nanoseconds
            if slip != 0 { for index in spans.indices { spans[index] -= slip } }
            record.stages.latencyFromActualSend.record(nanoseconds: UnsafeBufferPointer(spans))
        }
    }
}
