import WSMRecord
import WSMScenario

/// Finds a number of a result by its dotted path, as thresholds and comparisons name it.
package enum MetricLookup {
    /// The number at `path`, or `nil` for an unknown path and for a metric without samples.
    ///
    /// A part of ``Resources`` is summed up over its processes: `resources.instances.cpuSeconds` is what all instances
    /// used together. Memory counts each process once, also where instances share it.
    package static func value(at path: String, in result: RunResult) -> Double? {
        let parts = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let number: Double? =
            switch (parts.first, parts.count) {
            case ("durationNanoseconds", 1): Double(result.durationNanoseconds)
            case ("delivery", 2): delivery(parts[1], in: result.delivery)
            case ("delivery", 3): loss(parts[1], cause: parts[2], in: result.delivery)
            case ("clients", 3) where parts[1] == "refused":
                result.clients.refused?.byName.first { $0.name == parts[2] }.map { Double($0.count) }
            case ("clients", 2): clients(parts[1], in: result.clients)
            case ("timing", 2): parts[1] == "negativeLatencies" ? Double(result.timing.negativeLatencies) : nil
            case ("stages", 3): stage(parts[1], in: result.stages).flatMap { statistic(parts[2], of: $0) }
            case ("resources", 3): resource(parts[2], of: parts[1], in: result)
            case (let name?, 2): histogram(name, in: result).flatMap { statistic(parts[1], of: $0) }
            default: nil
            }
        return number.flatMap { $0.isFinite ? $0 : nil }
    }

    private static func delivery(_ name: String, in counts: DeliveryCounts) -> Double? {
        switch name {
        case "published": Double(counts.published)
        case "expected": Double(counts.expected)
        case "received": Double(counts.received)
        case "lost": Double(counts.lost)
        case "duplicated": Double(counts.duplicated)
        case "reordered": Double(counts.reordered)
        case "indeterminate": Double(counts.indeterminate)
        case "foreign": Double(counts.foreign)
        case "missedOffline": Double(counts.missedOffline)
        case "perSecond": counts.perSecond
        default: nil
        }
    }

    /// A known cause that the result leaves out has cost nothing.
    private static func loss(_ name: String, cause: String, in counts: DeliveryCounts) -> Double? {
        guard name == "lostByCause" else { return nil }
        if let count = counts.lostByCause[cause] { return Double(count) }
        return MetricCatalogue.lossCauses.contains(cause) ? 0 : nil
    }

    private static func clients(_ name: String, in counts: ClientCounts) -> Double? {
        switch name {
        case "planned": Double(counts.planned)
        case "connected": Double(counts.connected)
        case "failed": Double(counts.failed)
        case "reconnects": Double(counts.reconnects)
        default: nil
        }
    }

    private static func histogram(_ name: String, in result: RunResult) -> LatencySummary? {
        switch name {
        case "latency": result.latency
        case "latencyFromActualSend": result.latencyFromActualSend
        case "scheduleSlip": result.scheduleSlip
        case "fanOutSkew": result.fanOutSkew
        case "latencySlowReaders": result.latencySlowReaders
        default: nil
        }
    }

    private static func stage(_ name: String, in stages: StageLatencies) -> LatencySummary? {
        switch name {
        case "worker": stages.worker
        case "queue": stages.queue
        case "publish": stages.publish
        case "broker": stages.broker
        case "write": stages.write
        case "wire": stages.wire
        default: nil
        }
    }

    private static func statistic(_ name: String, of summary: LatencySummary) -> Double? {
        if name == "count" { return Double(summary.count) }
        guard summary.count > 0 else { return nil }
        return switch name {
        case "min": Double(summary.min)
        case "mean": Double(summary.mean)
        case "p50": Double(summary.p50)
        case "p90": Double(summary.p90)
        case "p99": Double(summary.p99)
        case "p999": Double(summary.p999)
        case "max": Double(summary.max)
        default: nil
        }
    }

    private static func resource(_ name: String, of part: String, in result: RunResult) -> Double? {
        switch part {
        case "instances": return total(name, of: result.resources.instances, deliveries: result.delivery.received)
        case "clients": return total(name, of: result.resources.clients, deliveries: result.delivery.received)
        case "redis":
            guard let redis = result.resources.redis else { return nil }
            return switch name {
            case "cpuSeconds": redis.cpuSeconds
            case "cpuSecondsPerMillionDeliveries": redis.cpuSecondsPerMillionDeliveries
            case "rssBytes": redis.rssBytes.map(Double.init)
            case "peakRssBytes": redis.peakRssBytes.map(Double.init)
            case "connections": Double(redis.connections)
            case "commands": redis.commands.map(Double.init)
            case "bytesIn": redis.bytesIn.map(Double.init)
            case "bytesOut": redis.bytesOut.map(Double.init)
            default: nil
            }
        default: return nil
        }
    }

    private static func total(_ name: String, of parts: [ResourceUsage], deliveries: Int) -> Double? {
        guard !parts.isEmpty else { return nil }
        let cpuSeconds = parts.reduce(0) { $0 + $1.cpuSeconds }
        switch name {
        case "cpuSeconds": return cpuSeconds
        case "cpuSecondsPerMillionDeliveries": return deliveries > 0 ? cpuSeconds * 1e6 / Double(deliveries) : nil
        case "rssBytes": return memory(of: parts, \.rssBytes)
        case "peakRssBytes": return memory(of: parts, \.peakRssBytes)
        default: return nil
        }
    }

    private static func memory(of parts: [ResourceUsage], _ field: KeyPath<ResourceUsage, Int64>) -> Double {
        var seen: Set<Int32> = []
        return parts.reduce(0) { seen.insert($1.pid).inserted ? $0 + Double($1[keyPath: field]) : $0 }
    }
}
