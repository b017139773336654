import WSMCore
import WSMRecord

/// One publisher's history made ready for questions of the form "which of its messages lie between these two instants?".
///
/// Each publisher's instants ascend with its sequence numbers, so that a window of time is a range of numbers, found by
/// binary search. Should they not ascend (two threads report on one publisher), the searched columns are the running
/// minimum from the end or the running maximum from the start: a window then holds fewer messages, never a wrong one.
///
/// Two classes are searched apart. A message that was *handed over* to the broker belongs to the instants of its handing
/// over and its reply; one that never was, to the instant of its submission.
struct PublisherColumns {
    let publisher: UInt32
    let instance: UInt16
    let history: ChannelHistory
    /// Outcomes with what the context tells of messages that were still pending.
    private(set) var outcomes: [PublishOutcome]
    private let publishedFloor: [Int64]
    private let publishedCeiling: [Int64]
    private let settledCeiling: [Int64]
    private let submittedFloor: [Int64]
    private let submittedCeiling: [Int64]
    /// How many of the first `i` messages are of a kind.
    let handedOver: Tally
    let neverHandedOver: Tally
    /// Those with a reply, or a failure known for certain.
    let handedOverDecided: Tally
    let neverHandedOverDecided: Tally

    var count: Int { history.count }

    init(_ publisher: PublisherHistory, channel: UInt8, context: SettlementContext) {
        let history = publisher.history(of: channel) ?? ChannelHistory(channel: channel)
        let outcomes = PublisherColumns.outcomes(of: history, instance: publisher.instance, context: context)
        self.publisher = publisher.publisher
        self.instance = publisher.instance
        self.history = history
        self.outcomes = outcomes
        let published = history.published
        let settled = history.settled
        publishedFloor = PublisherColumns.floor(published) { published[$0] != 0 }
        publishedCeiling = PublisherColumns.ceiling(published) { published[$0] != 0 }
        settledCeiling = PublisherColumns.ceiling(settled) { published[$0] != 0 && settled[$0] != 0 }
        submittedFloor = PublisherColumns.floor(history.submitted) { _ in true }
        submittedCeiling = PublisherColumns.ceiling(history.submitted) { _ in true }
        let from = context.measuredFrom.nanoseconds
        handedOver = Tally(history, from) { published[$0] != 0 }
        neverHandedOver = Tally(history, from) { published[$0] == 0 }
        handedOverDecided = Tally(history, from) { published[$0] != 0 && settled[$0] != 0 }
        neverHandedOverDecided = Tally(history, from) { published[$0] == 0 && outcomes[$0] != .pending }
    }

    // MARK: - Single messages

    func isMeasured(_ index: Int) -> Bool { handedOver.isMeasured(index) || neverHandedOver.isMeasured(index) }
    func wasHandedOver(_ index: Int) -> Bool { history.published[index] != 0 }
    func isDecided(_ index: Int) -> Bool {
        wasHandedOver(index) ? history.settled[index] != 0 : outcomes[index] != .pending
    }
    /// When it was handed over, or else submitted.
    func begin(_ index: Int) -> Int64 { wasHandedOver(index) ? history.published[index] : history.submitted[index] }
    /// When its end was known, or else its begin.
    func end(_ index: Int) -> Int64 { max(begin(index), history.settled[index]) }

    // MARK: - Windows

    /// Messages handed over in `from` … `until`.
    func handedOver(from: Int64, until: Int64) -> Range<Int> {
        PublisherColumns.range(lowerBound(publishedFloor, from), upperBound(publishedCeiling, until))
    }

    /// Messages handed over from `from` on whose reply came up to `until`; only the decided among them are meant.
    func settled(from: Int64, until: Int64) -> Range<Int> {
        PublisherColumns.range(lowerBound(publishedFloor, from), upperBound(settledCeiling, until))
    }

