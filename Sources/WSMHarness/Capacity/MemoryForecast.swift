internal import Foundation

/// Whether the machine has the memory for a load, judged by what the last one took: a search that doubles its load must
/// not find the machine's end by running into it.
enum MemoryForecast {
    /// The part of the free memory that a run may take.
    private static let usablePart = 0.8

    /// Why a run at `load` would not fit; `nil` where it does, or nobody knows.
    ///
    /// Memory is taken to grow with the load, which is too much where a part of it is fixed.
    ///
    /// - Parameters:
    ///   - last: A run at `lastLoad`, which has ended.
    ///   - available: Bytes that are free for the taking.
    static func obstacle(_ load: Double, last: RunResult, at lastLoad: Double, available: Double?) -> String? {
        guard let available, lastLoad > 0 else { return nil }
        let needed = used(last.resources) * load / lastLoad
        guard needed > available * usablePart else { return nil }
        return "a run would need some \(mebibytes(needed)) of memory, and \(mebibytes(available)) are free"
    }

    /// Bytes that all processes of a run had at most, each counted once.
    private static func used(_ resources: Resources) -> Double {
        var byProcess: [Int32: Int64] = [:]
        for part in resources.instances + resources.clients + (resources.workers ?? []) {
            byProcess[part.pid] = max(byProcess[part.pid] ?? 0, part.peakRssBytes)
        }
        return Double(byProcess.values.reduce(resources.redis?.peakRssBytes ?? 0, +))
    }

    /// What the machine has free now, in bytes; `nil` where it does not tell.
    static func available() -> Double? {
        let line = ProcessUsage.read("/proc/meminfo")?.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Double($0) }.map { $0 * 1024 }
    }

    private static func mebibytes(_ bytes: Double) -> String { "\(Int((bytes / 1048576).rounded())) MiB" }
}
