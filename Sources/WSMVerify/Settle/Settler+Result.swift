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
                settlement.add(record.sessions[index], tally)
                if record.ledger.isBlurred(session: index) { settlement.blurredSessions += 1 }
                connected.insert(record.sessions[index].client)
            }
            settlement.delivery.foreign += record.measuredForeign
            settlement.stages.add(record.stages)
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
        settlement.guarantees = outcomes(sightings, blurred: settlement.blurredSessions > 0)
        return settlement
    }

    /// The session's tally, when it balances and the history agrees with what the observer counted.
    private func balanced(_ loop: Int, _ index: Int) throws(SettlementError) -> SessionTally {
        var tally = sessions[loop][index]
        let session = loops[loop].sessions[index]
        if loops[loop].ledger.isBlurred(session: index) {
            // Receipts are counted, but not which ones: what is missing may be anything.
            tally.received = session.measuredCounts.received
            tally.indeterminate = max(0, tally.expected - tally.received)
            tally.expected = tally.received + tally.indeterminate
            return tally
        }
        let all = tally.receivedAll + tally.neverSubmitted
        let measuredAgrees = tally.neverSubmitted > 0 || tally.received == session.measuredCounts.received
        guard all == session.counts.received, measuredAgrees else {
            throw SettlementError(
                code: .countsDiffer,
                message: "session \(index) of client \(session.client) received \(session.counts.received) messages "
                    + "(\(session.measuredCounts.received) measured), by its publishers' history \(all) "
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

    // MARK: - The checkers' answers

    private func outcomes(_ sightings: Sightings, blurred: Bool) -> [GuaranteeOutcome] {
        let observed = loops.flatMap(\.sessions)
        let received = observed.reduce(0) { $0 + $1.counts.received }
        let duplicated = observed.reduce(0) { $0 + $1.counts.duplicated }
        let receipts = received + duplicated + observed.reduce(0) { $0 + $1.counts.ambiguous }
        let pairs = sessions.joined().reduce(received) { $0 - $1.publishers }
        let unchecked = loops.reduce(0) { $0 + $1.stepsUnchecked }
        return GuaranteeID.allCases.map { id in
            switch id {
            case .integrity:
                return integrity(sightings, receipts: receipts)
            case .atMostOnce:
                return GuaranteeOutcome(
                    id: id, checked: receipts, violations: sightings.count(.duplicate),
                    witness: words(sightings, .duplicate), isBlurred: blurred)
            case .publisherOrder:
                return GuaranteeOutcome(
                    id: id, checked: max(0, pairs), violations: sightings.count(.late),
                    witness: words(sightings, .late), isBlurred: blurred)
            case .processOrder:
                return GuaranteeOutcome(
                    id: id, checked: loops.reduce(0) { $0 + $1.stepsChecked }, violations: sightings.count(.stepOrder),
                    witness: words(sightings, .stepOrder), isBlurred: blurred || unchecked > 0)
            case .sessionBounds:
                return GuaranteeOutcome(
                    id: id, checked: receipts, violations: outOfBounds.violations + sightings.count(.afterClose),
                    witness: outOfBounds.witness ?? words(sightings, .afterClose), isBlurred: blurred)
            case .noGap:
                return outcome(id, noGap, blurred)
            case .completeness:
                return outcome(id, completeness, blurred)
            case .crossInstanceReach:
                return outcome(id, reach, blurred)
            case .noSilentLoss:
                return outcome(id, noSilentLoss, blurred)
            }
        }
    }

    private func outcome(_ id: GuaranteeID, _ tally: MissingTally, _ blurred: Bool) -> GuaranteeOutcome {
        GuaranteeOutcome(
            id: id, checked: tally.checked, violations: tally.violations,
            witness: tally.witness(since: context.runStart), isBlurred: blurred)
    }

    private func integrity(_ sightings: Sightings, receipts: Int64) -> GuaranteeOutcome {
        let kinds: [Anomaly] = [.corrupted, .unknownPublisher, .wrongChannel, .beforeSent]
        let seen = kinds.reduce(0) { $0 + sightings.count($1) }
        let earliest = kinds.compactMap { kind in sightings.first(kind).map { (kind, $0.at) } }
            .min { $0.1 < $1.1 }
        let witness = earliest.flatMap { words(sightings, $0.0) } ?? neverSubmitted.witness
        let refused = seen - sightings.count(.beforeSent)
        return GuaranteeOutcome(
            id: .integrity, checked: receipts + refused, violations: seen + neverSubmitted.violations, witness: witness)
    }

    /// The earliest occurrence of `anomaly` in words.
    private func words(_ sightings: Sightings, _ anomaly: Anomaly) -> String? {
        guard let sighting = sightings.first(anomaly) else { return nil }
        let who = "client \(sighting.client) (instance \(sighting.instance))"
        let what = "\(sighting.publisher):\(sighting.sequence)"
        let when = "\(Witness.time(sighting.at.nanoseconds, since: context.runStart)) into the run"
        return switch anomaly {
        case .corrupted: "\(who) received a message with a broken checksum \(when), stamped \(what)"
        case .unknownPublisher: "\(who) received \(what) of an unknown publisher \(when)"
        case .wrongChannel: "\(who) received \(what) of another channel \(when)"
        case .beforeSent: "\(who) received \(what) \(when), before it was sent"
        case .duplicate: "\(who) received \(what) again \(when)"
        case .late: "\(who) received \(what) \(when), after a later message of publisher \(sighting.publisher)"
        case .stepOrder:
            "\(who) received step \(sighting.step) of process \(sighting.process) \(when), after its step "
                + "\(sighting.other)"
        case .afterClose: "\(who) received \(what) \(when), after its session was closed"
        }
    }
}

extension Settlement {
    fileprivate mutating func add(_ session: ObservedSession, _ tally: Settler.SessionTally) {
        sessions += 1
        delivery.expected += tally.expected
        delivery.received += tally.received
        delivery.lost += tally.lost
        delivery.indeterminate += tally.indeterminate
        delivery.duplicated += session.measuredCounts.duplicated
        delivery.reordered += session.measuredCounts.reordered
    }
}
