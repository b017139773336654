import Testing
import WSMCore

@testable import WSMRecord

@Suite("A latency histogram")
struct LatencyHistogramTests {
    @Test("An empty one has a summary of zeros")
    func empty() {
        #expect(LatencyHistogram().summary == LatencySummary())
        #expect(LatencyHistogram().percentile(99) == .zero)
    }

    @Test("Least, mean and greatest are exact; percentiles are within three digits")
    func figures() {
        var histogram = LatencyHistogram()
        for value in 1...1000 { histogram.record(.microseconds(Int64(value))) }
        let summary = histogram.summary
        #expect(summary.count == 1000)
        #expect(summary.min == 1000)
        #expect(summary.max == 1_000_000)
        #expect(summary.mean == 500_500)
        #expect(abs(summary.p50 - 500_000) <= 1000)
        #expect(abs(summary.p90 - 900_000) <= 1800)
        #expect(abs(summary.p99 - 990_000) <= 1980)
        #expect(abs(summary.p999 - 999_000) <= 1998)
    }

    @Test("A negative span counts as zero and is reported")
    func negative() {
        var histogram = LatencyHistogram()
        histogram.record(.nanoseconds(-5))
        histogram.record(.nanoseconds(10))
        #expect(histogram.negativeCount == 1)
        #expect(histogram.summary.count == 2)
        #expect(histogram.summary.min == 0)
        #expect(histogram.summary.max == 10)
    }

    @Test("A span beyond an hour counts as an hour and is reported")
    func overflow() {
        var histogram = LatencyHistogram()
        histogram.record(TimeSpan(nanoseconds: .max))
        histogram.record(LatencyHistogram.longest)
        #expect(histogram.overflowCount == 1)
        #expect(histogram.summary.count == 2)
        #expect(histogram.summary.max == LatencyHistogram.longest.nanoseconds)
        #expect(histogram.summary.p50 <= LatencyHistogram.longest.nanoseconds)
    }

    @Test("The mean of many long spans does not overflow")
    func longMean() {
        var histogram = LatencyHistogram()
        histogram.record(LatencyHistogram.longest, count: 1 << 40)
        #expect(histogram.summary.mean == LatencyHistogram.longest.nanoseconds)
        #expect(histogram.summary.count == 1 << 40)
    }

    @Test("Merging parts equals recording all in one", arguments: UInt64(1)...5)
    func merging(seed: UInt64) {
        var random = CounterRNG(seed: seed, stream: .payload, entity: 0)
        var whole = LatencyHistogram()
        var parts = [LatencyHistogram(), LatencyHistogram(), LatencyHistogram()]
        for _ in 0..<5000 {
            let span = TimeSpan(nanoseconds: Int64(bitPattern: random.next() >> UInt64(10 + random.below(50))) - 100)
            whole.record(span)
            parts[random.below(2)].record(span)
        }
        var merged = LatencyHistogram()
        for part in parts { merged.add(part) }
        #expect(merged.summary == whole.summary)
        #expect(merged.negativeCount == whole.negativeCount)
        #expect(merged.overflowCount == whole.overflowCount)
        var values: [Int64] = []
        merged.forEachValue { value, count in values.append(contentsOf: repeatElement(value, count: Int(count))) }
        #expect(values.count == 5000)
        #expect(values == values.sorted())
    }
}
