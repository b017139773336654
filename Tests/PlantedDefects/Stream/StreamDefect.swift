import WSMCore
import WSMRecord
import WSMVerify

/// The defects of the stream layer, each with what must be found of it.
enum StreamDefect {
    /// Of a defect; a clean twin has as many as the other layers.
    static let seeds: ClosedRange<UInt64> = 1...8

    static let twins: [Twin] = [
        twin("none: the clean twin") { _ in },
        twin("drops 1 in 1,000", plant: drop),
        twin("drops the very last messages", plant: dropTail),
        twin("drops for a whole instance", plant: dropForInstance),
        twin("delivers twice at once", plant: duplicate),
        twin("replays an old message of the session", plant: replay),
        twin("replays a message from before the session", plant: replayHistory),
        twin("delivers after the close", plant: deliverAfterClose),
        twin("swaps neighbours of one publisher", plant: swapOfPublisher),
        twin("swaps neighbours, one acknowledged before the other began", plant: swapAfterAcknowledgement),
        twin("orders two publishers differently on two instances", plant: disagree),
        twin("fills a gap late", plant: fillLate),
        twin("corrupts a payload", plant: corrupt),
        twin("sends to the wrong channel", plant: misdirect),
        twin("invents a publisher", plant: inventPublisher),
        twin("invents a message", plant: inventMessage),
        twin("delivers before the send", plant: deliverEarly),
        twin("closes silently and loses what was on its way", plant: closeSilently),
        twin("lets a client go deaf", plant: { deafen(&$0, isWaitedFor: false) }),
        twin("lets a client go deaf, while the run waits for its fence", plant: { deafen(&$0, isWaitedFor: true) }),
        twin("leaves a gap with a marker", plant: { gap(&$0, isMarked: true) }),
        twin("leaves a gap without a marker", plant: { gap(&$0, isMarked: false) }),
        twin("delays one client", plant: delay),
        twin("lets healthy clients wait behind a slow one", plant: holdUp),
        twin("loses on when the fault is long healed", plant: recoverLate),
        twin("never comes back when the fault is healed", plant: stayAway),
        twin("none: a clean shutdown") { shutDown(&$0, []) },
        twin("leaves clients without their close at shutdown") { shutDown(&$0, [.runEnded, .dropped]) },
        twin("closes with another code at shutdown") { shutDown(&$0, [.closedByServer(code: 1000)]) },
        twin("leaves subscriptions and updates behind at shutdown", plant: leaveBehind),
        twin("closes some clients twice at shutdown", plant: closeTwice),
    ]

    private static func twin(_ name: String, plant: @escaping @Sendable (inout StreamTrial) -> Void) -> Twin {
        Twin(.stream, name, seeds: name.hasPrefix("none: ") ? 1...20 : seeds) { seed in
            try await Aside.run {
                var trial = StreamTrial(seed: seed)
                plant(&trial)
                return try trial.finish()
            }
        }
    }

    /// A message that is missing between two others, without a reason: three guarantees in one.
    static func loss(_ count: Int64) -> [String: Int64] {
        ["completeness": count, "no-gap": count, "no-silent-loss": count]
    }

    // MARK: Missing

    @Sendable private static func drop(_ trial: inout StreamTrial) {
        trial.forEachHit { trial, client, hit in
            trial.streams[client].remove(at: hit + trial.random.below(8))
        }
        trial.planted = trial.totalHits
        trial.expected = Findings(loss(trial.planted))
        trial.expected.lose(trial.planted, .unexplained)
    }

    @Sendable private static func dropTail(_ trial: inout StreamTrial) {
        for client in 0..<StreamTrial.clients {
            let count = 1 + trial.random.below(4)
            trial.streams[client].removeLast(count)
            trial.planted += Int64(count)
        }
        // The last message of all may reach nobody of an instance; the reach counts it then.
        let last = trial.load.messages.suffix(4)
        var unreached: Int64 = 0
        for (offset, message) in last.enumerated() {
            let home = Int(message.stamp.publisher.rawValue) / 2 % 2
            let others = (0..<StreamTrial.clients).filter { $0 % 2 != home }
            let missing = others.count { trial.streams[$0].count <= StreamLoad.count - 4 + offset }
            if missing == others.count { unreached += 1 }
        }
        trial.expected = Findings(
            loss(trial.planted).merging(["cross-instance-reach": unreached]) { $1 })
        trial.expected.lose(trial.planted, .unexplained)
    }

    /// One message of instance 0 that neither client of instance 1 gets, a client's hit each.
    @Sendable private static func dropForInstance(_ trial: inout StreamTrial) {
        let indices = trial.hits[1].map { $0 + trial.random.below(4) }.sorted(by: >)
        for index in indices {
            for client in [1, 3] { trial.streams[client].remove(at: index) }
        }
        trial.planted = Int64(indices.count)
        trial.expected = Findings(
            loss(trial.planted * 2).merging(["cross-instance-reach": trial.planted]) { $1 })
        trial.expected.lose(trial.planted * 2, .unexplained)
    }

