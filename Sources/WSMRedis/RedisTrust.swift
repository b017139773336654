import CHiredis
import Synchronization
import WSMTLS

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The TLS settings of connections to Redis, made once for each set of authorities.
///
/// The reference makes a connection for each broadcast, and reading the system's authorities takes milliseconds. From any
/// thread; the first connection of a kind waits for the file.
enum RedisTrust {
    /// The authorities as they were read: a file that was replaced is read again.
    private struct Source: Hashable {
        let trust: TLSTrust
        var device: UInt64 = 0
        var file: UInt64 = 0
        var size: Int64 = 0
        var changedAt: Int64 = 0
    }

    private static let known = Mutex<[Source: TLSClient]>([:])
    private static let limit = 16

    /// `nil` for a URL without TLS.
    static func client(for url: RedisURL) throws(RedisError) -> TLSClient? {
        guard let trust = url.trust else { return nil }
        let source = source(trust)
        if let client = known.withLock({ $0[source] }) { return client }
        do throws(TLSError) {
            let client = try TLSClient(trust: trust)
            known.withLock { known in
                if known.count >= limit { known = [:] }
                known[source] = client
            }
            return client
        } catch {
            throw RedisError(
                .connectFailed, "cannot connect to Redis at \(url) over TLS: \(error.message)", cause: error)
        }
    }

    private static func source(_ trust: TLSTrust) -> Source {
        var source = Source(trust: trust)
        var status = stat()
        if case .file(let path) = trust, stat(path, &status) == 0 {
            source.device = UInt64(status.st_dev)
            source.file = UInt64(status.st_ino)
            source.size = Int64(status.st_size)
            #if canImport(Darwin)
            source.changedAt = Int64(status.st_mtimespec.tv_sec) * 1_000_000_000 + Int64(status.st_mtimespec.tv_nsec)
            #else
            source.changedAt = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
            #endif
        }
        return source
    }
}
