package import WSMHarness
import WSMRecord
internal import WSMVerify

/// The summary of a run for people: the answer first, then what it rests on, within one screen.
package enum TextReport {
    /// A summary has at most so many lines, whatever happened in the run.
    package static let lineLimit = 40
    /// A summary is at most so wide, also on a wider terminal.
    package static let widthLimit = 100

    /// The summary, with a line feed at the end of each line.
    ///
    /// - Parameters:
    ///   - folder: where the run folder is; `nil` leaves the line out.
    ///   - width: the terminal's width in columns; 60 to ``widthLimit`` are used.
    ///   - color: whether to use terminal styles.
    package static func summary(
        _ result: RunResult, folder: String? = nil, width: Int = widthLimit, color: Bool = false
    ) -> String {
        let width = min(max(width, 60), widthLimit)
        let headline = Headline(result)
        var sections = [
            Section(lines: head(headline, result: result, width: width)),
            Section(lines: messages(result.delivery), separated: true),
            losses(result.delivery),
            // What faults did is worth more of the screen than the stages of a message.
            Section(
                lines: latencies(result), separated: true, isElastic: !result.faults.isEmpty, fixed: 3,
                more: "more of the latencies, see result.json"),
            guarantees(result.guarantees, width: width),
            thresholds(result.thresholds, isVoid: result.validity.verdict == .invalid),
            neighbours(result, width: width),
            faults(result, width: width),
            validity(result.validity, timing: result.timing, clients: result.clients, width: width),
            Section(lines: resources(result) + generator(result), separated: true),
            target(result.target),
            Section(lines: ground(result, folder: folder)),
        ]
        Section.fit(&sections, into: lineLimit)
        let lines = Section.lines(of: sections).map { line in
            Line(text: PlainText.cut(line.text, to: width), marks: line.marks)
        }
        return lines.map { $0.rendered(color: color) + "\n" }.joined()
    }
}

// MARK: - Sections

extension TextReport {
    /// The width of the labels on the left.
    static let margin = 12

    static func entry(_ label: String, _ text: String, marks: [String: Style] = [:]) -> Line {
        Line(text: PlainText.left(label, margin) + text, marks: marks)
    }

    private static func head(_ headline: Headline, result: RunResult, width: Int) -> [Line] {
        let wrapped = PlainText.wrap("\(headline.word)  \(headline.sentence)", width: width - 1)
        var lines = wrapped.prefix(2).map { Line(text: $0) }
        if lines.isEmpty { lines = [Line(text: headline.word)] }
        // Wrapping joins words with one space; the word that answers stands apart from its reason.
        lines[0] = Line(
            text: headline.word + "  " + lines[0].text.dropFirst(headline.word.count + 1),
            marks: [headline.word: headline.style])
        return lines + [Line(text: Headline.setup(of: result))]
    }

    static func messages(_ delivery: DeliveryCounts) -> [Line] {
        let share = Figures.share(delivery.received, of: delivery.expected)
        let lost = "\(Figures.grouped(delivery.lost)) lost"
        var marks: [String: Style] = [:]
        if delivery.lost > 0 { marks[lost] = .bad }
        return [
            entry("Published", "\(Figures.grouped(delivery.published)) messages"),
            entry("Expected", "\(Figures.grouped(delivery.expected)) deliveries"),
            entry(
                "Received",
                "\(Figures.grouped(delivery.received)) deliveries (\(share)), \(Figures.rate(delivery.perSecond))"),
            entry(
                "Not so",
                "\(lost), \(Figures.grouped(delivery.duplicated)) duplicated, "
                    + "\(Figures.grouped(delivery.reordered)) reordered, "
                    + "\(Figures.grouped(delivery.indeterminate)) indeterminate", marks: marks),
            entry(
                "Not counted",
                "\(Figures.grouped(delivery.foreign)) foreign, "
                    + "\(Figures.grouped(delivery.missedOffline)) missed while offline"),
        ]
    }

    /// The largest cause first.
    static func losses(_ delivery: DeliveryCounts) -> Section {
        let causes = delivery.lostByCause.filter { $0.value > 0 }
            .sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let lines = causes.map { entry("  lost to", "\($0.key): \(Figures.grouped($0.value))") }
        return Section(lines: lines, isElastic: true)
    }