    /// The connection ends at a message: it and the two that were published before the end was noticed are lost, and the
    /// client comes back when some more have passed.
    @Sendable private static func closeSilently(_ trial: inout StreamTrial) {
        for client in 0..<StreamTrial.clients {
            let hit = trial.hits[client][0]
            let away = 5 + trial.random.below(15)
            let back = hit + 3 + away
            let load = trial.load.messages
            trial.streams[client].replaceSubrange(
                hit..<back,
                with: [
                    .init(at: load[hit].publishedAt + 25, event: .close(.dropped)),
                    .init(at: load[back].publishedAt - 5, event: .open),
                ])
            trial.planted += 1
            trial.expected.indeterminate += 3
            trial.expected.missedOffline += Int64(away)
        }
    }

    /// One client gets nothing from some message on, not even the end fence: nobody can say whether it was there, unless the
    /// run waited for it, and it still had its connection.
    @Sendable private static func deafen(_ trial: inout StreamTrial, isWaitedFor: Bool) {
        let client = trial.random.below(StreamTrial.clients)
        let from = trial.hits[client][0]
        let missed = Int64(StreamLoad.count - from)
        trial.streams[client].removeLast(Int(missed))
        trial.endFences[client] = false
        trial.planted = 1
        guard isWaitedFor else {
            trial.expected.indeterminate = missed
            return
        }
        let fencedFrom = StreamLoad.at(trial.load.endFence.publishedAt - 1)
        trial.context.endOfLoad = .init(fencedFrom: fencedFrom, waitedUntil: fencedFrom + .microseconds(500))
        trial.planted = missed
        // Nothing came after them: that is no gap between two receipts.
        trial.expected = Findings(["completeness": missed, "no-silent-loss": missed])
        trial.expected.lose(missed, .unexplained)
    }

    /// The broker is out of instance 1's reach for five messages.
    @Sendable private static func gap(_ trial: inout StreamTrial, isMarked: Bool) {
        let begin = trial.hits[0][0]
        let load = trial.load.messages
        let until = StreamLoad.at(load[begin + 4].publishedAt + 5)
        trial.context.brokerOutages = [
            .init(instance: 1, from: StreamLoad.at(load[begin].publishedAt - 1), until: until)
        ]
        if isMarked { trial.context.gapMarkers = [.init(instance: 1, at: until)] }
        for client in [1, 3] { trial.streams[client].removeSubrange(begin..<(begin + 5)) }
        trial.planted = 10
        trial.expected = Findings(["no-silent-loss": isMarked ? 0 : 10])
        trial.expected.lose(10, .brokerGap)
    }

    // MARK: Too many

    @Sendable private static func duplicate(_ trial: inout StreamTrial) {
        repeatEach(&trial, after: 0)
    }

    @Sendable private static func replay(_ trial: inout StreamTrial) {
        repeatEach(&trial, after: 20)
    }

    private static func repeatEach(_ trial: inout StreamTrial, after distance: Int) {
        trial.forEachHit { trial, client, hit in
            let index = hit + trial.random.below(8)
            var again = trial.streams[client][index]
            again.at = trial.streams[client][index + distance].at + 1
            trial.streams[client].insert(again, at: index + distance + 1)
        }
        trial.planted = trial.totalHits
        trial.expected = Findings(["at-most-once": trial.planted])
        trial.expected.duplicated = trial.planted
    }

    /// As a client's first messages come some that were over before it connected.
    @Sendable private static func replayHistory(_ trial: inout StreamTrial) {
        for client in 0..<StreamTrial.clients {
            let count = 1 + trial.random.below(StreamLoad.oldCount)
            trial.preludes[client] = trial.load.old.prefix(count).enumerated().map { index, message in
                .init(at: 100 + Int64(index), event: .receipt(message.bytes))
            }
            trial.planted += Int64(count)
        }
        trial.expected = Findings(["session-bounds": trial.planted])
    }

    @Sendable private static func deliverAfterClose(_ trial: inout StreamTrial) {
        for client in 0..<StreamTrial.clients {
            let message = trial.load.messages[trial.random.below(StreamLoad.count)]
            trial.epilogues[client] = [.init(at: 100_000, event: .receipt(message.bytes))]
            trial.planted += 1
        }
        trial.expected = Findings(["session-bounds": trial.planted])
    }

    // MARK: Out of order

    private static func swap(_ trial: inout StreamTrial, _ client: Int, _ first: Int) {
        let (early, late) = (trial.streams[client][first].event, trial.streams[client][first + 1].event)
        trial.streams[client][first].event = late
        trial.streams[client][first + 1].event = early
    }

