import Testing
import WSMCore

@testable import WSMVerify

@Suite("The ledger of sessions")
struct SessionLedgerTests {
    private func ledger(publishers: Int = 2, sessions: Int = 1) -> SessionLedger {
        var ledger = SessionLedger(publisherCount: publishers)
        for client in 0..<UInt32(sessions) {
            _ = ledger.openSession(
                ObservedSession(
                    client: client, instance: 0, slowReader: false, attemptedAt: MonotonicInstant(nanoseconds: 1)))
        }
        return ledger
    }

    /// The numbers of one publisher that a session received, by the settlement's way of asking.
    private func received(_ ledger: SessionLedger, session: Int = 0, publisher: Int, count: Int) -> Set<Int> {
        var track = PublisherTrack(ledger.orders[0], publisher: publisher, count: count)
        let ranges = track.received(ledger.sessions[session].slice, ledger.departure(of: session))
        return Set(ranges.ranges.joined())
    }

    @Test("What is kept of a session fits into 64 bytes")
    func size() {
        #expect(MemoryLayout<ObservedSession>.stride <= 64)
    }

    @Test("Any order of receipts gives the sets received, and counts as sets would", arguments: UInt64(1)...80)
    func anyOrder(seed: UInt64) {
        var random = CounterRNG(seed: seed, stream: .payload, entity: 5)
        let sessions = 1 + random.below(4)
        var ledger = ledger(publishers: 3, sessions: sessions)
        var model = [[Set<Int>]](repeating: [[], [], []], count: sessions)
        // From wild disorder to almost none.
        let disorder = [200, 20, 3][random.below(3)]
        for step in 0..<600 {
            let session = random.below(sessions)
            let publisher = random.below(3)
            let sequence = min(299, step / 2 + random.below(disorder))
            let known = model[session][publisher]
            let isNew = !known.contains(sequence)
            let isLate = isNew && known.contains { $0 > sequence }
            let receipt = ledger.receive(session: session, ChannelMessage(publisher: publisher, sequence: sequence))
            let expected: SessionLedger.Arrival = isNew ? (isLate ? .late : .advanced) : .duplicate
            #expect(receipt.arrival == expected, "seed \(seed), step \(step)")
            model[session][publisher].insert(sequence)
        }
        for session in 0..<sessions {
            for publisher in 0..<3 {
                let actual = received(ledger, session: session, publisher: publisher, count: 300)
                #expect(actual == model[session][publisher], "seed \(seed), session \(session)")
            }
            #expect(Int(ledger.sessions[session].received) == model[session].reduce(0) { $0 + $1.count })
            #expect(!ledger.isBlurred(session: session))
        }
    }

    @Test("Beyond the limit of holes it never guesses: new messages count, others are ambiguous")
    func limit() {
        var ledger = ledger(publishers: 1, sessions: 2)
        for index in 0...2 * Departure.holeLimit + 10 {
            _ = ledger.receive(session: 0, ChannelMessage(publisher: 0, sequence: index))
            guard index % 2 == 0 else { continue }
            let receipt = ledger.receive(session: 1, ChannelMessage(publisher: 0, sequence: index))
            #expect(receipt.arrival == .advanced)
        }
        #expect(!ledger.isBlurred(session: 0))
        #expect(ledger.isBlurred(session: 1))
        #expect(ledger.receive(session: 1, ChannelMessage(publisher: 0, sequence: 4)).arrival == .ambiguous)
        #expect(ledger.receive(session: 1, ChannelMessage(publisher: 0, sequence: 3)).arrival == .late)
    }

    @Test("A forged number far beyond the others takes no memory and does not disturb the order of the true ones")
    func strays() {
        var ledger = ledger(publishers: 1, sessions: 1)
        #expect(ledger.receive(session: 0, ChannelMessage(publisher: 0, sequence: 0)).arrival == .advanced)
        for index in 0..<SequencePlaces.strayLimit {
            let forged = ChannelMessage(publisher: 0, sequence: 0xff_ffff_ffff - index)
            #expect(ledger.receive(session: 0, forged).arrival == .advanced)
            #expect(ledger.receive(session: 0, forged).arrival == .duplicate)
        }
        #expect(ledger.receive(session: 0, ChannelMessage(publisher: 0, sequence: 1)).arrival == .advanced)
        #expect(ledger.receive(session: 0, ChannelMessage(publisher: 0, sequence: 1 << 39)).arrival == .ambiguous)
        #expect(received(ledger, publisher: 0, count: 2) == [0, 1])
        var track = PublisherTrack(ledger.orders[0], publisher: 0, count: 2)
        let ranges = track.received(ledger.sessions[0].slice, ledger.departure(of: 0))
        #expect(ranges.neverSubmitted == Int64(SequencePlaces.strayLimit))
    }

    @Test("A session that follows the order costs no more than its 64 bytes")
    func noDeparture() {
        var ledger = ledger(publishers: 2, sessions: 3)
        for index in 0..<1000 {
            for session in 0..<3 {
                _ = ledger.receive(session: session, ChannelMessage(publisher: index % 2, sequence: index / 2))
            }
        }
        #expect(ledger.departures.isEmpty)
        #expect(ledger.detours.isEmpty)
        #expect(ledger.orders[0].count == 1000)
    }
}