    private static func latencies(_ result: RunResult) -> [Line] {
        let columns = ["p50", "p90", "p99", "p99.9", "max"]
        let header = columns.map { PlainText.right($0, 10) }.joined() + PlainText.right("samples", 13)
        var lines = [Line(text: PlainText.left("Latency", labelWidth) + header, marks: ["Latency": .bold])]
        if result.validity.verdict == .invalid {
            lines.insert(Line(text: GeneratorText.disclaimer, marks: [GeneratorText.disclaimer: .bad]), at: 0)
        }
        lines.append(row("  response (from intended)", result.latency))
        for (label, summary) in [
            ("  service (from actual)", result.latencyFromActualSend), ("  schedule slip", result.scheduleSlip),
            ("  fan-out skew", result.fanOutSkew), ("  slow readers", result.latencySlowReaders),
        ] where summary.count > 0 {
            lines.append(row(label, summary))
        }
        let stages = [
            ("  worker", result.stages.worker), ("  queue", result.stages.queue),
            ("  publish", result.stages.publish), ("  broker", result.stages.broker),
            ("  write", result.stages.write), ("  wire", result.stages.wire),
        ].filter { $0.1.count > 0 }
        if !stages.isEmpty {
            lines.append(Line(text: "Stages", marks: ["Stages": .bold]))
            lines += stages.map { row($0.0, $0.1) }
        }
        return lines
    }

    private static let labelWidth = 26

    private static func row(_ label: String, _ summary: LatencySummary) -> Line {
        guard summary.count > 0 else { return Line(text: PlainText.left(label, labelWidth) + "  no samples") }
        let times = [summary.p50, summary.p90, summary.p99, summary.p999, summary.max].map { Figures.time($0) }
        let cells = times.map { PlainText.right($0, 10) } + [PlainText.right(Figures.grouped(Int(summary.count)), 13)]
        return Line(text: PlainText.left(label, labelWidth) + cells.joined())
    }

    /// All that hold share a line (`*` marks a promise); each other has a line of its own with its witness.
    static func guarantees(_ results: [GuaranteeResult], width: Int) -> Section {
        let holding = results.filter { $0.verdict == .holds && $0.expected != .violated }
        var lines: [Line] = []
        if !holding.isEmpty {
            let names = holding.map { $0.promised ? "\($0.id)*" : $0.id }.joined(separator: " ")
            let wrapped = PlainText.wrap(names + " (* promised)", width: width - margin)
            for (index, text) in wrapped.enumerated() { lines.append(entry(index == 0 ? "Hold" : "", text)) }
        }
        let fixed = lines.count
        for result in results.filter({ $0.verdict != .holds || $0.expected == .violated }) {
            lines.append(detail(result))
        }
        return Section(
            lines: lines, separated: true, isElastic: true, fixed: fixed,
            more: "more of the guarantees, see result.json")
    }

    private static func detail(_ result: GuaranteeResult) -> Line {
        let (label, style): (String, Style) =
            switch (result.verdict, result.expected) {
            case (.violated, .holds): ("VIOLATED", .bad)
            case (.violated, .violated): ("as expected", .dim)
            case (.violated, .any): ("violated", .doubtful)
            case (.holds, _): ("HOLDS", .bad)
            case (.unknown, .any): ("unknown", .dim)
            case (.unknown, _): ("UNKNOWN", .doubtful)
            }
        let note =
            switch (result.verdict, result.expected) {
            case (.holds, _): " (expected: violated)"
            case (.violated, .violated): " violated"
            default: result.promised ? " (promised)" : " (not promised)"
            }
        var text = result.id + note
        if result.verdict == .violated {
            text += ": \(Figures.grouped(result.violations)) of \(Figures.grouped(result.checked))"
        }
        if let witness = result.witness { text += ": " + PlainText.printable(witness) }
        return entry(label, text, marks: [label: style])
    }

    /// - Parameter isVoid: whether the numbers are not the system's, so that none of them was met or missed.
    private static func thresholds(_ results: [ThresholdResult], isVoid: Bool) -> Section {
        let lines = results.sorted { !$0.passed && $1.passed }.map { result in
            let actual = result.actual.map { MetricFormat.text($0, path: result.path) } ?? "no samples"
            let label = isVoid ? "Void" : result.passed ? "Met" : "MISSED"
            return entry(
                label, PlainText.printable("\(result.expression): \(actual)"),
                marks: [label: isVoid ? .dim : result.passed ? .good : .bad])
        }
        return Section(lines: lines, isElastic: true, more: "more of the thresholds, see result.json")
    }