    /// The two of a pair: the second was published before the first was acknowledged.
    @Sendable private static func swapOfPublisher(_ trial: inout StreamTrial) {
        trial.forEachHit { swap(&$0, $1, $2 + 2 * $0.random.below(3)) }
        trial.planted = trial.totalHits
        trial.expected = Findings([
            "publisher-order": trial.planted, "process-order": trial.planted, "total-order": trial.planted,
        ])
        trial.expected.reordered = trial.planted
    }

    /// The last of one pair and the first of the next, of another publisher.
    @Sendable private static func swapAfterAcknowledgement(_ trial: inout StreamTrial) {
        trial.forEachHit { swap(&$0, $1, $2 + 1 + 2 * $0.random.below(3)) }
        trial.planted = trial.totalHits
        trial.expected = Findings(["total-order": trial.planted, "real-time-order": trial.planted])
    }

    /// Both clients of instance 1 see two overlapping messages of two publishers the other way round.
    @Sendable private static func disagree(_ trial: inout StreamTrial) {
        for hit in trial.hits[1] {
            for client in [1, 3] { swap(&trial, client, hit + 7) }
        }
        trial.planted = 2 * Int64(trial.hits[1].count)
        trial.expected = Findings(["total-order": trial.planted])
    }

    /// A message is missing, and comes when some twenty later ones have come.
    @Sendable private static func fillLate(_ trial: inout StreamTrial) {
        var wrongSteps: Int64 = 0
        trial.forEachHit { trial, client, hit in
            let index = hit + trial.random.below(8)
            var entry = trial.streams[client].remove(at: index)
            entry.at = trial.streams[client][index + 18].at + 1
            trial.streams[client].insert(entry, at: index + 19)
            // Four later messages of its publisher have come by then: steps of its process, unless it was the last.
            if trial.load.messages[index].stamp.step < 7 { wrongSteps += 1 }
        }
        trial.planted = trial.totalHits
        trial.expected = Findings([
            "publisher-order": trial.planted, "process-order": wrongSteps, "total-order": trial.planted,
            "real-time-order": trial.planted,
        ])
        trial.expected.reordered = trial.planted
    }

    // MARK: Not what was sent

    @Sendable private static func corrupt(_ trial: inout StreamTrial) {
        trial.forEachHit { trial, client, hit in
            let index = hit + trial.random.below(8)
            guard case .receipt(var bytes) = trial.streams[client][index].event else { return }
            bytes[3] ^= 1
            trial.streams[client][index].event = .receipt(bytes)
        }
        trial.planted = trial.totalHits
        trial.expected = Findings(loss(trial.planted).merging(["integrity": trial.planted]) { $1 })
        trial.expected.lose(trial.planted, .unexplained)
    }

    @Sendable private static func misdirect(_ trial: inout StreamTrial) {
        forge(&trial) { stamp, _ in stamp.channel = 3 }
    }

    @Sendable private static func inventPublisher(_ trial: inout StreamTrial) {
        forge(&trial) { stamp, _ in stamp.publisher = PublisherID(77) }
    }

    @Sendable private static func inventMessage(_ trial: inout StreamTrial) {
        // The latest hit is planted first: its number is the lowest, so that the numbers come in order.
        forge(&trial, atEnd: true) { stamp, index in
            stamp.sequence = 1 << 38 + UInt64(StreamLoad.count - index)
            stamp.process = ProbeStamp.noProcess
        }
    }

    /// Adds a message that differs from a true one in what `change` does to its stamp.
    ///
    /// - Parameter atEnd: Where a number beyond all would make the true ones after it late.
    private static func forge(
        _ trial: inout StreamTrial, atEnd: Bool = false, _ change: (inout ProbeStamp, Int) -> Void
    ) {
        trial.forEachHit { trial, client, hit in
            var stamp = trial.load.messages[hit].stamp
            change(&stamp, hit)
            let place = atEnd ? trial.streams[client].count : hit + 1
            let at = trial.streams[client][place - 1].at + 1
            trial.streams[client].insert(.init(at: at, event: .receipt(StreamLoad.bytes(stamp))), at: place)
        }
        trial.planted = trial.totalHits
        trial.expected = Findings(["integrity": trial.planted])
    }

    /// The message says that it was sent just after it was received.
    @Sendable private static func deliverEarly(_ trial: inout StreamTrial) {
        trial.forEachHit { trial, client, hit in
            var stamp = trial.load.messages[hit].stamp
            stamp.sent = StreamLoad.at(trial.streams[client][hit].at + 1)
            trial.streams[client][hit].event = .receipt(StreamLoad.bytes(stamp))
        }
        trial.planted = trial.totalHits
        trial.expected = Findings(["integrity": trial.planted])
    }
}
