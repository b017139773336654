import WSMCore
import WSMRecord

/// The events behind the words of a witness.
extension Settler {
    /// A message that somebody missed: its publish, one who received it if there is one, and who did not.
    func events(_ tally: MissingTally) -> [WitnessEvent] {
        guard let missing = tally.earliest else { return [] }
        let key = ChannelOrder.key(Int(missing.publisher), missing.index)
        let name = ReceiptOrder.name(key)
        let act: WitnessEvent.Kind = missing.wasHandedOver ? .published : .submitted
        var events = [publish(act, missing.publisher, missing.publisherInstance, name, at: missing.begin)]
        if let receiver = order.anyReceiver(of: key) {
            events.append(
                WitnessEvent(
                    .received, who: "client \(order.client(receiver))", instance: order.instance(receiver),
                    message: name))
        }
        let who = missing.client.map { "client \($0)" } ?? "every client"
        events.append(WitnessEvent(.missed, who: who, instance: missing.clientInstance, message: name))
        return events
    }

    /// A receipt that should not have been, after what makes it one.
    func events(_ sightings: Sightings, _ anomaly: Anomaly) -> [WitnessEvent] {
        guard let sighting = sightings.first(anomaly), anomaly != .corrupted, anomaly != .unknownPublisher else {
            return []
        }
        let key = ChannelOrder.key(Int(sighting.publisher), Int(clamping: sighting.sequence))
        let name = ReceiptOrder.name(key)
        var events = published([key])
        func received(_ name: String, at instant: Int64?) -> WitnessEvent {
            WitnessEvent(
                .received, who: "client \(sighting.client)", instance: sighting.instance, message: name,
                atNanoseconds: instant)
        }
        switch anomaly {
        case .duplicate: events.append(received(name, at: nil))
        case .late:
            if let later = order.earlierSeen(than: key, client: sighting.client, instance: sighting.instance) {
                events = published([key, later])
                events.append(received(ReceiptOrder.name(later), at: nil))
            }
        case .afterClose:
            events.append(
                WitnessEvent(.closed, who: "client \(sighting.client)", instance: sighting.instance, message: nil))
        case .corrupted, .unknownPublisher, .wrongChannel, .beforeSent, .stepOrder: break
        }
        return events + [received(name, at: sinceStart(sighting.at.nanoseconds))]
    }

    /// Two messages that two clients saw in different orders.
    func events(_ disagreement: TotalOrderCheck.Disagreement) -> [WitnessEvent] {
        let pair = [disagreement.first, disagreement.second]
        func sees(_ keys: [UInt64], _ follower: ReceiptOrder.Follower) -> [WitnessEvent] {
            keys.map {
                WitnessEvent(
                    .received, who: "client \(order.client(follower))", instance: order.instance(follower),
                    message: ReceiptOrder.name($0))
            }
        }
        return published(pair) + sees(pair, disagreement.straight) + sees(pair.reversed(), disagreement.reversed)
    }

    private func published(_ keys: [UInt64]) -> [WitnessEvent] {
        let known = keys.compactMap { key in
            order.publish(key).map { (key: key, instance: $0.instance, at: $0.at) }
        }
        return known.sorted { $0.at < $1.at }.map {
            publish(
                .published, UInt32(ChannelOrder.publisher(of: $0.key)), $0.instance, ReceiptOrder.name($0.key),
                at: $0.at)
        }
    }

    private func publish(
        _ kind: WitnessEvent.Kind, _ publisher: UInt32, _ instance: UInt16, _ name: String, at instant: Int64
    ) -> WitnessEvent {
        WitnessEvent(
            kind, who: "publisher \(publisher)", instance: instance == context.outside ? nil : instance, message: name,
            atNanoseconds: sinceStart(instant))
    }

    private func sinceStart(_ instant: Int64) -> Int64 { instant &- context.runStart.nanoseconds }
}

extension ReceiptOrder {
    func instance(_ follower: Follower) -> UInt16 { loops[follower.loop].sessions[follower.session].instance }

    /// Where and when a message was handed over; `nil` for one that nobody submitted.
    func publish(_ key: UInt64) -> (instance: UInt16, at: Int64)? {
        guard let history = histories[ChannelOrder.publisher(of: key)] else { return nil }
        let at = Set(loops.map(\.channel)).sorted().lazy.compactMap { begin(key, channel: $0) }.first
        return at.map { (history.instance, $0) }
    }

    /// The session of the lowest client that received a message.
    func anyReceiver(of key: UInt64) -> Follower? {
        var best: Follower?
        for (loop, record) in loops.enumerated() {
            for (index, known) in record.ledger.orders.enumerated() {
                guard let place = known.place(ofKey: key) else { continue }
                for session in followers[loop][index] where record.ledger.hasReceived(session, place) {
                    let found = Follower(loop: loop, session: session)
                    if best.map({ client(found) < client($0) }) ?? true { best = found }
                }
            }
        }
        return best
    }

    /// A later message of the same publisher that the client saw before this one, among its next numbers.
    func earlierSeen(than key: UInt64, client: UInt32, instance: UInt16) -> UInt64? {
        for (loop, record) in loops.enumerated() {
            for session in record.sessions.indices
            where record.sessions[session].client == client && record.sessions[session].instance == instance {
                guard let index = record.ledger.order(ofInstance: instance) else { continue }
                let known = record.ledger.orders[index]
                guard let place = known.place(ofKey: key) else { continue }
                for later in (key + 1)...(key + 64) {
                    guard let other = known.place(ofKey: later) else { continue }
                    if isBefore(other, place, Follower(loop: loop, session: session)) == true { return later }
                }
            }
        }
        return nil
    }
}
