import Testing
import WSMCore

@testable import WSMVerify

@Suite("The ledger of sessions")
struct SessionLedgerTests {
    private func received(_ ledger: SessionLedger, publisher: Int = 0) -> Set<Int64> {
        let cursor = ledger.cursor(session: 0, publisher: publisher)
        guard cursor.isOpen else { return [] }
        var set = Set(cursor.first..<cursor.next)
        for hole in ledger.holes(of: cursor) { set.subtract(hole) }
        return set
    }

    @Test("Any order of receipts gives the set received, and counts as a set would", arguments: UInt64(1)...50)
    func anyOrder(seed: UInt64) {
        var random = CounterRNG(seed: seed, stream: .payload, entity: 5)
        var ledger = SessionLedger(publisherCount: 2)
        ledger.openSession()
        var model: Set<Int64> = []
        for _ in 0..<300 {
            let sequence = Int64(random.below(200))
            let isNew = !model.contains(sequence)
            let isLate = isNew && model.contains { $0 > sequence }
            let arrival = ledger.receive(session: 0, publisher: 1, sequence: sequence)
            let expected: SessionLedger.Arrival = isNew ? (isLate ? .late : .advanced) : .duplicate
            #expect(arrival == expected, "seed \(seed)")
            model.insert(sequence)
        }
        #expect(received(ledger, publisher: 1) == model, "seed \(seed)")
        #expect(received(ledger, publisher: 0).isEmpty)
        #expect(!ledger.isBlurred(session: 0))
    }

    @Test("Beyond the limit of holes it never guesses: new numbers count, others are ambiguous")
    func limit() {
        var ledger = SessionLedger(publisherCount: 1)
        ledger.openSession()
        for index in 0...SessionLedger.holeLimit + 10 {
            #expect(ledger.receive(session: 0, publisher: 0, sequence: Int64(index) * 2) == .advanced)
        }
        #expect(ledger.isBlurred(session: 0))
        #expect(ledger.receive(session: 0, publisher: 0, sequence: 4) == .ambiguous)
        #expect(ledger.receive(session: 0, publisher: 0, sequence: 3) == .late)
    }

    @Test("A hole as wide as the number space costs one range, and cannot be split without end")
    func wideHole() {
        var ledger = SessionLedger(publisherCount: 1)
        ledger.openSession()
        let highest: Int64 = 0xff_ffff_ffff
        #expect(ledger.receive(session: 0, publisher: 0, sequence: 0) == .advanced)
        #expect(ledger.receive(session: 0, publisher: 0, sequence: highest) == .advanced)
        var late = 0
        for index in 1...Int64(2 * SessionLedger.holeLimit) {
            if ledger.receive(session: 0, publisher: 0, sequence: index * 1000) == .late { late += 1 }
        }
        #expect(late == SessionLedger.holeLimit - 1)
        #expect(ledger.isBlurred(session: 0))
    }
}

@Suite("The steps of processes")
struct ProcessStepsTests {
    @Test("An earlier step after a later one is found, for as many processes as are alive at once")
    func order() {
        var steps = ProcessSteps()
        for process in 0..<UInt32(ProcessSteps.limit) {
            for step in [0, 0, 1, 3] as [UInt16] {
                guard case .inOrder = steps.receive(process: process, step: step) else {
                    Issue.record("process \(process) step \(step)")
                    return
                }
            }
        }
        for process in 0..<UInt32(ProcessSteps.limit) {
            guard case .violated(after: 3) = steps.receive(process: process, step: 2) else {
                Issue.record("process \(process)")
                return
            }
        }
    }

    @Test("A process that was displaced by a later one is unchecked, never judged")
    func displaced() {
        var steps = ProcessSteps()
        for process in 0..<UInt32(3 * ProcessSteps.limit) { _ = steps.receive(process: process, step: 5) }
        guard case .unchecked = steps.receive(process: 3, step: 1) else {
            Issue.record("a displaced process was judged")
            return
        }
    }
}

@Suite("What a cluster promises")
struct PromiseTests {
    @Test("The table of DESIGN.md")
    func table() {
        let memory = promisedGuarantees(PromiseContext(manager: .memory, instances: 2))
        #expect(memory == Set(GuaranteeID.allCases).subtracting([.crossInstanceReach]))
        let broadcast = promisedGuarantees(PromiseContext(manager: .broadcast, instances: 2))
        #expect(broadcast == Set(GuaranteeID.allCases))
        var reference = PromiseContext(manager: .broadcast, instances: 1, usesQueue: false, publishRetried: true)
        reference.brokerLoss = .resubscribeSilently
        #expect(
            promisedGuarantees(reference) == [
                .integrity, .publisherOrder, .noGap, .completeness, .sessionBounds,
            ])
        var dropping = PromiseContext(manager: .broadcast, instances: 2, hasProcesses: false)
        dropping.slowClients = .drop
        #expect(
            promisedGuarantees(dropping) == [
                .integrity, .atMostOnce, .publisherOrder, .sessionBounds, .crossInstanceReach,
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
