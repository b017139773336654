package import WSMCore

/// The receipts of one event loop over time: how many, and how late, in buckets of equal length from the start of the
/// measured window on.
///
/// It has room for ``bucketLimit`` buckets, a few kilobytes each; what comes later is in the last. A bucket's memory is taken
/// when its time comes. Values are told apart to 1 in 16, which is enough to see what a fault does to a percentile.
package struct Timeline: Sendable {
    package static let bucketLimit = 600

    /// From when on it counts, and how.
    package struct Plan: Hashable, Sendable, Codable {
        package var from: MonotonicInstant
        package var width: TimeSpan
        /// Whether each instance has buckets of its own: with faults, that bystanders can be told from those hit.
        package var groups: Int

        package init(from: MonotonicInstant, width: TimeSpan, groups: Int = 1) {
            self.from = from
            self.width = width
            self.groups = max(1, groups)
        }

        /// The buckets of a window: a tenth of a second each in a run of up to a minute, else a second, ten seconds and so on.
        package static func width(for duration: TimeSpan) -> TimeSpan {
            var width = TimeSpan.milliseconds(100)
            while duration.nanoseconds / width.nanoseconds >= Int64(bucketLimit) {
                width = TimeSpan(nanoseconds: width.nanoseconds * 10)
            }
            return width
        }
    }

    private static let stride = LatencyBuckets.count + 1

    package let plan: Plan
    private var groups: ContiguousArray<Group>

    private struct Group: Sendable {
        /// ``Timeline/stride`` numbers for each bucket of time: the latencies, and receipts whose latency does not count.
        var counts: ContiguousArray<UInt32> = []
        /// The end of the last bucket.
        var end: Int64
    }

    package init(_ plan: Plan) {
        self.plan = plan
        groups = ContiguousArray(repeating: Group(end: plan.from.nanoseconds), count: plan.groups)
    }

    /// A receipt of a measured message; `latency` is `nil` for a client that reads slowly on purpose.
    @inline(__always)
    mutating func record(_ latency: TimeSpan?, at instant: MonotonicInstant, instance: Int) {
        let group = instance < groups.count ? instance : groups.count - 1
        if instant.nanoseconds >= groups[group].end { extend(group, to: instant.nanoseconds) }
        let base = groups[group].counts.count - Timeline.stride
        guard base >= 0 else { return }
        let place = latency.map { LatencyBuckets.index(of: $0.nanoseconds) } ?? LatencyBuckets.count
        groups[group].counts[base + place] &+= 1
    }

    /// Receipts of a measured message that was intended at `intended`, by clients of one instance that read at full speed.
    mutating func record(
        _ receipts: UnsafeBufferPointer<StampedReceipt>, since intended: MonotonicInstant, instance: Int
    ) {
        for receipt in receipts { record(receipt.at - intended, at: receipt.at, instance: instance) }
    }

    @inline(never)
    private mutating func extend(_ group: Int, to instant: Int64) {
        let wanted = Int((instant - plan.from.nanoseconds) / plan.width.nanoseconds) + 1
        let count = min(wanted, Timeline.bucketLimit)
        let missing = count * Timeline.stride - groups[group].counts.count
        if missing > 0 { groups[group].counts.append(contentsOf: repeatElement(0, count: missing)) }
        groups[group].end =
            count == Timeline.bucketLimit ? .max : plan.from.nanoseconds + Int64(count) * plan.width.nanoseconds
    }

    /// How many buckets of time there are.
    package var count: Int { groups.map { $0.counts.count / Timeline.stride }.max() ?? 0 }

    /// The receipts in one bucket, those of clients that read slowly on purpose too.
    package func received(in bucket: Int) -> Int64 {
        groups.reduce(0) { sum, group in
            let base = bucket * Timeline.stride
            guard base + Timeline.stride <= group.counts.count else { return sum }
            return group.counts[base..<(base + Timeline.stride)].reduce(sum) { $0 + Int64($1) }
        }
    }

    /// The latencies of the receipts in the last moments before `now`: in the bucket of time that is under way and those of
    /// the second before it, one at least.
    package func latestLatencies(now: MonotonicInstant) -> LatencyBuckets {
        guard now >= plan.from else { return LatencyBuckets() }
        let current = Int((now - plan.from).nanoseconds / plan.width.nanoseconds)
        let before = max(1, Int(1_000_000_000 / plan.width.nanoseconds))
        return latencies(in: max(0, current - before)..<current + 1)
    }

    /// The latencies of the receipts in these buckets, of all instances or of those that `includes` names.
    package func latencies(in buckets: Range<Int>, includes: (Int) -> Bool = { _ in true }) -> LatencyBuckets {
        var sum = LatencyBuckets()
        for (index, group) in groups.enumerated() where includes(index) {
            let known = group.counts.count / Timeline.stride
            for bucket in buckets.clamped(to: 0..<known) {
                let base = bucket * Timeline.stride
                sum.add(group.counts[base..<(base + LatencyBuckets.count)])
            }
        }
        return sum
    }
}

/// Counts of latencies in steps of a sixteenth: from 1 µs steps below 16 µs on.
package struct LatencyBuckets: Sendable {
    static let count = 544

    private var counts = [Int64](repeating: 0, count: LatencyBuckets.count)
    package private(set) var total: Int64 = 0

    package init() {}

    /// The step of a latency in nanoseconds: of the numbers from 2ⁿ to 2ⁿ⁺¹ each sixteenth.
    @inline(__always)
    static func index(of nanoseconds: Int64) -> Int {
        let microseconds = UInt64(clamping: nanoseconds) >> 10
        guard microseconds >= 16 else { return Int(microseconds) }
        let exponent = 63 - microseconds.leadingZeroBitCount
        let index = (exponent - 3) * 16 + Int(microseconds >> UInt64(exponent - 4) & 15)
        return min(index, count - 1)
    }

    /// The least latency of a step.
    static func floor(of index: Int) -> Int64 {
        guard index >= 16 else { return Int64(index) << 10 }
        let exponent = index / 16 + 3
        return Int64(16 + index % 16) << Int64(exponent - 4 + 10)
    }

    mutating func add(_ part: ArraySlice<UInt32>) { add(counts: part.lazy.map { Int64($0) }) }

    private mutating func add(counts other: some Sequence<Int64>) {
        for (index, count) in other.enumerated() {
            counts[index] += count
            total += count
        }
    }

    package mutating func add(_ other: LatencyBuckets) { add(counts: other.counts) }

    /// The counts in steps of a quarter of each doubling, from 0 on: the least latency of a step in nanoseconds, and how many
    /// there are; empty steps are left out.
    package var quarters: [(from: Int64, count: Int64)] {
        stride(from: 0, to: counts.count, by: 4).compactMap { start in
            let count = counts[start..<(start + 4)].reduce(0, +)
            return count > 0 ? (LatencyBuckets.floor(of: start), count) : nil
        }
    }

    /// The least latency of the step in which the share of all lies; `nil` without any.
    package func percentile(_ percent: Double) -> TimeSpan? {
        guard total > 0 else { return nil }
        let wanted = max(1, Int64((Double(total) * percent / 100).rounded(.up)))
        var sum: Int64 = 0
        for (index, count) in counts.enumerated() {
            sum += count
            if sum >= wanted { return TimeSpan(nanoseconds: LatencyBuckets.floor(of: index)) }
        }
        return nil
    }
}
