internal import Foundation
internal import WSMCore

/// What a process and its children have used so far.
struct ProcessTreeUsage: Hashable, Sendable {
    var pid: Int32
    /// When the process began, in the kernel's ticks: another process with its number has another one.
    var startTicks: UInt64
    /// Of all its threads and children, those that have ended and were waited for among them.
    var cpuSeconds: Double
    /// Memory that children share is counted for each.
    var rssBytes: Int64
    var peakRssBytes: Int64
}

/// Reads the processes of a target, each with its children, from /proc.
enum ProcessTree {
    private struct Process {
        var parent: Int32
        var ticks: Double
        var startTicks: UInt64
    }

    /// What the trees of `roots` have used; a root that is gone has no entry.
    ///
    /// A root below another root is counted for itself alone.
    static func usage(of roots: [Int32]) -> [ProcessTreeUsage] {
        let processes = all()
        var children: [Int32: [Int32]] = [:]
        for (pid, process) in processes { children[process.parent, default: []].append(pid) }
        let stops = Set(roots)
        let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
        return roots.compactMap { root in
            guard let process = processes[root] else { return nil }
            var usage = ProcessTreeUsage(
                pid: root, startTicks: process.startTicks, cpuSeconds: 0, rssBytes: 0, peakRssBytes: 0)
            var pending = [root]
            while let pid = pending.popLast() {
                usage.cpuSeconds += (processes[pid]?.ticks ?? 0) / ticksPerSecond
                if let memory = ProcessUsage.memory(of: pid) {
                    usage.rssBytes += Int64(memory.now)
                    usage.peakRssBytes += Int64(memory.peak)
                }
                pending += (children[pid] ?? []).filter { !stops.contains($0) }
            }
            return usage
        }
    }

    /// Whether the process exists and is no zombie.
    static func exists(_ pid: Int32) -> Bool { process(pid) != nil }

    private static func all() -> [Int32: Process] {
        var processes: [Int32: Process] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            if let pid = Int32(name), let process = process(pid) { processes[pid] = process }
        }
        return processes
    }

    /// The fields of /proc/PID/stat, proc(5).
    private static func process(_ pid: Int32) -> Process? {
        guard let text = ProcessUsage.read("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        // The name is in parentheses and may hold spaces: the fields after it are counted from its end.
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X", let parent = Int32(fields[1]),
            let start = UInt64(fields[19])
        else { return nil }
        // utime, stime, and cutime, cstime: those of children that have ended.
        let ticks = fields[11...14].reduce(0) { $0 + (Double($1) ?? 0) }
        return Process(parent: parent, ticks: ticks, startTicks: start)
    }
}
