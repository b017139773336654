#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A stored trace.
package enum TraceFile {
    /// Reads the trace at `path` from its first chunk to its end, one chunk at a time.
    ///
    /// Memory does not grow with the file. Blocks.
    ///
    /// - Returns: How many events the lanes dropped while it was written.
    /// - Throws: ``TraceError`` where it is not as it was written, with all chunks before that told; and what `body` throws.
    @discardableResult
    package static func read(
        _ path: String, _ body: (TraceChunk) throws(TraceError) -> Void
    ) throws(TraceError) -> UInt64 {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(errno) }
        defer { close(descriptor) }
        var decoder = TraceDecoder()
        var block = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = block.withUnsafeMutableBytes { readSome(descriptor, into: $0) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(errno) }
            guard count > 0 else { break }
            block.withUnsafeBytes { decoder.feed(UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
            while let chunk = try decoder.next() { try body(chunk) }
        }
        try decoder.finish()
        return decoder.dropped
    }

    private static func unreadable(_ error: Int32) -> TraceError {
        TraceError(.unreadable, offset: 0, chunk: 0, "the file cannot be read: \(String(cString: strerror(error)))")
    }
}

/// The system's `read`, whose name the function above has taken.
private func readSome(_ descriptor: Int32, into room: UnsafeMutableRawBufferPointer) -> Int {
    read(descriptor, room.baseAddress, room.count)
}
