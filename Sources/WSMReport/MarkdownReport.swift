package import WSMHarness
import WSMRecord
internal import WSMVerify

/// The result as Markdown, for a job's summary, pull requests and notes: the answer first, the details folded away.
package enum MarkdownReport {
    /// GitHub takes at most 1 MiB for the summary of a step, and drops a longer one as a whole.
    package static let byteLimit = 1_000_000
    /// No text of a run may take more of the page than this many characters.
    private static let textLimit = 500
    /// With less room than this for the details of a run, in bytes, none is written.
    private static let smallestDetail = 4096
    /// So many checks that did not pass are shown; `result.json` has the others.
    private static let checkLimit = 50

    /// One run.
    package static func text(_ result: RunResult, folder: String? = nil) -> String {
        text([ReportedRun(result, folder: folder)])
    }

    /// Several runs one after another, below a table of their verdicts.
    ///
    /// At most ``byteLimit`` bytes: the heads of all runs come before the details of the first.
    package static func text(_ runs: [ReportedRun]) -> String {
        var blocks = runs.count > 1 ? [overview(runs)] : []
        let heads = runs.map(head)
        var budget = byteLimit - 1000 - blocks.reduce(0) { $0 + $1.utf8.count + 2 }
        for (index, (run, head)) in zip(runs, heads).enumerated() {
            guard budget > head.utf8.count else {
                blocks.append("… and \(runs.count - index) more runs.")
                break
            }
            blocks.append(head)
            budget -= head.utf8.count + 2
            // What the heads of later runs need is theirs.
            let reserved = heads[(index + 1)...].reduce(0) { $0 + $1.utf8.count + 2 }
            let isTight = budget - reserved < smallestDetail
            var isCut = isTight
            for detail in isTight ? [] : details(run) {
                guard budget - reserved > detail.utf8.count + 2 else {
                    isCut = true
                    continue
                }
                blocks.append(detail)
                budget -= detail.utf8.count + 2
            }
            if isCut { blocks.append("Some details are left out, see `result.json`.") }
        }
        return blocks.joined(separator: "\n\n") + "\n"
    }

    private static func overview(_ runs: [ReportedRun]) -> String {
        let names = ReportedRun.names(of: runs)
        let rows = zip(names, runs).prefix(1000).map { name, run in
            let result = run.result
            return [
                name, Headline(result).word, Figures.share(result.delivery.received, of: result.delivery.expected),
                Figures.grouped(result.delivery.lost),
                result.latency.count > 0 ? Figures.time(result.latency.p99) : "–", result.reason,
            ]
        }
        return "# \(Figures.grouped(runs.count)) runs\n\n"
            + table(header: ["run", "verdict", "received", "lost", "p99", "reason"], rows: Array(rows))
    }

    /// What everybody should see of a run: its answer, what did not pass, and the figures that users feel.
    private static func head(_ run: ReportedRun) -> String {
        let result = run.result
        let headline = Headline(result)
        var blocks = [
            "# \(escaped(headline.word)): \(escaped(PlainText.cut(headline.sentence, to: textLimit)))",
            escaped(PlainText.cut(Headline.setup(of: result), to: textLimit)),
        ]
        let checks = RunCheck.all(of: result).filter { $0.outcome == .failed || $0.outcome == .unproven }
        if !checks.isEmpty {
            let rows = checks.prefix(checkLimit).map {
                [$0.name, $0.outcome == .failed ? "failed" : "unproven", $0.message]
            }
            blocks.append(table(header: ["did not pass", "", "found"], rows: Array(rows)))
            if checks.count > checkLimit { blocks.append("… and \(checks.count - checkLimit) more.") }
        }
        let counts = result.delivery
        let received =
            "\(Figures.grouped(counts.received)) of \(Figures.grouped(counts.expected)) deliveries received "
            + "(\(Figures.share(counts.received, of: counts.expected))), \(Figures.grouped(counts.lost)) lost"
        let latency = result.latency
        let times =
            latency.count > 0 && result.validity.verdict != .invalid
            ? "; latency p50 \(Figures.time(latency.p50)), p99 \(Figures.time(latency.p99)), "
                + "p99.9 \(Figures.time(latency.p999))" : ""
        blocks.append(received + times + ".")
        return blocks.joined(separator: "\n\n")
    }

    private static func details(_ run: ReportedRun) -> [String] {
        let result = run.result
        var blocks = [delivery(result.delivery), latencies(result)]
        if !result.guarantees.isEmpty { blocks.append(guarantees(result.guarantees)) }
        if !result.thresholds.isEmpty {
            blocks.append(thresholds(result.thresholds, isVoid: result.validity.verdict == .invalid))
        }
        if !result.faults.isEmpty { blocks.append(faults(result)) }
        if let neighbours = result.neighbours {
            blocks.append("Neighbours: \(escaped(PlainText.printable(NeighbourText.sentences(neighbours))))")
        }
        blocks.append(validity(result))
        let resources = resources(result.resources, target: result.target)
        if !resources.isEmpty { blocks.append(resources) }
        blocks.append(ground(result.environment, folder: run.folder))
        return blocks
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
        return folded("Delivery", table(header: ["", "count"], rows: rows))
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
        guard !rows.isEmpty else { return folded("Latency", "No samples.") }
        let figures = table(
            header: ["", "min", "mean", "p50", "p90", "p99", "p99.9", "max", "samples"], rows: rows)
        let isVoid = result.validity.verdict == .invalid
        return folded("Latency", isVoid ? "**\(GeneratorText.disclaimer)**\n\n\(figures)" : figures)
    }

    private static func guarantees(_ results: [GuaranteeResult]) -> String {
        folded(
            "Guarantees",
            table(
                header: ["guarantee", "verdict", "promised", "expected", "checked", "violations", "witness"],
                rows: results.map { result in
                    [
                        result.id, result.verdict.rawValue, result.promised ? "yes" : "no", result.expected.rawValue,
                        Figures.grouped(result.checked), Figures.grouped(result.violations), result.witness ?? "",
                    ]
                }))
    }

    private static func thresholds(_ results: [ThresholdResult], isVoid: Bool) -> String {
        folded(
            "Thresholds",
            table(
                header: ["threshold", "actual", isVoid ? "void: the run is INVALID" : ""],
                rows: results.map { result in
                    [
                        result.expression,
                        result.actual.map { MetricFormat.text($0, path: result.path) } ?? "no samples",
                        isVoid ? "–" : result.passed ? "met" : "missed",
                    ]
                }))
    }

    private static func faults(_ result: RunResult) -> String {
        let table = table(
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
        return folded("Faults", table + "\n" + words.joined())
    }

    private static func validity(_ result: RunResult) -> String {
        var lines = [result.validity.verdict.rawValue]
        lines += result.validity.reasons.map { "- \(escaped(PlainText.printable($0)))" }
        if let line = GeneratorText.line(result) { lines.append("- generator: \(escaped(line))") }
        return folded(
            "Validity", lines.count == 1 ? lines[0] : "\(lines[0])\n\n\(lines[1...].joined(separator: "\n"))")
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
        return lines.isEmpty ? "" : folded("Resources", lines.joined(separator: "\n"))
    }

    private static func ground(_ environment: RunEnvironment, folder: String?) -> String {
        let cores = environment.cores == 1 ? "1 core" : "\(environment.cores) cores"
        var text = "wsmlab \(environment.version), Swift \(environment.swift), \(environment.kernel), \(cores)"
        if let redis = environment.redis { text += ", Redis \(redis)" }
        if let folder { text += ". Run folder: \(folder)" }
        return escaped(PlainText.printable(PlainText.cut(text, to: textLimit)))
    }

    /// A heading and a table; also for the reports of experiments.
    static func section(_ title: String, header: [String], rows: [[String]]) -> String {
        "## \(title)\n\n" + table(header: header, rows: rows)
    }

    /// A part that GitHub and GitLab show folded, with its title.
    private static func folded(_ title: String, _ content: String) -> String {
        "<details><summary>\(title)</summary>\n\n\(content)\n\n</details>"
    }

    private static func table(header: [String], rows: [[String]]) -> String {
        let lines = [header.map(cell), header.map { _ in "---" }] + rows.map { $0.map(cell) }
        return lines.map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
    }

    private static func cell(_ text: String) -> String {
        escaped(PlainText.printable(PlainText.cut(text, to: textLimit)))
    }

    private static let markup = Set("\\`*_[]<>|#&~$!".unicodeScalars)

    /// `text` with the characters escaped that Markdown or HTML would take for markup.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if markup.contains(scalar) { result.append("\\") }
            result.unicodeScalars.append(scalar)
        }
        return result
    }
}
