import Testing
import WSMCore

@testable import WSMRecord

@Suite("Reading a histogram log back")
struct HistogramLogReaderTests {
    private func log() -> (HistogramLog, LatencyHistogram) {
        var histogram = LatencyHistogram()
        for value: Int64 in [0, 1, 5, 2047, 2048, 4097, 1_000_000, 3_599_999_999_999] {
            histogram.record(.nanoseconds(value), count: value % 7 + 1)
        }
        var log = HistogramLog(start: 1)
        log.add(histogram, tag: "response", from: .zero, length: .seconds(1))
        return (log, histogram)
    }

    @Test("What was written comes back, to 1 in 1,000")
    func roundTrip() throws {
        let (log, histogram) = log()
        let read = try #require(try HistogramLog.read(log.bytes)["response"])
        #expect(read.count == histogram.count)
        for percent in stride(from: 0.0, through: 100, by: 2.5) {
            let (wanted, found) = (histogram.percentile(percent).nanoseconds, read.percentile(percent).nanoseconds)
            #expect(abs(wanted - found) * 1000 <= wanted, "p\(percent)")
        }
    }

    @Test("A log cut anywhere, or with a byte changed, is refused or read, and never ends the program")
    func damaged() {
        let bytes = log().0.bytes
        for place in bytes.indices {
            _ = try? HistogramLog.read(bytes[..<place])
            var changed = bytes
            changed[place] ^= 0x15
            _ = try? HistogramLog.read(changed)
        }
        #expect(throws: HistogramLogError.self) { try HistogramLog.read(Array("Tag=a,1,2,3,====\n".utf8)) }
        #expect(throws: HistogramLogError.self) { try HistogramLog.read(Array("Tag=a,1\n".utf8)) }
    }
}
