package import WSMCore

/// A histogram log, format version 1.3, as HdrHistogram's own tools read it (github.com/HdrHistogram/HdrHistogram,
/// HistogramLogWriter.java): a line for each histogram, with its tag, its time, and its compressed counts.
package struct HistogramLog: Sendable {
    /// The log's text, in ASCII.
    package private(set) var bytes: [UInt8] = []
    private let start: Double

    /// - Parameter start: what the lines' times count from, in seconds since 1970 (UTC).
    package init(start: Double) {
        self.start = start
        line("#[Histogram log format version 1.3]")
        line("#[StartTime: \(Self.milliseconds(start)) (seconds since epoch)]")
        line(#""StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram""#)
    }

    /// Adds the histogram of the time `from` … `from` + `length` after the start; an empty one adds nothing.
    ///
    /// - Parameter tag: tells the histograms of a log apart; it may hold no comma and no white space.
    package mutating func add(_ histogram: LatencyHistogram, tag: String, from: TimeSpan, length: TimeSpan) {
        precondition(!tag.contains { $0 == "," || $0.isWhitespace }, "a histogram's tag must not hold \(tag)")
        guard histogram.count > 0 else { return }
        // The greatest value in milliseconds, which is the format's unit for nanoseconds.
        let greatest = Double(histogram.summary.max) / 1e6
        let payload = Base64.encode(HistogramEncoding.compressed(histogram))
        line(
            "Tag=\(tag),\(Self.milliseconds(from.seconds)),\(Self.milliseconds(length.seconds)),"
                + "\(Self.milliseconds(greatest)),\(payload)")
    }

    private mutating func line(_ text: String) {
        bytes += Array(text.utf8) + [UInt8(ascii: "\n")]
    }

    /// With exactly three decimals.
    private static func milliseconds(_ value: Double) -> String {
        let thousandths = Int64((value * 1000).rounded())
        let fraction = String(thousandths.magnitude % 1000)
        return "\(thousandths < 0 ? "-" : "")\(thousandths.magnitude / 1000)."
            + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}

/// HdrHistogram's V2 encoding (AbstractHistogram.java: `encodeIntoByteBuffer`, `encodeIntoCompressedByteBuffer`).
enum HistogramEncoding {
    private static let cookie: UInt32 = 0x1c84_9303 | 0x10
    private static let compressedCookie: UInt32 = 0x1c84_9304 | 0x10
    private static let digits: UInt32 = 3
    /// A bucket has 2048 values, the least power of two that tells 2 · 10³ apart.
    private static let bucketBits = 11

    /// The encoding in a zlib stream, with a cookie and its length before it.
    static func compressed(_ histogram: LatencyHistogram) -> [UInt8] {
        let stream = ZlibStored.stream(encoded(histogram))
        var bytes: [UInt8] = []
        bytes.append(big: compressedCookie)
        bytes.append(big: UInt32(stream.count))
        return bytes + stream
    }

    static func encoded(_ histogram: LatencyHistogram) -> [UInt8] {
        let payload = counts(histogram)
        var bytes: [UInt8] = []
        bytes.append(big: cookie)
        bytes.append(big: UInt32(payload.count))
        bytes.append(big: 0 as UInt32)
        bytes.append(big: digits)
        bytes.append(big: 1 as UInt64)
        bytes.append(big: UInt64(LatencyHistogram.longest.nanoseconds))
        bytes.append(big: (1.0).bitPattern)
        return bytes + payload
    }

    /// Each count as a number, and each run of zeros as one negative number.
    private static func counts(_ histogram: LatencyHistogram) -> [UInt8] {
        var payload: [UInt8] = []
        var next = 0
        histogram.forEachValue { nanoseconds, count in
            let index = index(of: UInt64(nanoseconds))
            if index > next { append(-Int64(index - next), to: &payload) }
            append(count, to: &payload)
            next = index + 1
        }
        return payload
    }

    /// Where a value is counted, in the order of the values.
    static func index(of value: UInt64) -> Int {
        let mask: UInt64 = 1 << bucketBits - 1
        let bucket = 64 - (value | mask).leadingZeroBitCount - bucketBits
        let half = 1 << (bucketBits - 1)
        return (bucket + 1) << (bucketBits - 1) + Int(value >> UInt64(bucket)) - half
    }

    /// ZigZag LEB128, in at most nine bytes: the ninth has eight bits (ZigZagEncoding.java).
    static func append(_ number: Int64, to bytes: inout [UInt8]) {
        var rest = UInt64(bitPattern: number << 1 ^ number >> 63)
        for _ in 0..<8 {
            guard rest >> 7 != 0 else { break }
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}

/// A zlib stream (RFC 1950) of stored blocks (RFC 1951, section 3.2.4): valid for every reader, and no library is needed.
///
/// It is not smaller than its content; a histogram has some ten kilobytes.
enum ZlibStored {
    static func stream(_ content: [UInt8]) -> [UInt8] {
        // Deflate with a window of 32 KiB; the two bytes are a multiple of 31 together.
        var bytes: [UInt8] = [0x78, 0x01]
        var rest = content[...]
        repeat {
            let block = rest.prefix(0xffff)
            rest = rest.dropFirst(block.count)
            bytes.append(rest.isEmpty ? 1 : 0)
            bytes.append(little: UInt16(block.count))
            bytes.append(little: ~UInt16(block.count))
            bytes += block
        } while !rest.isEmpty
        bytes.append(big: adler32(content))
        return bytes
    }

    /// RFC 1950, section 8.2.
    static func adler32(_ bytes: [UInt8]) -> UInt32 {
        var low: UInt32 = 1
        var high: UInt32 = 0
        for byte in bytes {
            low = (low + UInt32(byte)) % 65521
            high = (high + low) % 65521
        }
        return high << 16 | low
    }
}

/// RFC 4648, section 4.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let word = (0..<3).reduce(0) { $0 << 8 | ($1 < group.count ? Int(group[start + $1]) : 0) }
            for digit in 0..<4 {
                text.append(digit <= group.count ? alphabet[word >> (18 - 6 * digit) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension [UInt8] {
    fileprivate mutating func append<Number: FixedWidthInteger>(big number: Number) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }
}
