package import WSMCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Why a trace could not be written.
package struct TraceWriteError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Sendable {
        case cannotOpen
        /// There is no room left on the device, or the user's share is used up.
        case diskFull
        case cannotWrite
    }

    /// The rest was not written in time.
    package static func timedOut(after span: TimeSpan) -> TraceWriteError {
        TraceWriteError(
            code: .cannotWrite, message: "the rest of the trace was not written within \(Int(span.seconds)) s")
    }

    package let code: Code
    package let message: String

    package var description: String { message }

    static func opening(_ path: String, _ error: Int32) -> TraceWriteError {
        TraceWriteError(code: .cannotOpen, message: "cannot make \(path): \(String(cString: strerror(error)))")
    }

    static func writing(_ path: String, _ error: Int32) -> TraceWriteError {
        let isFull = error == ENOSPC || error == EDQUOT || error == EFBIG
        return TraceWriteError(
            code: isFull ? .diskFull : .cannotWrite,
            message: "cannot write \(path): \(String(cString: strerror(error)))")
    }
}

/// The file of a trace: whole chunks only.
final class TraceOutput {
    private let path: String
    private let descriptor: Int32
    private(set) var length: Int64 = 0

    init(path: String) throws(TraceWriteError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .opening(path, errno) }
    }

    deinit {
        close(descriptor)
    }

    /// Gives everything from `length` on back to the disk.
    func cut(to length: Int64) {
        guard ftruncate(descriptor, off_t(length)) == 0 else { return }
        self.length = length
    }

    /// Writes all of the bytes, or leaves the file as it was before.
    func append(_ bytes: UnsafeRawBufferPointer) throws(TraceWriteError) {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let count = write(descriptor, start, rest.count)
            if count > 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            } else if count < 0, errno != EINTR {
                let error = errno
                // Half a chunk would read as damage; a file that cannot be cut short keeps it.
                _ = ftruncate(descriptor, off_t(length))
                throw .writing(path, error)
            }
        }
        length += Int64(bytes.count)
    }
}
