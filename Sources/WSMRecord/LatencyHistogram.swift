import Histogram
package import WSMCore

/// A histogram of lengths of time from 1 ns to 1 h with three significant digits.
///
/// Every histogram has this one range, so that any two may be merged. Recording does not allocate. A value of one thread or
/// event loop at a time; merge at the end with ``add(_:)``.
package struct LatencyHistogram: Sendable {
    /// The longest span that it can tell; anything longer counts as this long.
    package static let longest = TimeSpan(nanoseconds: 3_600_000_000_000)

    /// Spans below zero: they are in the histogram as 0, and said here so that nobody takes them for fast deliveries.
    package private(set) var negativeCount: Int64 = 0
    /// Spans above ``longest``.
    package private(set) var overflowCount: Int64 = 0
    private var histogram = Histogram<UInt64>(
        lowestDiscernibleValue: 1, highestTrackableValue: UInt64(LatencyHistogram.longest.nanoseconds),
        numberOfSignificantValueDigits: .three)
    // The buckets round to 1 in 1,000; these three are exact. The sum has two words: 2^64 ns are only 585 years.
    private var least = Int64.max
    private var most: Int64 = 0
    private var sumLow: UInt64 = 0
    private var sumHigh: UInt64 = 0

    package init() {}

    /// How many spans were recorded, those out of range too.
    package var count: Int64 { Int64(clamping: histogram.totalCount) }

    /// Records one span.
    package mutating func record(_ span: TimeSpan) {
        record(span, count: 1)
    }

    /// Records `count` equal spans; a count below 1 records nothing.
    package mutating func record(_ span: TimeSpan, count: Int64) {
        guard count > 0 else { return }
        var nanoseconds = span.nanoseconds
        if nanoseconds < 0 {
            negativeCount += count
            nanoseconds = 0
        } else if nanoseconds > LatencyHistogram.longest.nanoseconds {
            overflowCount += count
            nanoseconds = LatencyHistogram.longest.nanoseconds
        }
        histogram.record(UInt64(nanoseconds), count: UInt64(count))
        if nanoseconds < least { least = nanoseconds }
        if nanoseconds > most { most = nanoseconds }
        let product = UInt64(nanoseconds).multipliedFullWidth(by: UInt64(count))
        addToSum(high: product.high, low: product.low)
    }

    /// Records each of these spans once: the same as ``record(_:)`` for each, in less time.
    ///
    /// No more than a million at a time, so that 64 bits hold their sum.
    package mutating func record(nanoseconds spans: UnsafeBufferPointer<Int64>) {
        precondition(spans.count <= 1_000_000, "the sum of so many spans may need more than 64 bits")
        var sum: UInt64 = 0
        var shortest = least
        var greatest = most
        for nanoseconds in spans {
            guard nanoseconds >= 0, nanoseconds <= LatencyHistogram.longest.nanoseconds else {
                record(TimeSpan(nanoseconds: nanoseconds))
                continue
            }
            histogram.record(UInt64(nanoseconds))
            sum &+= UInt64(nanoseconds)
            shortest = min(shortest, nanoseconds)
            greatest = max(greatest, nanoseconds)
        }
        least = min(least, shortest)
        most = max(most, greatest)
        addToSum(high: 0, low: sum)
    }

    /// Merges `other` into this one: the same as recording all of its spans here.
    package mutating func add(_ other: LatencyHistogram) {
        guard other.count > 0 else { return }
        histogram.add(other.histogram)
        negativeCount += other.negativeCount
        overflowCount += other.overflowCount
        least = min(least, other.least)
        most = max(most, other.most)
        addToSum(high: other.sumHigh, low: other.sumLow)
    }

    /// The span that `percent` of all spans do not exceed, 0…100; zero when nothing was recorded.
    package func percentile(_ percent: Double) -> TimeSpan {
        guard count > 0 else { return .zero }
        let value = Int64(clamping: histogram.valueAtPercentile(min(100, max(0, percent))))
        return TimeSpan(nanoseconds: min(most, max(least, value)))
    }

    /// The mean of all spans; `nil` when nothing was recorded.
    ///
    /// A few operations, unlike ``summary``.
    package var mean: TimeSpan? {
        guard count > 0 else { return nil }
        // The sum is below count × 1 h, so the quotient fits.
        return TimeSpan(
            nanoseconds: Int64(clamping: histogram.totalCount.dividingFullWidth((sumHigh, sumLow)).quotient))
    }

    /// The usual figures.
    package var summary: LatencySummary {
        guard let mean else { return LatencySummary() }
        return LatencySummary(
            count: count, min: least, mean: mean.nanoseconds, p50: percentile(50).nanoseconds,
            p90: percentile(90).nanoseconds, p99: percentile(99).nanoseconds, p999: percentile(99.9).nanoseconds,
            max: most)
    }

    /// The recorded values with their counts, in ascending order, for writing the histogram to a file.
    package func forEachValue(_ body: (_ nanoseconds: Int64, _ count: Int64) throws -> Void) rethrows {
        for value in histogram.recordedValues() {
            try body(Int64(clamping: value.value), Int64(clamping: value.count))
        }
    }

    private mutating func addToSum(high: UInt64, low: UInt64) {
        let (sum, carry) = sumLow.addingReportingOverflow(low)
        sumLow = sum
        sumHigh &+= high &+ (carry ? 1 : 0)
    }
}
