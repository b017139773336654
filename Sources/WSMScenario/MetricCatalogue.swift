/// What a metric measures, which decides the units of its thresholds.
package enum Dimension: String, Sendable, CaseIterable {
    /// Nanoseconds in the result.
    case time
    case count
    /// A number a second.
    case rate
    case bytes
    /// Seconds of a processor.
    case cpuSeconds
}

/// The numbers of `result.json` that a threshold may name.
package enum MetricCatalogue {
    /// All metrics by path, in the order of the result.
    package static let metrics: [(path: String, dimension: Dimension)] = build()

    package static func dimension(of path: String) -> Dimension? { byPath[path] }

    /// The metrics of which more is worse, so that a gate can hold one build against another by them: what users wait for
    /// and what the system costs, without the counts that a gate compares exactly and without the load generator's own.
    package static let gated: [String] = metrics.map(\.path).filter { path in
        let parts = path.split(separator: ".")
        guard let group = parts.first, let name = parts.last else { return false }
        switch group {
        case "latency", "latencyFromActualSend", "fanOutSkew", "stages": return name != "count" && name != "min"
        case "resources": return parts[1] != "clients"
        default: return false
        }
    }

    private static let byPath = Dictionary(uniqueKeysWithValues: metrics.map { ($0.path, $0.dimension) })

    /// Why a message is missing.
    package static let lossCauses = [
        "other-instance", "broker-gap", "instance-down", "evicted", "queue-dropped", "thread-dead", "fan-out-aborted",
        "publish-failed", "unexplained",
    ]

    private static func build() -> [(path: String, dimension: Dimension)] {
        var all: [(path: String, dimension: Dimension)] = [("durationNanoseconds", .time)]
        for name in [
            "published", "expected", "received", "lost", "duplicated", "reordered", "indeterminate", "foreign",
            "missedOffline",
        ] {
            all.append(("delivery.\(name)", .count))
        }
        for name in ["planned", "connected", "failed", "reconnects"] { all.append(("clients.\(name)", .count)) }
        all += lossCauses.map { ("delivery.lostByCause.\($0)", .count) }
        all.append(("delivery.perSecond", .rate))
        for name in ["expired", "wrong", "forbidden", "malformed", "otherwise", "admitted", "validRefused"] {
            all.append(("clients.refused.\(name)", .count))
        }
        let stages = ["worker", "queue", "publish", "broker", "write", "wire"].map { "stages.\($0)" }
        for histogram in ["latency", "latencyFromActualSend", "scheduleSlip", "fanOutSkew"] + stages {
            all.append(("\(histogram).count", .count))
            for statistic in ["min", "mean", "p50", "p90", "p99", "p999", "max"] {
                all.append(("\(histogram).\(statistic)", .time))
            }
        }
        for part in ["instances", "clients", "redis"] {
            all.append(("resources.\(part).cpuSeconds", .cpuSeconds))
            all.append(("resources.\(part).cpuSecondsPerMillionDeliveries", .cpuSeconds))
            all.append(("resources.\(part).rssBytes", .bytes))
            all.append(("resources.\(part).peakRssBytes", .bytes))
        }
        all.append(("resources.redis.connections", .count))
        all.append(("resources.redis.commands", .count))
        for name in ["bytesIn", "bytesOut"] { all.append(("resources.redis.\(name)", .bytes)) }
        return all
    }
}
