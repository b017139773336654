import WSMCore
import WSMRecord

/// The answers of the checkers, once all publishers are settled.
extension Settler {
    /// One answer for each guarantee, in their order.
    func outcomes(_ sightings: Sightings, isBlurred: Bool) -> [GuaranteeOutcome] {
        GuaranteeID.allCases.map { id in
            switch id {
            case .integrity: integrity(sightings)
            case .atMostOnce: seen(id, sightings, .duplicate, checked: receipts, isBlurred)
            case .publisherOrder: seen(id, sightings, .late, checked: max(0, pairs), isBlurred || wasSearchCut)
            case .processOrder:
                seen(id, sightings, .stepOrder, checked: stepsChecked, isBlurred || stepsUnchecked > 0)
            case .noGap: missing(id, noGap, isBlurred)
            case .completeness: missing(id, completeness, isBlurred)
            case .sessionBounds: sessionBounds(sightings, isBlurred)
            case .totalOrder: totalOrder(isBlurred)
            case .realTimeOrder: realTimeOrder(isBlurred)
            case .crossInstanceReach: missing(id, reach, isBlurred)
            case .isolation: isolation()
            case .noSilentLoss: missing(id, noSilentLoss, isBlurred)
            case .boundedLag: boundedLag()
            case .recovery: recovered(isBlurred)
            case .cleanShutdown: cleanShutdown()
            }
        }
    }

    // MARK: - Counts

    private var departures: [Departure.Counts] { loops.flatMap { $0.ledger.departures.map(\.counts) } }
    private var received: Int64 { loops.reduce(0) { $0 + $1.received } }
    /// Receipts of messages of the load, duplicates too.
    private var receipts: Int64 { departures.reduce(received) { $0 + $1.duplicated + $1.ambiguous } }
    /// Receipts that came after another of the same publisher in the same session.
    private var pairs: Int64 { received - pairsHeard }
    private var stepsChecked: Int64 { loops.reduce(0) { $0 + $1.stepsChecked } }
    private var wasSearchCut: Bool { loops.contains { $0.ledger.searchesCut > 0 } }
    private var stepsUnchecked: Int64 { loops.reduce(0) { $0 + $1.stepsUnchecked } }

    // MARK: - Answers of a kind

    private func seen(
        _ id: GuaranteeID, _ sightings: Sightings, _ anomaly: Anomaly, checked: Int64, _ isBlurred: Bool
    ) -> GuaranteeOutcome {
        GuaranteeOutcome(
            id: id, checked: checked, violations: sightings.count(anomaly), witness: words(sightings, anomaly),
            events: events(sightings, anomaly), isBlurred: isBlurred)
    }

    private func missing(_ id: GuaranteeID, _ tally: MissingTally, _ isBlurred: Bool) -> GuaranteeOutcome {
        GuaranteeOutcome(
            id: id, checked: tally.checked, violations: tally.violations,
            witness: tally.witness(context), events: events(tally), isBlurred: isBlurred)
    }

    // MARK: - Single guarantees

    private func integrity(_ sightings: Sightings) -> GuaranteeOutcome {
        let kinds: [Anomaly] = [.corrupted, .unknownPublisher, .wrongChannel, .beforeSent]
        let seen = kinds.reduce(0) { $0 + sightings.count($1) }
        let earliest = kinds.compactMap { kind in sightings.first(kind).map { (kind, $0.at) } }
            .min { $0.1 < $1.1 }
        let witness = earliest.flatMap { words(sightings, $0.0) } ?? neverSubmitted.witness
        let refused = seen - sightings.count(.beforeSent)
        return GuaranteeOutcome(
            id: .integrity, checked: receipts + refused, violations: seen + neverSubmitted.violations, witness: witness)
    }

    private func sessionBounds(_ sightings: Sightings, _ isBlurred: Bool) -> GuaranteeOutcome {
        GuaranteeOutcome(
            id: .sessionBounds, checked: receipts, violations: outOfBounds.violations + sightings.count(.afterClose),
            witness: outOfBounds.witness ?? words(sightings, .afterClose),
            events: outOfBounds.witness == nil ? events(sightings, .afterClose) : outOfBounds.events,
            isBlurred: isBlurred)
    }

