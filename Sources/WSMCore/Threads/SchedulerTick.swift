#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// How often the system gives the cores out anew (`CONFIG_HZ`).
package enum SchedulerTick {
    /// The step of the kernel's coarse clock, which moves with its ticks; `nil` where the system does not tell.
    package static var length: TimeSpan? {
        var step = timespec()
        guard clock_getres(CLOCK_MONOTONIC_COARSE, &step) == 0, step.tv_nsec > 0 else { return nil }
        return .nanoseconds(Int64(step.tv_nsec))
    }
}