    /// Each fault in its own words; those that did the most harm keep their lines longest.
    private static func neighbours(_ result: RunResult, width: Int) -> Section {
        let text = result.neighbours.map { NeighbourText.sentences($0) }
        let lines = text.map { PlainText.wrap($0, width: width - margin) } ?? []
        return Section(
            lines: lines.enumerated().map { entry($0 == 0 ? "Neighbours" : "", $1) }, separated: true)
    }

    private static func faults(_ result: RunResult, width: Int) -> Section {
        let worst = result.faults.sorted { ($1.lost, $0.at) < ($0.lost, $1.at) }
        let blocks = worst.map { fault in
            let text = PlainText.printable(FaultText.sentences(fault, result.instances))
            return PlainText.wrap(text, width: width - margin).enumerated().map { index, line in
                entry(index == 0 ? "Fault" : "", line)
            }
        }
        return Section(
            lines: blocks.flatMap { $0 }, separated: true, isElastic: true, fixed: blocks.first?.count ?? 0,
            more: "more of the faults, see result.json")
    }

    private static func validity(
        _ validity: Validity, timing: TimingCounts, clients: ClientCounts, width: Int
    ) -> Section {
        let style: Style = validity.verdict == .valid ? .good : validity.verdict == .suspect ? .doubtful : .bad
        let word = validity.verdict == .valid ? "valid" : validity.verdict.rawValue.uppercased()
        var text = word
        if timing.negativeLatencies > 0 {
            text += ", \(Figures.grouped(timing.negativeLatencies)) negative latencies"
        }
        if clients.failed > 0 { text += ", \(Figures.grouped(clients.failed)) clients never connected" }
        if let refused = clients.refused, refused.total > 0 {
            let kinds = refused.byName.filter { $0.count > 0 }.map { "\(Figures.grouped($0.count)) \($0.name)" }
            text += ", clients refused: \(kinds.joined(separator: ", "))"
        }
        if clients.reconnects > 0 { text += ", \(Figures.grouped(clients.reconnects)) reconnects" }
        let reasons = validity.reasons.flatMap { reason in
            PlainText.wrap(PlainText.printable(reason), width: width - margin).map { entry("", $0) }
        }
        return Section(
            lines: [entry("Validity", text, marks: [word: style])] + reasons, isElastic: true, fixed: 1,
            more: "more of the reasons, see result.json")
    }

    private static func resources(_ result: RunResult) -> [Line] {
        let resources = result.resources
        var lines: [Line] = []
        for (label, parts) in [
            ("Instances", resources.instances), ("Workers", resources.workers ?? []), ("Clients", resources.clients),
        ] where !parts.isEmpty {
            // Without sockets a delivery is recorded on its instance's event loop, and counted there.
            if result.setup.transport == "direct", label == "Clients" { continue }
            let total = ResourceTotal(parts)
            lines.append(entry(label, total.text + (result.setup.transport == "direct" ? ", their clients too" : "")))
        }
        if let redis = resources.redis {
            var text = "\(Figures.grouped(redis.connections)) connections"
            if let cpu = redis.cpuSeconds { text = "\(Figures.threeDigits(cpu)) s CPU, " + text }
            if let memory = redis.peakRssBytes { text += ", \(Figures.bytes(Double(memory))) at most" }
            lines.append(entry("Redis", text))
        }
        return lines
    }

    /// What a target did that its deliveries do not show: the most frequent failure of a publish first.
    private static func target(_ target: TargetResult?) -> Section {
        guard let target else { return Section(lines: []) }
        var lines = target.publishFailures.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { reason, count in
            entry("Publishes", PlainText.printable("\(Figures.grouped(count)) failed: \(reason)"))
        }
        if target.sessionsClosed + target.sessionsDropped > 0 {
            let closed = "\(Figures.grouped(target.sessionsClosed)) closed by the target"
            lines.append(entry("Sessions", "\(closed), \(Figures.grouped(target.sessionsDropped)) dropped"))
        }
        return Section(lines: lines, isElastic: true, more: "more of the failures, see result.json")
    }

    private static func generator(_ result: RunResult) -> [Line] {
        GeneratorText.line(result).map { [entry("Generator", $0)] } ?? []
    }

    private static func ground(_ result: RunResult, folder: String?) -> [Line] {
        let environment = result.environment
        var text = "wsmlab \(environment.version), Swift \(environment.swift), \(environment.kernel), "
        text += environment.cores == 1 ? "1 core" : "\(environment.cores) cores"
        if let redis = environment.redis { text += ", Redis \(redis)" }
        var lines = [entry("Ran on", PlainText.printable(text))]
        if let folder { lines.append(entry("Run folder", PlainText.printable(folder))) }
        return lines
    }
}
