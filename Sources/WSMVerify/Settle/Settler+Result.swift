import WSMCore
import WSMRecord

extension Settler {
    /// The settlement, once all publishers are settled; throws when the ledger does not balance.
    func result() throws(SettlementError) -> Settlement {
        var settlement = Settlement()
        settlement.delivery = totals
        var sightings = Sightings()
        var skew = SkewTable(publisherCount: loops.map(\.ledger.publisherCount).max() ?? 0)
        var connected: Set<UInt32> = []
        for (loop, record) in loops.enumerated() {
            for index in record.sessions.indices {
                let tally = try balanced(loop, index)
                settlement.add(record.ledger.departure(of: index), tally)
                if record.ledger.isBlurred(session: index) { settlement.blurredSessions += 1 }
                connected.insert(record.sessions[index].client)
            }
            settlement.delivery.foreign += record.measuredForeign
            settlement.stages.add(record.stages)
            settlement.latencies.add(record.latencies)
            sightings.add(record.sightings)
            skew.add(record.skew)
            settlement.connectFailures += record.connectFailures.values.reduce(0) { $0 + $1.count }
        }
        let failed = loops.reduce(into: Set<UInt32>()) { $0.formUnion($1.connectFailures.keys) }
        settlement.neverConnected = Int64(failed.subtracting(connected).count)
        settlement.fanOutSkew = skew.skew()
        let delivery = settlement.delivery
        let byCause = delivery.lostByCause.values.reduce(0, +)
        guard delivery.expected == delivery.received + delivery.lost + delivery.indeterminate,
            delivery.lost == byCause
        else {
            throw SettlementError(
                code: .ledgerDoesNotBalance,
                message: "expected \(delivery.expected) deliveries, but received \(delivery.received), lost "
                    + "\(delivery.lost) (by cause \(byCause)) and indeterminate \(delivery.indeterminate)")
        }
        settlement.faults = faultScores()
        settlement.lostOverTime = faults.overTime
        settlement.guarantees = outcomes(sightings, isBlurred: settlement.blurredSessions > 0)
        return settlement
    }

    /// The session's tally, when it balances and the history agrees with what the observer counted.
    private func balanced(_ loop: Int, _ index: Int) throws(SettlementError) -> SessionTally {
        var tally = sessions[loop][index]
        let session = loops[loop].sessions[index]
        if loops[loop].ledger.isBlurred(session: index) {
            // Receipts are counted, but not which ones: what is missing may be anything.
            tally.received = Int64(session.measured)
            tally.indeterminate = max(0, tally.expected - tally.received)
            tally.expected = tally.received + tally.indeterminate
            return tally
        }
        let all = tally.receivedAll + tally.neverSubmitted
        let measuredAgrees = tally.neverSubmitted > 0 || tally.received == Int64(session.measured)
        guard all == Int64(session.received), measuredAgrees else {
            throw SettlementError(
                code: .countsDiffer,
                message: "session \(index) of client \(session.client) received \(session.received) messages "
                    + "(\(session.measured) measured), by its publishers' history \(all) "
                    + "(\(tally.received) measured): were observer and settlement given the same measuredFrom?")
        }
        guard tally.expected == tally.received + tally.lost + tally.indeterminate else {
            throw SettlementError(
                code: .ledgerDoesNotBalance,
                message: "session \(index) of client \(session.client) expected \(tally.expected), but received "
                    + "\(tally.received), lost \(tally.lost) and indeterminate \(tally.indeterminate)")
        }
        return tally
    }
}

extension Settlement {
    fileprivate mutating func add(_ departure: Departure?, _ tally: Settler.SessionTally) {
        sessions += 1
        delivery.expected += tally.expected
        delivery.received += tally.received
        delivery.lost += tally.lost
        delivery.indeterminate += tally.indeterminate
        guard let departure else { return }
        delivery.duplicated += departure.measuredCounts.duplicated
        delivery.reordered += departure.measuredCounts.reordered
    }
}
