#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The CPU time of threads.
package enum ThreadCPUTime {
    /// What the calling thread has used so far, to the nanosecond; `nil` where the system does not tell.
    package static func ofCurrentThread() -> TimeSpan? {
        var time = timespec()
        guard clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0 else { return nil }
        return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
    }
}
