internal import Foundation
internal import WSMCore

/// What the scheduler did with a thread up to an instant: how long it ran, and how long it was ready to and had no CPU.
///
/// From `/proc/<pid>/task/<tid>/schedstat` (Documentation/scheduler/sched-stats.rst of the Linux kernel).
struct ThreadSchedule: Sendable {
    var ran: TimeSpan
    var waited: TimeSpan
    /// How many times it was given a CPU.
    var slices: Int64 = 0
    var at: MonotonicInstant

    /// Of one of this process's threads by its number; `nil` when it is gone or the kernel does not count.
    static func read(_ thread: Int) -> ThreadSchedule? {
        guard let text = try? String(contentsOfFile: "/proc/self/task/\(thread)/schedstat", encoding: .utf8) else {
            return nil
        }
        return parse(text, at: .now())
    }

    /// Of the calling thread, its running time to the nanosecond.
    static func ofCurrentThread() -> ThreadSchedule? {
        guard let text = try? String(contentsOfFile: "/proc/thread-self/schedstat", encoding: .utf8),
            var schedule = parse(text, at: .now())
        else { return nil }
        // The file is brought up to date at the next tick of the kernel's clock only.
        if let ran = ThreadCPUTime.ofCurrentThread() { schedule.ran = ran }
        return schedule
    }

    /// Three numbers: nanoseconds run, nanoseconds waited, time slices.
    static func parse(_ text: String, at: MonotonicInstant) -> ThreadSchedule? {
        let numbers = text.split(whereSeparator: \.isWhitespace).map { Int64($0) }
        guard numbers.count >= 2, let ran = numbers[0], let waited = numbers[1] else { return nil }
        let slices = numbers.count > 2 ? numbers[2] ?? 0 : 0
        return ThreadSchedule(ran: .nanoseconds(ran), waited: .nanoseconds(waited), slices: slices, at: at)
    }

    /// How the thread spent the time since `earlier`.
    func shares(since earlier: ThreadSchedule) -> LoopShares {
        let span = (at - earlier.at).seconds
        guard span > 0 else { return LoopShares() }
        func share(_ part: TimeSpan) -> Double { min(1, max(0, part.seconds / span)) }
        let wait = waited - earlier.waited
        return LoopShares(
            busy: share(ran - earlier.ran), waiting: share(wait),
            waitPerWake: wait.nanoseconds / max(1, slices - earlier.slices))
    }
}

/// The CPU time of the whole machine since its start, in ticks: the first line of `/proc/stat` (proc_stat(5)).
struct MachineTime: Hashable, Sendable {
    var total: Int64
    var idle: Int64
    var steal: Int64

    static func now() -> MachineTime? {
        guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8) else { return nil }
        return parse(text)
    }

    static func parse(_ text: String) -> MachineTime? {
        guard let line = text.split(separator: "\n").first, line.hasPrefix("cpu ") else { return nil }
        // user nice system idle iowait irq softirq steal; what follows is counted in the first two already.
        let fields = line.split(separator: " ").dropFirst().prefix(8).compactMap { Int64($0) }
        guard fields.count == 8 else { return nil }
        return MachineTime(total: fields.reduce(0, +), idle: fields[3] + fields[4], steal: fields[7])
    }

    /// The parts of the CPU time since `earlier` that were used, and that the hypervisor took.
    func shares(since earlier: MachineTime) -> (busy: Double, steal: Double) {
        let span = Double(total - earlier.total)
        guard span > 0 else { return (0, 0) }
        return (1 - Double(idle - earlier.idle) / span, Double(steal - earlier.steal) / span)
    }
}

/// The CPUs that this process may run on.
enum AllowedCPUs {
    static var count: Int {
        guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed_list:") })
        else { return ProcessInfo.processInfo.activeProcessorCount }
        return count(ofList: String(line.dropFirst("Cpus_allowed_list:".count)))
    }

    /// How many numbers a list such as `0-3,8` names.
    static func count(ofList list: String) -> Int {
        list.split(separator: ",").reduce(0) { sum, part in
            let ends = part.split(separator: "-").compactMap { Int($0.filter { !$0.isWhitespace }) }
            guard let first = ends.first, let last = ends.last, last >= first else { return sum }
            return sum + last - first + 1
        }
    }
}
