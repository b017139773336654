internal import Foundation
internal import WSMCore

/// What the system tells of how it gives out its cores.
enum SchedulerFigures {
    /// `se.slice` of this process; where the system does not tell, what Linux sets for its cores (`base_slice_ns`).
    static var slice: TimeSpan {
        let text = (try? String(contentsOfFile: "/proc/self/sched", encoding: .utf8)) ?? ""
        let told = text.split(separator: "\n").first { $0.hasPrefix("se.slice") }?.split(separator: ":").last
        if let told, let nanoseconds = Int64(told.filter { !$0.isWhitespace }), nanoseconds >= 1000 {
            return .nanoseconds(nanoseconds)
        }
        let cores = min(8, max(1, AllowedCPUs.count))
        return .microseconds(700 * Int64(cores.bitWidth - cores.leadingZeroBitCount))
    }

    /// How often Linux looks at who wants which core; its default where it does not tell.
    static var tick: TimeSpan { SchedulerTick.length ?? .milliseconds(4) }
}
