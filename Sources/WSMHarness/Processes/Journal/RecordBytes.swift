internal import WSMCore

/// Puts numbers one behind the other into memory that has room for them.
struct RecordWriter {
    private let memory: UnsafeMutableRawPointer
    private let limit: Int
    private(set) var length = 0

    /// - Parameters:
    ///   - memory: At least `limit` bytes.
    ///   - limit: More bytes than this are a fault of the caller.
    init(_ memory: UnsafeMutableRawPointer, limit: Int) {
        self.memory = memory
        self.limit = limit
    }

    mutating func put(_ value: some FixedWidthInteger) {
        let size = value.bitWidth / 8
        precondition(length + size <= limit, "a record has no room for all of its fields")
        var bytes = value.littleEndian
        memory.advanced(by: length).copyMemory(from: &bytes, byteCount: size)
        length += size
    }

    mutating func put(_ instant: MonotonicInstant) { put(instant.nanoseconds) }
    mutating func put<Word: RawRepresentable>(_ word: Word) where Word.RawValue == UInt8 { put(word.rawValue) }
}

/// Takes numbers out of bytes that may be anything.
struct RecordReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func take<Value: FixedWidthInteger>(_: Value.Type) throws(JournalError) -> Value {
        let size = Value.bitWidth / 8
        guard position + size <= bytes.count else { throw JournalError.damaged }
        defer { position += size }
        return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Value.self))
    }

    /// `nil` for the largest value.
    mutating func takeOptional<Value: FixedWidthInteger>(_: Value.Type) throws(JournalError) -> Value? {
        let value = try take(Value.self)
        return value == .max ? nil : value
    }

    mutating func takeInstant() throws(JournalError) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: try take(Int64.self))
    }

    /// Whether nothing is left.
    var isAtEnd: Bool { position == bytes.count }
}

/// Why a journal cannot be written or read.
struct JournalError: Error, Hashable, CustomStringConvertible {
    enum Code: Hashable {
        /// The file cannot be made, grown or read; the disk may be full.
        case file
        /// Its bytes are no journal.
        case damaged
    }

    var code: Code
    var message: String

    static let damaged = JournalError(code: .damaged, message: "an instance's journal holds what no instance writes")

    var description: String { message }
}