    /// Messages submitted in `from` … `until`.
    func submitted(from: Int64, until: Int64) -> Range<Int> {
        PublisherColumns.range(lowerBound(submittedFloor, from), upperBound(submittedCeiling, until))
    }

    /// Messages whose reply came before `instant`; only the decided among them are meant.
    func settled(before instant: Int64) -> Range<Int> { 0..<lowerBound(settledCeiling, instant) }

    /// Messages handed over after `instant`; only those handed over are meant.
    func handedOver(after instant: Int64) -> Range<Int> { lowerBound(publishedFloor, instant &+ 1)..<count }

    private static func range(_ low: Int, _ high: Int) -> Range<Int> { low..<max(low, high) }
}

extension PublisherColumns {
    /// Counts of messages of one kind below each sequence number: all, and the measured ones.
    struct Tally {
        private var all: [Int32] = [0]
        private var measured: [Int32] = [0]

        init(_ history: ChannelHistory, _ measuredFrom: Int64, _ isOfKind: (Int) -> Bool) {
            all.reserveCapacity(history.count + 1)
            measured.reserveCapacity(history.count + 1)
            for index in 0..<history.count {
                let counts = isOfKind(index)
                all.append(all[index] + (counts ? 1 : 0))
                measured.append(measured[index] + (counts && history.intended[index] >= measuredFrom ? 1 : 0))
            }
        }

        func all(_ range: Range<Int>) -> Int64 { Int64(all[range.upperBound] - all[range.lowerBound]) }
        func measured(_ range: Range<Int>) -> Int64 { Int64(measured[range.upperBound] - measured[range.lowerBound]) }
        func isMeasured(_ index: Int) -> Bool { measured[index + 1] > measured[index] }

        /// The first message of the kind in `range`.
        func first(in range: Range<Int>) -> Int? {
            guard all(range) > 0 else { return nil }
            var low = range.lowerBound
            var high = range.upperBound
            while high - low > 1 {
                let middle = (low + high) / 2
                if all(low..<middle) > 0 { high = middle } else { low = middle }
            }
            return low
        }
    }

    /// What became of each message; one still pending on an instance that has lost its thread or went down never comes.
    private static func outcomes(
        of history: ChannelHistory, instance: UInt16, context: SettlementContext
    ) -> [PublishOutcome] {
        let threadDied = context.threadDeaths.contains { $0.instance == instance }
        return (0..<history.count).map { index in
            let outcome = history.outcome(of: index)
            guard outcome == .pending, history.published[index] == 0 else { return outcome }
            if threadDied { return .threadDead }
            let isDown = context.instanceDowntimes.contains {
                $0.overlaps(instance, history.submitted[index], .max)
            }
            return isDown ? .failed : .pending
        }
    }

    /// For each index the least of the counted values from there on.
    private static func floor(_ values: [Int64], counts: (Int) -> Bool) -> [Int64] {
        var result = [Int64](repeating: .max, count: values.count)
        var least = Int64.max
        for index in values.indices.reversed() {
            if counts(index) { least = min(least, values[index]) }
            result[index] = least
        }
        return result
    }

    /// For each index the greatest of the counted values up to there.
    private static func ceiling(_ values: [Int64], counts: (Int) -> Bool) -> [Int64] {
        var result = [Int64](repeating: .min, count: values.count)
        var greatest = Int64.min
        for index in values.indices {
            if counts(index) { greatest = max(greatest, values[index]) }
            result[index] = greatest
        }
        return result
    }

    /// The first index whose value is not below `bound`.
    private func lowerBound(_ values: [Int64], _ bound: Int64) -> Int {
        var low = 0
        var high = values.count
        while low < high {
            let middle = (low + high) / 2
            if values[middle] < bound { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The first index whose value is above `bound`.
    private func upperBound(_ values: [Int64], _ bound: Int64) -> Int {
        bound == .max ? values.count : lowerBound(values, bound + 1)
    }
}
