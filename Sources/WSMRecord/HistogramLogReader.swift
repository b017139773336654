import WSMCore

/// Why a histogram log could not be read, and in which line.
package struct HistogramLogError: Error, Hashable, Sendable, CustomStringConvertible {
    package let line: Int
    package let what: String

    package var description: String { "line \(line) \(what)" }
}

extension HistogramLog {
    /// More than this a run's own log never has; a longer one is not read.
    package static let sizeLimit = 64 << 20

    /// Reads back what ``add(_:tag:from:length:)`` wrote: the histogram of each tag.
    ///
    /// Values come back as the greatest of their step, so that they differ from the recorded ones by at most 1 in 1,000. Logs
    /// of other programs can be read as far as their zlib streams are stored and not deflated.
    package static func read(_ bytes: some Collection<UInt8>) throws(HistogramLogError) -> [String: LatencyHistogram] {
        guard bytes.count <= sizeLimit else {
            throw HistogramLogError(line: 0, what: "is behind more than \(sizeLimit) bytes, which no run writes")
        }
        var histograms: [String: LatencyHistogram] = [:]
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n")).enumerated() {
            guard line.starts(with: "Tag=".utf8) else { continue }
            let fields = line.dropFirst(4).split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            guard fields.count == 5 else { throw HistogramLogError(line: index + 1, what: "has not five fields") }
            guard let histogram = HistogramDecoding.histogram(fields[4]) else {
                throw HistogramLogError(line: index + 1, what: "holds no histogram that can be read")
            }
            histograms[String(decoding: fields[0], as: UTF8.self), default: LatencyHistogram()].add(histogram)
        }
        return histograms
    }
}

/// The inverse of ``HistogramEncoding``; `nil` stands for whatever is not what that writes.
enum HistogramDecoding {
    static func histogram(_ base64: some Collection<UInt8>) -> LatencyHistogram? {
        guard let bytes = Base64.decode(base64), bytes.count > 8, bytes.bigEndian(at: 0) == 0x1c84_9314,
            let encoded = ZlibStored.content(Array(bytes.dropFirst(8))), encoded.count >= 40,
            encoded.bigEndian(at: 0) == 0x1c84_9313
        else { return nil }
        return histogram(ofCounts: encoded[40...])
    }

    private static func histogram(ofCounts payload: ArraySlice<UInt8>) -> LatencyHistogram? {
        var histogram = LatencyHistogram()
        var rest = payload
        var index: Int64 = 0
        let end = Int64(HistogramEncoding.index(of: UInt64(LatencyHistogram.longest.nanoseconds)))
        while !rest.isEmpty {
            guard let number = number(from: &rest) else { return nil }
            guard number < 0 else {
                guard index <= end, number < 1 << 40 else { return nil }
                let span = TimeSpan(nanoseconds: min(greatest(at: index), LatencyHistogram.longest.nanoseconds))
                histogram.record(span, count: number)
                index += 1
                continue
            }
            guard number >= -end - 1 else { return nil }
            index -= number
        }
        return histogram
    }

    /// The greatest value that is counted at an index.
    static func greatest(at index: Int64) -> Int64 {
        guard index >= 2048 else { return index }
        let shift = index >> 10 - 1
        return ((index & 1023 + 1024 + 1) << shift) - 1
    }

    /// ZigZag LEB128, as ``HistogramEncoding/append(_:to:)`` writes it.
    private static func number(from bytes: inout ArraySlice<UInt8>) -> Int64? {
        var word: UInt64 = 0
        for place in 0..<9 {
            guard let byte = bytes.popFirst() else { return nil }
            guard place < 8, byte & 0x80 != 0 else {
                word |= UInt64(byte) << UInt64(7 * place)
                return Int64(bitPattern: word >> 1) ^ -Int64(bitPattern: word & 1)
            }
            word |= UInt64(byte & 0x7f) << UInt64(7 * place)
        }
        return nil
    }
}

extension ZlibStored {
    /// What ``stream(_:)`` wrapped; `nil` when the blocks are not stored ones or the checksum does not fit.
    static func content(_ stream: [UInt8]) -> [UInt8]? {
        guard stream.count >= 11, stream[0] == 0x78 else { return nil }
        var content: [UInt8] = []
        var rest = stream[2...]
        var isLast = false
        while !isLast {
            guard rest.count >= 5, let head = rest.first, head <= 1 else { return nil }
            isLast = head == 1
            let start = rest.startIndex
            let length = Int(rest[start + 1]) | Int(rest[start + 2]) << 8
            guard rest.count >= 5 + length else { return nil }
            content += rest[(start + 5)..<(start + 5 + length)]
            rest = rest[(start + 5 + length)...]
        }
        guard rest.count == 4, Array(rest).bigEndian(at: 0) == adler32(content) else { return nil }
        return content
    }
}

extension Base64 {
    /// The bytes that the text stands for; `nil` when it is not Base64.
    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var (word, bits, padding) = (0, 0, 0)
        for character in text {
            if character == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            guard padding == 0, let digit = digit(character) else { return nil }
            word = (word << 6 | digit) & 0xffff
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: word >> bits))
            }
        }
        return padding <= 2 && text.count % 4 == 0 ? bytes : nil
    }

    private static func digit(_ character: UInt8) -> Int? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(character) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(character) - 97 + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(character) - 48 + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

extension [UInt8] {
    /// The four bytes from `index` on, which must be there.
    fileprivate func bigEndian(at index: Int) -> UInt32 {
        self[index..<(index + 4)].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
