package import WSMHarness
import WSMRecord
internal import WSMVerify

/// The result as Markdown, for pull requests and notes; complete, so longer than the summary.
package enum MarkdownReport {
    package static func text(_ result: RunResult, folder: String? = nil) -> String {
        let headline = Headline(result)
        var blocks = [
            "# \(escaped(headline.word)): \(escaped(headline.sentence))", escaped(Headline.setup(of: result)),
        ]
        blocks.append(delivery(result.delivery))
        blocks.append(latencies(result))
        if !result.guarantees.isEmpty { blocks.append(guarantees(result.guarantees)) }
        if !result.thresholds.isEmpty {
            blocks.append(thresholds(result.thresholds, isVoid: result.validity.verdict == .invalid))
        }
        if !result.faults.isEmpty { blocks.append(faults(result)) }
        if let neighbours = result.neighbours { blocks.append("Neighbours: \(NeighbourText.sentences(neighbours))") }
        blocks.append(validity(result.validity))
        if let line = GeneratorText.line(result) { blocks.append("Generator: \(escaped(line))") }
        let resources = resources(result.resources, target: result.target)
        if !resources.isEmpty { blocks.append(resources) }
        blocks.append(ground(result.environment, folder: folder))
        return blocks.joined(separator: "\n\n") + "\n"
    }

    private static func delivery(_ counts: DeliveryCounts) -> String {
        var rows = [
            ["published", Figures.grouped(counts.published)], ["expected", Figures.grouped(counts.expected)],
            [
                "received",
                "\(Figures.grouped(counts.received)) (\(Figures.share(counts.received, of: counts.expected)))",
            ],
            ["received a second", Figures.rate(counts.perSecond)], ["lost", Figures.grouped(counts.lost)],
        ]
        for (cause, count) in counts.lostByCause.sorted(by: { $0.key < $1.key }) where count > 0 {
            rows.append(["lost: \(cause)", Figures.grouped(count)])
        }
        rows += [
            ["duplicated", Figures.grouped(counts.duplicated)], ["reordered", Figures.grouped(counts.reordered)],
            ["indeterminate", Figures.grouped(counts.indeterminate)], ["foreign", Figures.grouped(counts.foreign)],
            ["missed offline", Figures.grouped(counts.missedOffline)],
        ]
        return section("Delivery", header: ["", "count"], rows: rows)
    }

    private static func latencies(_ result: RunResult) -> String {
        let stages = result.stages
        let rows = [
            ("response (from intended)", result.latency), ("service (from actual)", result.latencyFromActualSend),
            ("schedule slip", result.scheduleSlip), ("fan-out skew", result.fanOutSkew),
            ("slow readers", result.latencySlowReaders), ("stage worker", stages.worker),
            ("stage queue", stages.queue), ("stage publish", stages.publish), ("stage broker", stages.broker),
            ("stage write", stages.write), ("stage wire", stages.wire),
        ].filter { $0.1.count > 0 }.map { name, summary in
            [name]
                + [summary.min, summary.mean, summary.p50, summary.p90, summary.p99, summary.p999, summary.max]
                .map { Figures.time($0) } + [Figures.grouped(Int(summary.count))]
        }
        guard !rows.isEmpty else { return "## Latency\n\nNo samples." }
        let table = section(
            "Latency", header: ["", "min", "mean", "p50", "p90", "p99", "p99.9", "max", "samples"], rows: rows)
        guard result.validity.verdict == .invalid else { return table }
        return table.replacing(
            "## Latency\n\n", with: "## Latency\n\n**\(GeneratorText.disclaimer)**\n\n", maxReplacements: 1)
    }

    private static func guarantees(_ results: [GuaranteeResult]) -> String {
        section(
            "Guarantees", header: ["guarantee", "verdict", "promised", "expected", "checked", "violations", "witness"],
            rows: results.map { result in
                [
                    result.id, result.verdict.rawValue, result.promised ? "yes" : "no", result.expected.rawValue,
                    Figures.grouped(result.checked), Figures.grouped(result.violations), result.witness ?? "",
                ]
            })
    }

    private static func thresholds(_ results: [ThresholdResult], isVoid: Bool) -> String {
        section(
            "Thresholds", header: ["threshold", "actual", isVoid ? "void: the run is INVALID" : ""],
            rows: results.map { result in
                [
                    "`\(result.expression)`",
                    result.actual.map { MetricFormat.text($0, path: result.path) } ?? "no samples",
                    isVoid ? "–" : result.passed ? "met" : "**missed**",
                ]
            })
    }

    private static func faults(_ result: RunResult) -> String {
        let table = section(
            "Faults",
            header: [
                "fault", "at", "healed at", "lost", "blackout", "first heard after", "all heard after",
                "recovered after",
                "dropped", "closed", "told", "came back", "deaf", "missed unnoticed",
            ],
            rows: result.faults.map { fault in
                let times = [
                    fault.healedAt, nil, fault.blackoutNanoseconds, fault.firstDeliveryAfterNanoseconds,
                    fault.fullDeliveryAfterNanoseconds, fault.recoveredAfterNanoseconds,
                ].map { $0.map { Figures.time($0) } ?? "–" }
                let clients = [
                    fault.droppedClients, fault.closedClients, fault.markedClients, fault.reconnectedClients,
                    fault.deafClients,
                ].map { Figures.grouped($0) }
                let silent =
                    "\(Figures.grouped(Int(fault.silentlyMissed.messages))) by "
                    + Figures.grouped(fault.silentlyMissed.clients)
                return [fault.action, Figures.time(fault.at), times[0], Figures.grouped(fault.lost)] + times[2...]
                    + clients + [silent]
            })
        let words = result.faults.map { fault in
            "\n- \(escaped(PlainText.printable(FaultText.sentences(fault, result.instances))))"
        }
        return table + "\n" + words.joined()
    }

    private static func validity(_ validity: Validity) -> String {
        let reasons = validity.reasons.map { "\n- \(escaped(PlainText.printable($0)))" }.joined()
        return "## Validity\n\n\(validity.verdict.rawValue)" + (reasons.isEmpty ? "" : "\n\(reasons)")
    }

    private static func resources(_ resources: Resources, target: TargetResult?) -> String {
        var lines: [String] = []
        if !resources.instances.isEmpty { lines.append("- instances: \(ResourceTotal(resources.instances).text)") }
        if !resources.clients.isEmpty { lines.append("- clients: \(ResourceTotal(resources.clients).text)") }
        if let redis = resources.redis {
            let cpu = redis.cpuSeconds.map { "\(Figures.threeDigits($0)) s CPU, " } ?? ""
            lines.append("- Redis: \(cpu)\(Figures.grouped(redis.connections)) connections")
        }
        for (reason, count) in (target?.publishFailures ?? [:]).sorted(by: { $0.key < $1.key }) {
            lines.append("- publishes that failed: \(Figures.grouped(count)) (\(escaped(PlainText.printable(reason))))")
        }
        if let target {
            lines.append(
                "- sessions: \(Figures.grouped(target.sessionsClosed)) closed by the target, "
                    + "\(Figures.grouped(target.sessionsDropped)) dropped")
        }
        return lines.isEmpty ? "" : "## Resources\n\n" + lines.joined(separator: "\n")
    }

    private static func ground(_ environment: RunEnvironment, folder: String?) -> String {
        let cores = environment.cores == 1 ? "1 core" : "\(environment.cores) cores"
        var text = "wsmlab \(environment.version), Swift \(environment.swift), \(environment.kernel), \(cores)"
        if let redis = environment.redis { text += ", Redis \(redis)" }
        if let folder { text += ". Run folder: `\(PlainText.printable(folder))`" }
        return text
    }

    static func section(_ title: String, header: [String], rows: [[String]]) -> String {
        let lines = [header, header.map { _ in "---" }] + rows
        let table = lines.map { "| " + $0.map { cell($0) }.joined(separator: " | ") + " |" }
        return "## \(title)\n\n" + table.joined(separator: "\n")
    }

    private static func cell(_ text: String) -> String {
        let isMarkup = text.hasPrefix("`") || text.hasPrefix("**")
        let plain = PlainText.printable(text)
        return isMarkup ? plain.replacing("|", with: "\\|") : escaped(plain)
    }

    /// `text` with the characters escaped that Markdown or HTML would take for markup.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            if "\\`*_[]<>|#".contains(character) { result.append("\\") }
            result.append(character)
        }
        return result
    }
}
