import WSMCore
import WSMRecord

extension Settler {
    /// Judges each message that one session did not get of one publisher.
    mutating func findMissing(
        _ columns: PublisherColumns, _ received: ReceivedRanges, _ ranges: MessageRanges, _ loop: Int, _ session: Int
    ) {
        var missing: [Range<Int>] = []
        received.forEachMissing(in: ranges.hull) { missing.append($0) }
        for index in missing.joined() {
            switch fate(of: index, columns, ranges, received, isDeaf: windows[loop][session].isDeaf) {
            case .notExpected:
                break
            case .indeterminate:
                if columns.isMeasured(index) { sessions[loop][session].indeterminate += 1 }
            case .lost(let place, let isChecked):
                let loss = Loss(
                    session: loops[loop].sessions[session], window: windows[loop][session], columns: columns,
                    index: index, place: place)
                if !isChecked {
                    completeness.check(1)
                    noGap.check(1)
                    noSilentLoss.check(1)
                }
                lose(loss, loop, session)
            }
        }
    }

    private enum Fate {
        case notExpected
        case indeterminate
        /// `isChecked`: it is among the messages that ``countChecks(_:_:_:)`` counted.
        case lost(Loss.Place, isChecked: Bool)
    }

    private func fate(
        of index: Int, _ columns: PublisherColumns, _ ranges: MessageRanges, _ received: ReceivedRanges, isDeaf: Bool
    ) -> Fate {
        let isDecided = columns.isDecided(index)
        guard columns.wasHandedOver(index) else {
            guard ranges.submitted.contains(index) else { return .notExpected }
            let isLost = isDecided && ranges.submittedWithin.contains(index)
            return isLost ? .lost(.between, isChecked: true) : .indeterminate
        }
        guard ranges.possible.contains(index) else { return .notExpected }
        if isDecided {
            guard ranges.certain.contains(index) else { return .indeterminate }
            if ranges.followed.contains(index) { return .lost(.between, isChecked: true) }
            return .lost(isDeaf ? .inSilence : .beforeEviction, isChecked: true)
        }
        // Nobody confirmed it; but a later one of the same publisher came, and it was handed over before that one.
        let isPassed = index >= ranges.certain.lowerBound && index < received.end && !ranges.certain.isEmpty
        return isPassed ? .lost(.between, isChecked: false) : .indeterminate
    }

    private mutating func lose(_ loss: Loss, _ loop: Int, _ session: Int) {
        let cause = loss.cause(context, abortedFanOuts: abortedFanOuts)
        if loss.columns.isMeasured(loss.index) {
            sessions[loop][session].lost += 1
            totals.lostByCause[cause, default: 0] += 1
            if cause == .evicted, loss.session.slowReader { totals.lostBySlowReaders += 1 }
            faults.lose(loss, cause, isSilent: loss.isSilent(cause, context))
        }
        let missing = MissingTally.Missing(
            begin: loss.begin, client: loss.session.client, clientInstance: loss.session.instance,
            publisher: loss.columns.publisher, publisherInstance: loss.columns.instance, index: loss.index,
            wasHandedOver: loss.columns.wasHandedOver(loss.index), cause: cause)
        if !loss.isExcusedFromCompleteness(cause, context) { completeness.add(missing) }
        if loss.isGap(cause) { noGap.add(missing) }
        if loss.isSilent(cause, context) { noSilentLoss.add(missing) }
        if let deadline = context.recovery?.deadline, loss.begin >= deadline { recovery.add(missing) }
        if isBroughtByOthers(loss, cause) {
            broughtByOthers.check(1)
            broughtByOthers.add(missing)
        }
    }

    /// Whether a dead or stalled client took the message from the session.
    private func isBroughtByOthers(_ loss: Loss, _ cause: LossCause) -> Bool {
        guard !loss.session.slowReader else { return false }
        switch cause {
        case .fanOutAborted: return true
        // In memory only a walk that somebody held up until the stop is given up.
        case .publishFailed: return context.manager == .memory && sickness[loss.columns.instance] != nil
        default: return false
        }
    }

    /// All that a memory manager published for others: lost by design, in numbers, without looking at each.
    mutating func loseToOtherInstance(
        _ columns: PublisherColumns, _ ranges: MessageRanges, _ observed: ObservedSession, _ loop: Int, _ session: Int
    ) {
        let lost =
            columns.handedOverDecided.measured(ranges.certain)
            + columns.neverHandedOverDecided.measured(ranges.submittedWithin)
        let all =
            columns.handedOver.measured(ranges.possible) + columns.neverHandedOver.measured(ranges.submitted)
        sessions[loop][session].lost += lost
        sessions[loop][session].indeterminate += all - lost
        if lost > 0 { totals.lostByCause[.otherInstance, default: 0] += lost }
    }
}

/// How many sessions of each other instance had to get each message of one publisher, and how many got it: differences
/// from one sequence number to the next, so that a session costs a few additions.
struct ReachTable {
    private let columns: PublisherColumns
    private var instances: [UInt16: Row] = [:]

    private struct Row {
        var expected: [Int32]
        var received: [Int32]

        init(messages: Int) {
            expected = [Int32](repeating: 0, count: messages + 1)
            received = expected
        }

        mutating func add(expected range: Range<Int>, received ranges: [Range<Int>]) {
            expected[range.lowerBound] += 1
            expected[range.upperBound] -= 1
            for range in ranges {
                received[range.lowerBound] += 1
                received[range.upperBound] -= 1
            }
        }
    }

    init(columns: PublisherColumns) {
        self.columns = columns
    }

    mutating func add(instance: UInt16, expected: Range<Int>, received: [Range<Int>]) {
        instances[instance, default: Row(messages: columns.count)].add(expected: expected, received: received)
    }

    /// Checks each published message against each instance on which a session had to get it, outside fault windows.
    func settle(into tally: inout MissingTally, context: SettlementContext) {
        for (instance, row) in instances.sorted(by: { $0.key < $1.key }) {
            var expected: Int32 = 0
            var received: Int32 = 0
            for index in 0..<columns.count {
                expected += row.expected[index]
                received += row.received[index]
                guard expected > 0, columns.wasHandedOver(index), columns.isDecided(index),
                    columns.outcomes[index] == .published
                else { continue }
                if received > 0 {
                    tally.check(1)
                } else if !isInFaultWindow(index, instance, context) {
                    tally.check(1)
                    tally.add(
                        MissingTally.Missing(
                            begin: columns.begin(index), client: nil, clientInstance: instance,
                            publisher: columns.publisher, publisherInstance: columns.instance, index: index,
                            wasHandedOver: true, cause: nil))
                }
            }
        }
    }

    private func isInFaultWindow(_ index: Int, _ instance: UInt16, _ context: SettlementContext) -> Bool {
        let begin = columns.begin(index)
        let end = columns.end(index)
        return (context.brokerOutages + context.instanceDowntimes).contains {
            $0.overlaps(anyClientOf: instance, begin, end) || $0.overlaps(columns.instance, begin, end)
        }
    }
}
