import WSMCore
import WSMRecord

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// CPU time and memory of this process.
enum Usage {
    /// User and system time of all threads, in nanoseconds.
    static func cpuNanoseconds() -> Int64 {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        let microseconds = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
        return Int64(seconds) * 1_000_000_000 + Int64(microseconds) * 1000
    }

    /// Resident memory in bytes, from /proc/self/statm (proc(5)).
    static func residentBytes() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, 256, file) != nil else { return 0 }
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return 0 }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}

/// What a number of events took.
struct Cost {
    var events: Int
    var cpuNanoseconds: Int64
    var wallNanoseconds: Int64
    var trace: TraceOutcome?

    var cpuPerEvent: Double { Double(cpuNanoseconds) / Double(events) }

    static func - (left: Cost, right: Cost) -> Cost {
        Cost(
            events: left.events, cpuNanoseconds: left.cpuNanoseconds - right.cpuNanoseconds,
            wallNanoseconds: left.wallNanoseconds - right.wallNanoseconds)
    }

    static func of(_ events: Int, _ body: () -> TraceOutcome?) -> Cost {
        let (cpu, wall) = (Usage.cpuNanoseconds(), MonotonicInstant.now())
        let trace = body()
        return Cost(
            events: events, cpuNanoseconds: Usage.cpuNanoseconds() - cpu,
            wallNanoseconds: (MonotonicInstant.now() - wall).nanoseconds, trace: trace)
    }
}

/// Figures in columns.
enum Table {
    static func line(_ label: String, _ cost: Cost) {
        let padded = label + String(repeating: " ", count: max(0, 64 - label.count))
        let million = cost.cpuNanoseconds > 0 ? 1e3 / cost.cpuPerEvent : 0
        print(
            "\(padded)\(right(decimal(cost.cpuPerEvent, 1), 8)) ns CPU an event\(right(decimal(million, 2), 8)) M/s a core"
        )
    }

    static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    static func decimal(_ value: Double, _ places: Int) -> String {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = Int64((abs(value) * scale).rounded())
        let fraction = String(scaled % Int64(scale))
        let sign = value < 0 && scaled > 0 ? "-" : ""
        return "\(sign)\(scaled / Int64(scale))." + String(repeating: "0", count: places - fraction.count) + fraction
    }
}
