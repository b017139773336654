import Testing
import WSMCore

@testable import WSMRecord

@Suite("The histogram log")
struct HistogramLogTests {
    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test("A histogram is encoded as HdrHistogram's Python port encodes it")
    func encoding() {
        var histogram = LatencyHistogram()
        let values: [(Int64, Int64)] = [
            (0, 2), (1, 1), (5, 3), (2047, 1), (2048, 1), (4097, 70), (1_000_000, 1), (3_599_999_999_999, 20_000),
        ]
        for (value, count) in values { histogram.record(.nanoseconds(value), count: count) }
        // hdrhistogram 0.10: HdrHistogram(1, 3600 · 10⁹, 3), the same values, what its encode() compresses.
        #expect(
            hex(HistogramEncoding.encoded(histogram))
                == "1c84931300000015000000000000000300000000000000010000034630b8a0003ff0000000000000"
                + "04020506f11f0202fd0f8c01bf7e02d3db02c0b802")
    }

    @Test("Numbers take one to nine bytes")
    func numbers() {
        func encoded(_ number: Int64) -> String {
            var bytes: [UInt8] = []
            HistogramEncoding.append(number, to: &bytes)
            return hex(bytes)
        }
        #expect(encoded(0) == "00")
        #expect(encoded(-1) == "01")
        #expect(encoded(1) == "02")
        #expect(encoded(63) == "7e")
        #expect(encoded(64) == "8001")
        #expect(encoded(Int64.max) == "feffffffffffffffff")
        #expect(encoded(Int64.min) == "ffffffffffffffffff")
    }

    @Test("A zlib stream of stored blocks has the lengths, their complements and the checksum of RFC 1950 and 1951")
    func zlib() {
        #expect(hex(ZlibStored.stream([])) == "7801010000ffff00000001")
        #expect(hex(ZlibStored.stream(Array("abc".utf8))) == "7801010300fcff616263024d0127")
        #expect(ZlibStored.adler32(Array("Wikipedia".utf8)) == 0x11e6_0398)
        let long = ZlibStored.stream([UInt8](repeating: 7, count: 70_000))
        #expect(hex(Array(long[2..<7])) == "00ffff0000")
        #expect(hex(Array(long[(7 + 65_535)..<(12 + 65_535)])) == "017111" + "8eee")
        #expect(long.count == 2 + 5 + 65_535 + 5 + 4465 + 4)
    }

    @Test("Base64 gives the vectors of RFC 4648")
    func base64() {
        let vectors = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "foobar": "Zm9vYmFy"]
        for (text, encoded) in vectors { #expect(Base64.encode(Array(text.utf8)) == encoded) }
    }

    @Test("A log has the version, the start, and a tagged line for each histogram that is not empty")
    func log() {
        var histogram = LatencyHistogram()
        histogram.record(.milliseconds(12))
        var log = HistogramLog(start: 1_441_812_279.4742)
        log.add(histogram, tag: "response", from: .milliseconds(127), length: .milliseconds(1007))
        log.add(LatencyHistogram(), tag: "service", from: .zero, length: .seconds(1))
        let lines = String(decoding: log.bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[0] == "#[Histogram log format version 1.3]")
        #expect(lines[1] == "#[StartTime: 1441812279.474 (seconds since epoch)]")
        #expect(lines[3].hasPrefix("Tag=response,0.127,1.007,12.000,HISTFAAA"))
    }
}
