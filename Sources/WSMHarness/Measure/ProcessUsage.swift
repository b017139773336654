internal import Foundation
internal import NIOCore
internal import WSMCore

/// CPU and memory of processes and threads, read from /proc.
enum ProcessUsage {
    /// CPU seconds that each thread of a process has used, by thread number, with its name.
    ///
    /// - Parameter process: Its number, or `self`.
    static func threads(of process: String = "self") -> [Int: (name: String, cpuSeconds: Double)] {
        var threads: [Int: (name: String, cpuSeconds: Double)] = [:]
        let folder = "/proc/\(process)/task"
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for task in tasks {
            guard let number = Int(task), let name = read("\(folder)/\(task)/comm"),
                let statistics = read("\(folder)/\(task)/schedstat"),
                let nanoseconds = statistics.split(separator: " ").first.flatMap({ Double($0) })
            else { continue }
            threads[number] = (name.trimmingCharacters(in: .newlines), nanoseconds / 1e9)
        }
        return threads
    }

    /// The number of the calling thread.
    static func currentThread() -> Int? {
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")
        return link?.split(separator: "/").last.flatMap { Int($0) }
    }

    /// The numbers of the threads that event loops run on.
    static func threads(of loops: [any EventLoop]) async throws -> [Int] {
        var threads: [Int] = []
        for loop in loops {
            if let thread = try await loop.submit({ currentThread() }).get() { threads.append(thread) }
        }
        return threads
    }

    /// CPU seconds that a process has used with all its threads; `nil` when it is gone.
    static func cpuSeconds(of pid: Int32) -> Double? {
        // The name is in parentheses and may hold spaces: the fields after it are counted from its end.
        guard let text = read("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Resident memory now and at its highest, in bytes; `nil` when the process is gone.
    static func memory(of pid: Int32) -> (now: Int, peak: Int)? {
        guard let text = read("/proc/\(pid)/status") else { return nil }
        func kilobytes(_ key: String) -> Int? {
            guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(key) }) else { return nil }
            return line.split(whereSeparator: { " \t".contains($0) }).dropFirst().first.flatMap { Int($0) }
        }
        guard let now = kilobytes("VmRSS:"), let peak = kilobytes("VmHWM:") else { return nil }
        return (now * 1024, peak * 1024)
    }

    static func read(_ path: String) -> String? {
        try? String(contentsOfFile: path, encoding: .utf8)
    }
}

extension PartUsage {
    /// A part of the process `pid`, with the memory of the whole process.
    init(pid: Int32, cpuSeconds: Double) {
        let memory = ProcessUsage.memory(of: pid) ?? (0, 0)
        self.init(
            pid: pid, cpuSeconds: cpuSeconds, rssBytes: Int64(memory.now), peakRssBytes: Int64(memory.peak))
    }
}
