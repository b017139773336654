#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How many files this process may hold open, and so how many sockets.
package enum FileLimit {
    /// Descriptors kept free for what is no client: event loops, logs, the trace, Redis.
    package static let reserve = 128

    /// Makes sure that `clients` more sockets may be opened, raising the soft limit up to the hard one if need be.
    ///
    /// - Parameters:
    ///   - clients: How many clients are to connect.
    ///   - descriptorsPerClient: 1 where only the client's end is in this process, 2 where the instance's is too.
    /// - Returns: How many clients fit.
    /// - Throws: ``FileLimitError`` when they do not fit even so.
    @discardableResult
    package static func check(needed clients: Int, descriptorsPerClient: Int = 1) throws(FileLimitError) -> Int {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else {
            // The call cannot fail on these arguments; without an answer there is nothing to hold the number against.
            return clients
        }
        let used = openDescriptors() ?? 0
        let needed = clients.multipliedReportingOverflow(by: descriptorsPerClient)
        let total = needed.overflow ? Int.max : used.addingReportingOverflow(needed.partialValue).partialValue
        let wanted = total > Int.max - reserve || total < 0 ? Int.max : total + reserve
        if wanted > Int(clamping: limit.rlim_cur), limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if setrlimit(resource, &raised) == 0 { limit = raised }
        }
        let allowed = Int(clamping: limit.rlim_cur)
        let fits = max(0, allowed - used - reserve) / max(1, descriptorsPerClient)
        guard wanted <= allowed else {
            throw FileLimitError(
                clients: clients, fits: fits, limit: allowed, hardLimit: Int(clamping: limit.rlim_max), open: used)
        }
        return fits
    }

    /// How many clients a process of their own can have, each with one descriptor.
    package static var clientsPerProcess: Int {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return 1024 - reserve }
        return max(1, Int(clamping: limit.rlim_max) - reserve)
    }

    #if canImport(Glibc)
    private static var resource: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_NOFILE.rawValue) }
    #else
    private static var resource: CInt { RLIMIT_NOFILE }
    #endif

    /// The descriptors open now, or `nil` where the system does not list them.
    private static func openDescriptors() -> Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // ".", ".." and the folder itself.
        return max(0, count - 3)
    }
}

/// The process may not open as many files as the clients need.
package struct FileLimitError: Error, Sendable, Hashable, CustomStringConvertible {
    /// How many clients were asked for.
    package var clients: Int
    /// How many fit.
    package var fits: Int
    /// The limit in force, after raising it as far as it goes.
    package var limit: Int
    package var hardLimit: Int
    /// The descriptors that were open already.
    package var open: Int

    package var description: String {
        "\(clients) clients need more open files than this process may have: \(fits) clients fit "
            + "(limit \(limit), hard limit \(hardLimit), \(open) open). Use fewer clients, more client processes, the direct "
            + "transport, or raise the limit (ulimit -Hn)."
    }
}
