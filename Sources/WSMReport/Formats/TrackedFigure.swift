import WSMHarness

/// A figure that is worth following from commit to commit: less of it is better.
struct TrackedFigure {
    enum Unit: String {
        case nanoseconds = "ns"
        case cpuSeconds = "s"
        case bytes = "B"
        case connections
        /// Of the deliveries that had to be.
        case perMillion = "per million"
    }

    /// The metric's path in `result.json`, or a name of the same form for a ratio.
    var path: String
    var unit: Unit
    var value: Double

    /// The figures of a run that it has samples of; none for an INVALID run, whose figures are not the system's.
    ///
    /// Throughput is not among them: the load is given, so that it says nothing of the system.
    static func all(of result: RunResult) -> [TrackedFigure] {
        guard result.validity.verdict != .invalid else { return [] }
        var figures = known.compactMap { path, unit in
            MetricLookup.value(at: path, in: result).map { TrackedFigure(path: path, unit: unit, value: $0) }
        }
        let counts = result.delivery
        if counts.expected > 0 {
            for (name, count) in [
                ("lost", counts.lost), ("duplicated", counts.duplicated), ("reordered", counts.reordered),
            ] {
                let share = Double(count) * 1e6 / Double(counts.expected)
                figures.append(TrackedFigure(path: "delivery.\(name)PerMillion", unit: .perMillion, value: share))
            }
        }
        return figures
    }

    private static let known: [(String, Unit)] =
        ["latency.p50", "latency.p99", "latency.p999", "latencyFromActualSend.p99", "fanOutSkew.p99"].map {
            ($0, .nanoseconds)
        }
        + ["worker", "queue", "publish", "broker", "write", "wire"].map { ("stages.\($0).p99", .nanoseconds) }
        + ["instances", "redis"].flatMap { part in
            [
                ("resources.\(part).cpuSecondsPerMillionDeliveries", Unit.cpuSeconds),
                ("resources.\(part).peakRssBytes", .bytes),
            ]
        } + [("resources.redis.connections", .connections)]
}