@Suite("The steps of processes")
struct ProcessStepsTests {
    @Test("An earlier step after a later one is found, for as many processes as are alive at once")
    func order() {
        var steps = ProcessSteps()
        for process in 0..<UInt32(ProcessSteps.limit) {
            for (index, step) in ([0, 0, 1, 3] as [UInt16]).enumerated() {
                guard case .inOrder = steps.append(process: process, step: step, index: Int(process) * 4 + index)
                else {
                    Issue.record("process \(process) step \(step)")
                    return
                }
            }
        }
        for process in 0..<UInt32(ProcessSteps.limit) {
            let finding = steps.append(process: process, step: 2, index: 1 << 20)
            #expect(finding == .violated(previous: Int(process) * 4 + 3))
        }
    }

    @Test("A process that was displaced by a later one is unchecked, never judged")
    func displaced() {
        var steps = ProcessSteps()
        for process in 0..<UInt32(3 * ProcessSteps.limit) {
            _ = steps.append(process: process, step: 5, index: Int(process))
        }
        #expect(steps.append(process: 3, step: 1, index: 1 << 20) == .unchecked)
    }

    @Test("Each session is judged by the steps that it received itself", arguments: UInt64(1)...60)
    func model(seed: UInt64) {
        var random = CounterRNG(seed: seed, stream: .payload, entity: 6)
        var ledger = SessionLedger(publisherCount: 1)
        for client in 0..<UInt32(3) {
            _ = ledger.openSession(
                ObservedSession(
                    client: client, instance: 0, slowReader: false, attemptedAt: MonotonicInstant(nanoseconds: 1)))
        }
        // Message n is update n / 5 of process n % 5.
        var received = [Set<Int>](repeating: [], count: 3)
        for position in 0..<200 {
            let session = random.below(3)
            let number = min(99, max(0, position / 2 + random.below(12) - 6))
            let receipt = ledger.receive(
                session: session,
                ChannelMessage(
                    publisher: 0, sequence: number, process: UInt32(number % 5), step: UInt16(number / 5)))
            guard received[session].insert(number).inserted else { continue }
            let isViolated = received[session].contains { $0 % 5 == number % 5 && $0 / 5 > number / 5 }
            #expect((receipt.laterStep != nil) == isViolated, "seed \(seed), position \(position)")
        }
    }
}

@Suite("What a cluster promises")
struct PromiseTests {
    @Test("The table of DESIGN.md")
    func table() {
        func occasions(_ manager: ManagerKind) -> PromiseContext {
            var context = PromiseContext(manager: manager, instances: 2)
            context.hasSickClients = true
            context.boundsLag = true
            context.hasFaults = true
            return context
        }
        let memory = promisedGuarantees(occasions(.memory))
        #expect(memory == Set(GuaranteeID.allCases).subtracting([.crossInstanceReach, .recovery]))
        #expect(promisedGuarantees(occasions(.broadcast)) == Set(GuaranteeID.allCases))
        var serial = occasions(.memory)
        serial.fanOut = .serial
        #expect(!promisedGuarantees(serial).contains(.isolation))
        let quiet = promisedGuarantees(PromiseContext(manager: .broadcast, instances: 2))
        #expect(quiet.isDisjoint(with: [.isolation, .boundedLag, .recovery]))
        var reference = PromiseContext(manager: .broadcast, instances: 1, usesQueue: false, publishRetried: true)
        reference.brokerLoss = .resubscribeSilently
        reference.stopsCleanly = false
        reference.comparesClients = false
        #expect(
            promisedGuarantees(reference) == [
                .integrity, .publisherOrder, .noGap, .completeness, .sessionBounds, .realTimeOrder,
            ])
        // A message that the broker got twice has two places in its order.
        let retried = PromiseContext(manager: .broadcast, instances: 2, publishRetried: true)
        #expect(promisedGuarantees(retried).isDisjoint(with: [.atMostOnce, .totalOrder]))
        #expect(promisedGuarantees(retried).contains(.realTimeOrder))
        var dropping = PromiseContext(manager: .broadcast, instances: 2, hasProcesses: false)
        dropping.slowClients = .drop
        #expect(
            promisedGuarantees(dropping) == [
                .integrity, .atMostOnce, .publisherOrder, .sessionBounds, .crossInstanceReach, .totalOrder,
                .realTimeOrder, .cleanShutdown,
            ])
        let exiting = PromiseContext(manager: .broadcast, instances: 2, threadExitsOnError: true)
        #expect(!promisedGuarantees(exiting).contains(.noSilentLoss))
    }

    @Test("No evidence is unknown, and blurred evidence never passes")
    func verdicts() {
        #expect(GuaranteeOutcome(id: .noGap, checked: 0, violations: 0, witness: nil).verdict == .unknown)
        #expect(GuaranteeOutcome(id: .noGap, checked: 9, violations: 0, witness: nil).verdict == .holds)
        #expect(
            GuaranteeOutcome(id: .noGap, checked: 9, violations: 0, witness: nil, isBlurred: true).verdict == .unknown)
        #expect(
            GuaranteeOutcome(id: .noGap, checked: 9, violations: 1, witness: "w", isBlurred: true).verdict == .violated)
    }
}
