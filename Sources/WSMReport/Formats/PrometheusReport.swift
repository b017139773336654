import WSMHarness
import WSMRecord
internal import WSMVerify

/// Prometheus' text exposition format, version 0.0.4, for node_exporter's textfile collector or a push gateway.
///
/// Base units: seconds and bytes. A run is over, so that all its counts are gauges. What has no samples is left out; of an
/// INVALID run all latencies are, which are the generator's and not the system's.
package enum PrometheusReport {
    package static func text(_ runs: [ReportedRun]) -> String {
        let named = zip(ReportedRun.names(of: runs), runs).map { (name: $0, result: $1.result) }
        return families.compactMap { family in
            let samples = named.flatMap { run in
                family.samples(run.result).map { line(family.name, $0, scenario: run.name) }
            }
            // A family's lines stand together, whichever run they are of.
            guard !samples.isEmpty else { return nil }
            return "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.kind)\n" + samples.joined()
        }.joined()
    }

    /// One metric: its name, its help, and its samples in a run.
    private struct Family: Sendable {
        var name: String
        var help: String
        var kind = "gauge"
        var samples: @Sendable (RunResult) -> [Sample]
    }

    private struct Sample: Sendable {
        /// What a summary's `_sum` and `_count` have behind the name.
        var suffix = ""
        var labels: [(String, String)] = []
        var value: String
    }

    private static func line(_ name: String, _ sample: Sample, scenario: String) -> String {
        let labels = ([("scenario", scenario)] + sample.labels).map { "\($0.0)=\"\(labelValue($0.1))\"" }
        return "\(name)\(sample.suffix){\(labels.joined(separator: ","))} \(sample.value)\n"
    }

    /// A label's value: backslash, quote and line feed are escaped.
    static func labelValue(_ text: String) -> String {
        PlainText.printable(text).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            .replacing("\n", with: "\\n")
    }

    // MARK: Families

    private static let families = verdicts + deliveries + latencies + resources

    private static let verdicts = [
        Family(name: "wsmlab_run_info", help: "What ran; always 1.") { result in
            let setup = result.setup
            let labels = [
                ("version", result.environment.version), ("seed", "\(result.seed)"), ("manager", setup.manager),
                ("profile", setup.profile), ("instances", "\(setup.instances)"), ("placement", setup.placement),
                ("transport", setup.transport), ("started", result.startedAt),
            ]
            return [Sample(labels: labels, value: "1")]
        },
        Family(name: "wsmlab_run_exit_code", help: "The exit code: 0 passed, 2 threshold, 3 guarantee, 4 inconclusive.")
        {
            [Sample(value: "\($0.exitCode)")]
        },
        Family(name: "wsmlab_run_verdict", help: "1 for the run's verdict, 0 for the others.") { result in
            RunResult.Verdict.allCases.map {
                Sample(labels: [("verdict", $0.rawValue)], value: $0 == result.verdict ? "1" : "0")
            }
        },
        Family(name: "wsmlab_run_validity", help: "1 for the run's validity, 0 for the others.") { result in
            Validity.Verdict.allCases.map {
                Sample(labels: [("validity", $0.rawValue)], value: $0 == result.validity.verdict ? "1" : "0")
            }
        },
        Family(name: "wsmlab_run_duration_seconds", help: "Length of the measured window.") {
            [Sample(value: NumberText.seconds($0.durationNanoseconds))]
        },
        Family(name: "wsmlab_threshold_met", help: "1 for a threshold that was met, 0 for one that was missed.") {
            result in
            guard result.validity.verdict != .invalid else { return [] }
            return unique(result.thresholds, by: \.expression).map {
                Sample(labels: [("threshold", $0.expression)], value: $0.passed ? "1" : "0")
            }
        },
        Family(name: "wsmlab_guarantee_holds", help: "1 for a guarantee that holds, 0 for a violated one.") { result in
            unique(result.guarantees, by: \.id).filter { $0.verdict != .unknown }.map {
                Sample(labels: labels(of: $0), value: $0.verdict == .holds ? "1" : "0")
            }
        },
        Family(name: "wsmlab_guarantee_violations", help: "How often a guarantee was violated.") { result in
            unique(result.guarantees, by: \.id).filter { $0.verdict != .unknown }.map {
                Sample(labels: labels(of: $0), value: "\($0.violations)")
            }
        },
    ]

    private static func labels(of guarantee: GuaranteeResult) -> [(String, String)] {
        [("guarantee", guarantee.id), ("promised", "\(guarantee.promised)"), ("expected", guarantee.expected.rawValue)]
    }

    /// A series may stand once only, and a scenario may repeat a threshold.
    private static func unique<Item>(_ items: [Item], by key: (Item) -> String) -> [Item] {
        var seen: Set<String> = []
        return items.filter { seen.insert(key($0)).inserted }
    }

    private static let deliveries = [
        Family(name: "wsmlab_published_messages", help: "Messages published in the measured window.") {
            [Sample(value: "\($0.delivery.published)")]
        },
        Family(name: "wsmlab_expected_deliveries", help: "Deliveries that had to be: received + lost + indeterminate.")
        {
            [Sample(value: "\($0.delivery.expected)")]
        },
        Family(name: "wsmlab_deliveries", help: "Deliveries by what became of them.") { result in
            let counts = result.delivery
            return [
                ("received", counts.received), ("lost", counts.lost), ("indeterminate", counts.indeterminate),
                ("duplicated", counts.duplicated), ("reordered", counts.reordered), ("foreign", counts.foreign),
                ("missed-offline", counts.missedOffline),
            ].map { Sample(labels: [("outcome", $0.0)], value: "\($0.1)") }
        },
        Family(name: "wsmlab_lost_deliveries", help: "Lost deliveries by cause.") { result in
            result.delivery.lostByCause.sorted { $0.key < $1.key }.map {
                Sample(labels: [("cause", $0.key)], value: "\($0.value)")
            }
        },
        Family(name: "wsmlab_clients", help: "Clients by what became of them.") { result in
            let clients = result.clients
            return [("planned", clients.planned), ("connected", clients.connected), ("failed", clients.failed)].map {
                Sample(labels: [("state", $0.0)], value: "\($0.1)")
            }
        },
        Family(name: "wsmlab_client_reconnects", help: "Times that a client connected anew.") {
            [Sample(value: "\($0.clients.reconnects)")]
        },
    ]

    private static let latencies = [
        Family(
            name: "wsmlab_latency_seconds",
            help: "Latency: response from the intended instant, service from the actual send, and those beside.",
            kind: "summary"
        ) { result in
            summaries(
                [
                    ("response", result.latency), ("service", result.latencyFromActualSend),
                    ("schedule-slip", result.scheduleSlip), ("fan-out-skew", result.fanOutSkew),
                    ("slow-readers", result.latencySlowReaders),
                ], label: "kind", of: result)
        },
        Family(name: "wsmlab_latency_max_seconds", help: "The longest latency.") { result in
            guard result.validity.verdict != .invalid else { return [] }
            return [
                ("response", result.latency), ("service", result.latencyFromActualSend),
                ("schedule-slip", result.scheduleSlip), ("fan-out-skew", result.fanOutSkew),
                ("slow-readers", result.latencySlowReaders),
            ].filter { $0.1.count > 0 }.map {
                Sample(labels: [("kind", $0.0)], value: NumberText.seconds($0.1.max))
            }
        },
        Family(name: "wsmlab_stage_seconds", help: "Where a message spent its time.", kind: "summary") { result in
            let stages = result.stages
            return summaries(
                [
                    ("worker", stages.worker), ("queue", stages.queue), ("publish", stages.publish),
                    ("broker", stages.broker), ("write", stages.write), ("wire", stages.wire),
                ], label: "stage", of: result)
        },
    ]

    private static func summaries(
        _ figures: [(String, LatencySummary)], label: String, of result: RunResult
    ) -> [Sample] {
        guard result.validity.verdict != .invalid else { return [] }
        return figures.filter { $0.1.count > 0 }.flatMap { name, figure in
            let quantiles = [("0.5", figure.p50), ("0.9", figure.p90), ("0.99", figure.p99), ("0.999", figure.p999)]
            return quantiles.map {
                Sample(labels: [(label, name), ("quantile", $0.0)], value: NumberText.seconds($0.1))
            } + [
                Sample(
                    suffix: "_sum", labels: [(label, name)],
                    value: NumberText.plain(Double(figure.mean) * Double(figure.count) / 1e9)),
                Sample(suffix: "_count", labels: [(label, name)], value: "\(figure.count)"),
            ]
        }
    }

    private static let resources = [
        Family(name: "wsmlab_cpu_seconds", help: "Processor time over the measured window.") { result in
            parts("cpuSeconds", of: result)
        },
        Family(
            name: "wsmlab_cpu_seconds_per_million_deliveries", help: "Processor time for each million of deliveries."
        ) { result in parts("cpuSecondsPerMillionDeliveries", of: result) },
        Family(name: "wsmlab_peak_resident_memory_bytes", help: "The most memory that was resident.") { result in
            parts("peakRssBytes", of: result)
        },
        Family(name: "wsmlab_redis_connections", help: "The most connections of Redis at a time.") { result in
            MetricLookup.value(at: "resources.redis.connections", in: result).map {
                [Sample(value: NumberText.plain($0))]
            } ?? []
        },
    ]

    private static func parts(_ figure: String, of result: RunResult) -> [Sample] {
        ["instances", "clients", "redis"].compactMap { part in
            MetricLookup.value(at: "resources.\(part).\(figure)", in: result).map {
                Sample(labels: [("part", part)], value: NumberText.plain($0))
            }
        }
    }
}
