internal import Foundation
internal import WSMCore

/// Reads the journal of an instance's process, while it is written or after its process has ended.
///
/// Blocks for as long as the reading takes.
final class JournalReader {
    private let descriptor: Int32
    private let path: String
    /// Up to where it has been read.
    private var position = JournalWriter.headerLength
    private var block: [UInt8] = []

    /// Makes the file, empty, for a ``JournalWriter`` of another process to open by its path.
    init(making path: String) throws(JournalError) {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw JournalError(code: .file, message: "cannot make \(path): \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// Takes the file's name away, once its writer has opened it: then it is gone when both are.
    func unlink() { _ = Foundation.unlink(path) }

    /// Events that the writer could not write.
    var lost: Int64 { headerWord(8) }

    /// Calls `body` with each whole event that has not been read yet, until it returns false.
    ///
    /// - Returns: Whether all that is there has been read.
    /// - Throws: ``JournalError``, or what `body` throws.
    @discardableResult
    func readNew(_ body: (ProbeEvent) throws -> Bool) throws -> Bool {
        let end = Int(headerWord(0))
        while position < end {
            let window = (position - JournalWriter.headerLength) / JournalWriter.windowLength
            let windowEnd = JournalWriter.headerLength + (window + 1) * JournalWriter.windowLength
            try read(upTo: min(end, windowEnd, position + Self.blockLength))
            switch try tell(body) {
            case .read(let length): position += length
            case .windowIsOver: position = windowEnd
            case .stopped(let length):
                position += length
                return false
            }
        }
        return true
    }

    /// What the publishers have submitted, from the journal's beginning; the position stays.
    func submittedCounts(_ numbers: PublisherNumbers, instance: Int) throws -> [SubmittedCount] {
        let reached = position
        defer { position = reached }
        position = JournalWriter.headerLength
        var counts: [SubmittedCount] = []
        func note(_ publisher: Int, _ channel: UInt8, _ sequence: UInt64) {
            let known = counts.firstIndex { $0.publisher == UInt32(publisher) && $0.channel == channel }
            if let known {
                counts[known].count = sequence + 1
            } else {
                counts.append(.init(publisher: UInt32(publisher), channel: channel, count: sequence + 1))
            }
        }
        try readNew { event in
            switch event {
            case .submitted(let submission, let sequence):
                note(numbers.number(of: submission.source, instance: instance), submission.channel, sequence)
            case .fenceSubmitted(_, let sequence):
                note(numbers.fence(of: instance), numbers.channels[.events] ?? 0, sequence)
            default: break
            }
            return true
        }
        return counts
    }

    private enum Told {
        case read(Int)
        case windowIsOver
        case stopped(Int)
    }

    private static let blockLength = 64 << 10

    /// Tells the whole events of the block.
    private func tell(_ body: (ProbeEvent) throws -> Bool) throws -> Told {
        try block.withUnsafeBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                let length = Int(bytes[offset])
                guard length > 0 else { return .windowIsOver }
                guard offset + 1 + length <= bytes.count else {
                    // The block ends inside a record; one that is longer than any block is none.
                    guard offset > 0 else { throw JournalError.damaged }
                    break
                }
                var reader = RecordReader(UnsafeRawBufferPointer(rebasing: bytes[(offset + 1)..<(offset + 1 + length)]))
                let event = try ProbeRecord.read(&reader)
                guard reader.isAtEnd else { throw JournalError.damaged }
                offset += 1 + length
                if try !body(event) { return .stopped(offset) }
            }
            return .read(offset)
        }
    }

    private func read(upTo end: Int) throws(JournalError) {
        let length = end - position
        block = [UInt8](unsafeUninitializedCapacity: length) { room, count in
            while count < length {
                let got = pread(
                    descriptor, room.baseAddress?.advanced(by: count), length - count, off_t(position + count))
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { return }
                count += got
            }
        }
        guard block.count == length else {
            throw JournalError(code: .file, message: "an instance's journal is shorter than it says")
        }
    }

    private func headerWord(_ offset: Int) -> Int64 {
        var word: Int64 = 0
        let count = pread(descriptor, &word, 8, off_t(offset))
        return count == 8 ? max(0, word) : 0
    }
}