    private func totalOrder(_ isBlurred: Bool) -> GuaranteeOutcome {
        let checks = channels.map { TotalOrderCheck(order, channel: $0, runStart: context.runStart) }
        let first = checks.filter { $0.witness != nil }.min { ($0.witness?.at ?? .max) < ($1.witness?.at ?? .max) }
        return GuaranteeOutcome(
            id: .totalOrder, checked: checks.reduce(0) { $0 + $1.checked },
            violations: checks.reduce(0) { $0 + $1.violations },
            witness: first?.witness?.text, events: first?.disagreement.map { events($0) } ?? [],
            isBlurred: isBlurred || checks.contains(where: \.isBlurred))
    }

    private func realTimeOrder(_ isBlurred: Bool) -> GuaranteeOutcome {
        let checks = channels.map { RealTimeOrderCheck(order, channel: $0, runStart: context.runStart) }
        return GuaranteeOutcome(
            id: .realTimeOrder, checked: checks.reduce(0) { $0 + $1.checked },
            violations: checks.reduce(0) { $0 + $1.violations },
            witness: checks.compactMap(\.witness).min { $0.at < $1.at }?.text,
            isBlurred: isBlurred || checks.contains(where: \.isBlurred))
    }

    /// What healthy clients of instances with slow ones got too late while those were slow, and what dead or stalled ones
    /// took from others.
    private func isolation() -> GuaranteeOutcome {
        var checked = broughtByOthers.checked
        var late: Int64 = 0
        var first: Sighting?
        for (instance, tally) in lags {
            guard let spells = sickness[instance] else { continue }
            checked += tally.healthy
            for time in tally.healthyLate.times where spells.contains(where: { $0.overlaps(time.span) }) {
                late += time.count
                first = earlier(first, time.first)
            }
        }
        let words = first.map {
            lagWords($0) + ", behind slow clients of its instance, over \(Witness.span(context.bounds.isolation))"
        }
        return GuaranteeOutcome(
            id: .isolation, checked: checked, violations: late + broughtByOthers.violations,
            witness: broughtByOthers.witness(context) ?? words)
    }

    private func boundedLag() -> GuaranteeOutcome {
        guard let bound = context.bounds.lag else {
            return GuaranteeOutcome(id: .boundedLag, checked: 0, violations: 0, witness: nil)
        }
        let first = lags.reduce(nil as Sighting?) { earlier($0, $1.tally.firstLate) }
        return GuaranteeOutcome(
            id: .boundedLag, checked: received, violations: lags.reduce(0) { $0 + $1.tally.late },
            witness: first.map { "\(lagWords($0)), over \(Witness.span(bound))" })
    }

    private func recovered(_ isBlurred: Bool) -> GuaranteeOutcome {
        guard let limit = context.recovery else {
            return GuaranteeOutcome(id: .recovery, checked: 0, violations: 0, witness: nil)
        }
        let away = gaps.filter { !$0.isPlanned && $0.from <= limit.deadline && $0.until >= limit.deadline }
        let first = away.map(\.client).min()
        let words = first.map {
            "client \($0) had no connection \(Witness.span(limit.bound.nanoseconds)) after the last fault was healed"
        }
        return GuaranteeOutcome(
            id: .recovery, checked: recovery.checked + Int64(away.count),
            violations: recovery.violations + Int64(away.count),
            witness: recovery.witness(context) ?? words, isBlurred: isBlurred)
    }

    // MARK: - Parts

    private var channels: [UInt8] { Set(loops.map(\.channel)).sorted() }

    /// How far clients were behind, by instance, in the order of the instances.
    private var lags: [(instance: UInt16, tally: LagTally)] {
        loops.flatMap { $0.lags.enumerated().map { (UInt16($0.offset), $0.element) } }
    }

    private func earlier(_ one: Sighting?, _ other: Sighting?) -> Sighting? {
        guard let one, let other else { return one ?? other }
        return one.at <= other.at ? one : other
    }

    private func lagWords(_ sighting: Sighting) -> String {
        "client \(sighting.client) (instance \(sighting.instance)) got \(sighting.publisher):\(sighting.sequence) "
            + "\(Witness.time(sighting.at.nanoseconds, since: context.runStart)) into the run, "
            + "\(Witness.span(Int64(clamping: sighting.other))) after it was ready"
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
