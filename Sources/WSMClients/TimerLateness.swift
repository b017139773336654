package import WSMCore

/// How late the fleet's timers came: whether the load generator itself kept up with its plan.
///
/// Buckets of a sixteenth of a power of two: a quantile is at most 6.25 % too high. Below 16 ns they are exact.
package struct TimerLateness: Sendable, Hashable, Codable {
    private var buckets: [UInt32]
    package private(set) var count = 0
    /// The latest of all, exact.
    package private(set) var max = TimeSpan.zero

    package init() {
        buckets = Array(repeating: 0, count: 61 * 16)
    }

    /// Counts one timer; one that came early counts as on time.
    package mutating func record(_ lateness: TimeSpan) {
        let value = UInt64(Swift.max(0, lateness.nanoseconds))
        buckets[TimerLateness.bucket(of: value)] &+= 1
        count += 1
        max = Swift.max(max, TimeSpan(nanoseconds: Int64(value)))
    }

    /// The lateness that a share `quantile` of the timers kept below, for instance 0.99; zero without any.
    package func value(at quantile: Double) -> TimeSpan {
        guard count > 0 else { return .zero }
        let rank = Swift.max(1, Swift.min(count, Int((quantile * Double(count)).rounded(.up))))
        var seen = 0
        for (index, bucket) in buckets.enumerated() {
            seen += Int(bucket)
            if seen >= rank { return Swift.min(max, TimeSpan(nanoseconds: TimerLateness.highest(in: index))) }
        }
        return max
    }

    package var p99: TimeSpan { value(at: 0.99) }

    package mutating func add(_ other: TimerLateness) {
        for index in buckets.indices { buckets[index] &+= other.buckets[index] }
        count += other.count
        max = Swift.max(max, other.max)
    }

    private static func bucket(of value: UInt64) -> Int {
        guard value >= 16 else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount
        return (exponent - 3) * 16 + Int(value >> UInt64(exponent - 4) & 15)
    }

    /// The highest value that falls into bucket `index`.
    private static func highest(in index: Int) -> Int64 {
        guard index >= 16 else { return Int64(index) }
        let exponent = UInt64(index / 16 + 3)
        let next = (UInt64(index % 16) + 17) << (exponent - 4)
        return Int64(clamping: next - 1)
    }
}
