/// What is wrong with a trace, and where: everything before that place has been read.
package struct TraceError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, Codable, CaseIterable {
        /// The file cannot be opened or read.
        case unreadable
        case empty
        /// The file does not begin as a trace does.
        case notATrace = "not-a-trace"
        /// A version that this program does not know.
        case unknownVersion = "unknown-version"
        /// The file ends within a chunk, or before the end of the trace.
        case cut
        /// Bytes are not as they were written.
        case damaged
        /// A chunk is missing, or stands in another place.
        case outOfOrder = "out-of-order"
        /// A record that no writer writes.
        case impossibleRecord = "impossible-record"
        /// There is more behind the end of the trace.
        case trailingBytes = "trailing-bytes"
    }

    package let code: Code
    /// The first byte in the file of the chunk that is wrong.
    package let offset: Int64
    /// The number of that chunk in the file, from 0.
    package let chunk: Int
    /// What is wrong with it.
    package let what: String

    package init(_ code: Code, offset: Int64, chunk: Int, _ what: String) {
        self.code = code
        self.offset = offset
        self.chunk = chunk
        self.what = what
    }

    package var description: String { "chunk \(chunk), from byte \(offset) on: \(what)" }
}
