package import WSMHarness
internal import WSMVerify

/// What a gate found, for people: the verdict and why first, then what it rests on, within one screen.
package enum GateReport {
    /// The report, with a line feed at the end of each line.
    ///
    /// - Parameters:
    ///   - folder: Where the gate's folder is; `nil` leaves the line out.
    ///   - width: The terminal's width in columns; 60 to ``TextReport/widthLimit`` are used.
    ///   - color: Whether to use terminal styles.
    package static func text(
        _ result: GateResult, folder: String? = nil, width: Int = TextReport.widthLimit, color: Bool = false
    ) -> String {
        let width = min(max(width, 60), TextReport.widthLimit)
        var sections = [
            Section(lines: head(result, width: width)),
            Section(
                lines: metrics(result), separated: true, isElastic: true, fixed: 3,
                more: "more of the metrics, see gate.json"),
            Section(lines: control(result, width: width)),
            Section(
                lines: counts(result), separated: true, isElastic: true, fixed: 1,
                more: "more of the counts, see gate.json"),
            Section(
                lines: guarantees(result, width: width), separated: true, isElastic: true, fixed: 1,
                more: "more of the guarantees, see gate.json"),
            Section(lines: notes(result, width: width), isElastic: true, more: "more of the notes, see gate.json"),
            Section(lines: ground(result, folder: folder), separated: true),
        ]
        Section.fit(&sections, into: TextReport.lineLimit)
        return Section.lines(of: sections).map { line in
            Line(text: PlainText.cut(line.text, to: width), marks: line.marks).rendered(color: color) + "\n"
        }.joined()
    }

    /// The very bytes of `gate.json`.
    package static func json(_ result: GateResult) throws -> String {
        String(decoding: try result.json(), as: UTF8.self)
    }

    // MARK: Head

    static func headline(_ result: GateResult) -> (word: String, style: Style) {
        if result.interrupted { return ("INTERRUPTED", .doubtful) }
        return switch result.verdict {
        case .pass: ("PASS", .good)
        case .regression: ("REGRESSION", .bad)
        case .inconclusive: ("INCONCLUSIVE", .doubtful)
        }
    }

    /// What was held against what, and over how many runs.
    static func setup(_ result: GateResult) -> String {
        let rounds = result.rounds == 1 ? "1 round" : "\(result.rounds) rounds"
        let fresh = result.freshRounds > 0 ? ", \(result.freshRounds) of them to confirm" : ""
        let repeated = result.repeated > 0 ? ", \(result.repeated) INVALID done again" : ""
        let what =
            result.mode == .against
            ? "against \(result.reference), interleaved" : "against baseline \(result.reference)"
        return PlainText.printable("\(what), \(rounds)\(fresh)\(repeated)")
    }

    private static func head(_ result: GateResult, width: Int) -> [Line] {
        let (word, style) = headline(result)
        var lines: [Line] = []
        let reasons = result.reasons.isEmpty ? [""] : result.reasons
        for (index, reason) in reasons.enumerated() {
            let text = PlainText.printable(index == 0 ? "\(word)  \(result.name): \(reason)" : reason)
            let indent = index == 0 ? "" : "  "
            lines += PlainText.wrap(text, width: width - 2).map { Line(text: indent + $0) }
        }
        // Wrapping joins words with one space; the word that answers stands apart from its reason.
        lines[0] = Line(text: word + "  " + lines[0].text.dropFirst(word.count + 1), marks: [word: style])
        return Array(lines.prefix(8)) + PlainText.wrap(setup(result), width: width).map { Line(text: $0) }
    }

    // MARK: Metrics

    private static let label = 50

    private static func metrics(_ result: GateResult) -> [Line] {
        guard !result.metrics.isEmpty else { return [] }
        let columns = ["old", "new", "ratio", "tolerated"]
        let header = columns.map { PlainText.right($0, 11) }.joined()
        var lines = [Line(text: PlainText.left("Metric", label) + header, marks: ["Metric": .bold])]
        for metric in result.metrics.sorted(by: { rank($0.verdict) < rank($1.verdict) }) {
            lines.append(row(metric))
            if let interval = interval(metric) { lines.append(Line(text: "    " + interval)) }
        }
        return lines
    }

    private static func row(_ metric: GateMetric) -> Line {
        let (word, style) = word(metric.verdict)
        let cells = [
            metric.old.map { value($0, metric.path) } ?? "–", metric.new.map { value($0, metric.path) } ?? "–",
            metric.ratio.map { Figures.decimal($0, places: 3) } ?? "–", "+\(percent(metric.tolerance))",
        ]
        let path = PlainText.cut(PlainText.printable(short(metric.path)), to: label - 13)
        return Line(
            text: PlainText.left(PlainText.left("  \(word)", 12) + path, label)
                + cells.map { PlainText.right($0, 11) }.joined(),
            marks: [word: style])
    }

    /// The interval where the point alone would not tell why the verdict is what it is.
    private static func interval(_ metric: GateMetric) -> String? {
        guard let low = metric.low, let high = metric.high else { return nil }
        guard metric.verdict == .worse || metric.verdict == .undecided || metric.verdict == .better else { return nil }
        var text = "        95 % interval of the ratio: \(Figures.decimal(low, places: 3)) to "
        text += Figures.decimal(high, places: 3)
        if let fresh = metric.freshRatio { text += "; fresh rounds alone: \(Figures.decimal(fresh, places: 3))" }
        return text
    }

    static func word(_ verdict: GateMetric.Verdict) -> (String, Style) {
        switch verdict {
        case .worse: ("WORSE", .bad)
        case .undecided: ("undecided", .doubtful)
        case .missing: ("no samples", .doubtful)
        case .better: ("better", .good)
        case .within: ("within", .dim)
        }
    }

    private static func rank(_ verdict: GateMetric.Verdict) -> Int {
        switch verdict {
        case .worse: 0
        case .missing: 1
        case .undecided: 2
        case .better: 3
        case .within: 4
        }
    }

    /// A path that fits a column: a ratio by its figure, and without what every reader knows.
    static func short(_ path: String) -> String {
        let parts = path.split(separator: "/", maxSplits: 1)
        var name = String(parts.first ?? "").replacing("cpuSecondsPerMillionDeliveries", with: "cpuPerMillion")
        if name.hasPrefix("resources.") { name = String(name.dropFirst("resources.".count)) }
        return parts.count == 2 ? "\(name) ÷ generator" : name
    }

    static func value(_ value: Double, _ path: String) -> String {
        path.contains("/") ? Figures.threeDigits(value) : MetricFormat.text(value, path: path)
    }

    static func percent(_ part: Double) -> String {
        let value = part * 100
        return "\(abs(value) >= 10 ? Figures.decimal(value, places: 0) : Figures.decimal(value, places: 1)) %"
    }

    private static func control(_ result: GateResult, width: Int) -> [Line] {
        guard !result.control.metrics.isEmpty else { return [] }
        let ratios = result.control.metrics.compactMap { metric -> String? in
            guard let ratio = metric.ratio else { return nil }
            let name = metric.path.split(separator: ".").suffix(2).joined(separator: ".")
            return "\(short(name)) \(Figures.decimal(ratio, places: 3))"
        }
        let word = result.control.fired ? "FIRED" : "quiet"
        let text = "\(word): the old build against itself: \(ratios.joined(separator: ", "))"
        let wrapped = PlainText.wrap(PlainText.printable(text), width: width - TextReport.margin)
        return wrapped.enumerated().map { index, line in
            TextReport.entry(
                index == 0 ? "A/A" : "", line, marks: index == 0 ? [word: result.control.fired ? .bad : .good] : [:])
        }
    }

    // MARK: Counts and guarantees

    private static func counts(_ result: GateResult) -> [Line] {
        let others = result.counts.filter { $0.verdict != .same }
        let same = result.counts.count - others.count
        var lines: [Line] = []
        if same > 0 { lines.append(TextReport.entry("Counts", "\(same) the same to the last one")) }
        for count in others.sorted(by: { rank($0.verdict) < rank($1.verdict) }) {
            let (word, style) = word(count.verdict)
            let text =
                "\(word): \(PlainText.printable(count.path)): \(count.old.map { value($0, count.path) } ?? "–") → "
                + (count.new.map { value($0, count.path) } ?? "–")
            lines.append(TextReport.entry(lines.isEmpty ? "Counts" : "", text, marks: [word: style]))
        }
        return lines
    }

    static func word(_ verdict: GateCount.Verdict) -> (String, Style) {
        switch verdict {
        case .worse: ("WORSE", .bad)
        case .missing: ("missing", .doubtful)
        case .better: ("better", .good)
        case .within: ("within", .dim)
        case .same: ("same", .dim)
        }
    }

    private static func rank(_ verdict: GateCount.Verdict) -> Int {
        switch verdict {
        case .worse: 0
        case .missing: 1
        case .better: 2
        case .within: 3
        case .same: 4
        }
    }

    private static func guarantees(_ result: GateResult, width: Int) -> [Line] {
        guard !result.guarantees.isEmpty else { return [] }
        let alike = result.guarantees.filter { $0.old == $0.new && $0.new == .holds }.count
        var lines = [TextReport.entry("Guarantees", "\(alike) hold as before")]
        for guarantee in result.guarantees where guarantee.old != guarantee.new || guarantee.new == .violated {
            let word = guarantee.isNewlyViolated ? "VIOLATED" : "\(guarantee.new.rawValue)"
            var text = "\(word): \(guarantee.id) (before: \(guarantee.old.rawValue))"
            if let witness = guarantee.witness { text += ": \(witness)" }
            lines.append(
                TextReport.entry(
                    "", PlainText.cut(PlainText.printable(text), to: width - TextReport.margin),
                    marks: guarantee.isNewlyViolated ? [word: .bad] : [:]))
        }
        return lines
    }

    private static func notes(_ result: GateResult, width: Int) -> [Line] {
        result.notes.flatMap { note in
            PlainText.wrap(PlainText.printable(note), width: width - TextReport.margin).enumerated().map {
                index, line in
                TextReport.entry(index == 0 ? "Note" : "", line)
            }
        }
    }

    private static func ground(_ result: GateResult, folder: String?) -> [Line] {
        let environment = result.environment
        var text = "wsmlab \(environment.version), Swift \(environment.swift), \(environment.kernel), "
        text += environment.cores == 1 ? "1 core" : "\(environment.cores) cores"
        var lines = [TextReport.entry("Ran on", PlainText.printable(text))]
        if let folder { lines.append(TextReport.entry("Gate folder", PlainText.printable(folder))) }
        return lines
    }
}
