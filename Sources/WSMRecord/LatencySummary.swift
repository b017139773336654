/// The figures of a latency histogram, in whole nanoseconds; all zero when nothing was recorded.
package struct LatencySummary: Codable, Sendable, Hashable {
    package var count: Int64
    package var min: Int64
    package var mean: Int64
    package var p50: Int64
    package var p90: Int64
    package var p99: Int64
    package var p999: Int64
    package var max: Int64

    package init(
        count: Int64 = 0, min: Int64 = 0, mean: Int64 = 0, p50: Int64 = 0, p90: Int64 = 0, p99: Int64 = 0,
        p999: Int64 = 0, max: Int64 = 0
    ) {
        self.count = count
        self.min = min
        self.mean = mean
        self.p50 = p50
        self.p90 = p90
        self.p99 = p99
        self.p999 = p999
        self.max = max
    }
}
