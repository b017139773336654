package import WSMCore

/// For each message, when its first and its last receiver got it.
///
/// One table an event loop; merged exactly at the end. It grows with the messages (20 bytes each), not with deliveries.
package struct SkewTable: Sendable {
    /// A sequence further than this beyond the table is not tracked: no real publisher skips so far, and a forged number
    /// must not take the memory.
    package static let longestSkip = 1 << 20
    fileprivate static let alignment = 1024

    private var publishers: [Column]
    /// Receipts that were not tracked, since their numbers lay out of reach.
    package private(set) var untracked: Int64 = 0

    fileprivate struct Column: Sendable {
        /// The sequence number of the first row.
        var base = 0
        var first: [Int64] = []
        var last: [Int64] = []
        var count: [UInt32] = []
    }

    package init(publisherCount: Int) {
        publishers = Array(repeating: Column(), count: publisherCount)
    }

    /// Notes that a client received message `sequence` of `publisher`; a publisher out of range is not tracked.
    package mutating func record(publisher: Int, sequence: Int, at: MonotonicInstant) {
        record(
            publisher, sequence, first: at.nanoseconds, last: at.nanoseconds, count: 1, reach: SkewTable.longestSkip)
    }

    /// Notes that `count` clients received message `sequence` of `publisher`, the first and the last of them at these
    /// instants, in nanoseconds.
    package mutating func record(publisher: Int, sequence: Int, first: Int64, last: Int64, count: Int) {
        record(
            publisher, sequence, first: first, last: last, count: UInt32(clamping: count), reach: SkewTable.longestSkip)
    }

    /// Merges `other`, the table of another event loop of the same run, into this one.
    package mutating func add(_ other: SkewTable) {
        untracked += other.untracked
        for (publisher, column) in other.publishers.enumerated() {
            for row in column.count.indices where column.count[row] > 0 {
                record(
                    publisher, column.base + row, first: column.first[row], last: column.last[row],
                    count: column.count[row], reach: .max)
            }
        }
    }

    /// The time from the first receiver to the last, one value for each message that at least two clients received.
    package func skew() -> LatencyHistogram {
        var histogram = LatencyHistogram()
        for column in publishers {
            for row in column.count.indices where column.count[row] >= 2 {
                histogram.record(TimeSpan(nanoseconds: column.last[row] - column.first[row]))
            }
        }
        return histogram
    }

    private mutating func record(
        _ publisher: Int, _ sequence: Int, first: Int64, last: Int64, count: UInt32, reach: Int
    ) {
        guard publishers.indices.contains(publisher), let row = publishers[publisher].row(of: sequence, reach: reach)
        else {
            untracked += Int64(count)
            return
        }
        let isNew = publishers[publisher].count[row] == 0
        if isNew || first < publishers[publisher].first[row] { publishers[publisher].first[row] = first }
        if isNew || last > publishers[publisher].last[row] { publishers[publisher].last[row] = last }
        publishers[publisher].count[row] &+= count
    }
}

extension SkewTable.Column {
    /// The row of `sequence`, made if need be; `nil` when it lies more than `reach` rows outside.
    mutating func row(of sequence: Int, reach: Int) -> Int? {
        if sequence >= base, sequence - base < count.count { return sequence - base }
        guard sequence >= 0 else { return nil }
        if count.isEmpty {
            base = sequence - sequence % SkewTable.alignment
        } else if sequence < base {
            let start = sequence - sequence % SkewTable.alignment
            guard base - start <= reach else { return nil }
            first.insert(contentsOf: repeatElement(0, count: base - start), at: 0)
            last.insert(contentsOf: repeatElement(0, count: base - start), at: 0)
            count.insert(contentsOf: repeatElement(0, count: base - start), at: 0)
            base = start
        }
        let missing = sequence - base - count.count + 1
        guard missing <= reach else { return nil }
        if missing > 0 {
            first.append(contentsOf: repeatElement(0, count: missing))
            last.append(contentsOf: repeatElement(0, count: missing))
            count.append(contentsOf: repeatElement(0, count: missing))
        }
        return sequence - base
    }
}
