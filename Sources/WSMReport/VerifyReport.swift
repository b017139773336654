package import WSMHarness
import WSMRecord
internal import WSMVerify

/// What came of checking a stored trace again, for people.
package enum VerifyReport {
    /// The report, with a line feed at the end of each line.
    ///
    /// - Parameters:
    ///   - width: the terminal's width in columns; 60 to ``TextReport/widthLimit`` are used.
    ///   - color: whether to use terminal styles.
    package static func text(_ result: VerifyResult, width: Int = TextReport.widthLimit, color: Bool = false) -> String
    {
        let width = min(max(width, 60), TextReport.widthLimit)
        var sections = [Section(lines: head(result, width: width)), Section(lines: read(result.read), separated: true)]
        if let delivery = result.delivery {
            sections.append(Section(lines: TextReport.messages(delivery), separated: true))
            sections.append(TextReport.losses(delivery))
            sections.append(Section(lines: latencies(result), separated: true))
            sections.append(TextReport.guarantees(result.guarantees, width: width))
        }
        if !result.differences.isEmpty { sections.append(Section(lines: differences(result), separated: true)) }
        let lines = Section.lines(of: sections).map { line in
            Line(text: PlainText.cut(line.text, to: width), marks: line.marks)
        }
        return lines.map { $0.rendered(color: color) + "\n" }.joined()
    }

    private static func head(_ result: VerifyResult, width: Int) -> [Line] {
        let (word, style) = headline(result)
        let name = result.name.map { "\($0): " } ?? ""
        let wrapped = PlainText.wrap(PlainText.printable("\(word)  \(name)\(result.reason)"), width: width)
        var lines = wrapped.map { Line(text: $0) }
        lines[0] = Line(text: word + "  " + lines[0].text.dropFirst(word.count + 1), marks: [word: style])
        var parts = [result.trace]
        if let version = result.writtenBy { parts.append("written by wsmlab \(version)") }
        if let startedAt = result.startedAt { parts.append("run of \(startedAt)") }
        if let seed = result.seed { parts.append("seed \(seed)") }
        lines.append(Line(text: PlainText.printable(parts.joined(separator: ", "))))
        lines.append(comparison(result))
        return lines
    }

    private static func headline(_ result: VerifyResult) -> (word: String, style: Style) {
        if let damage = result.damage { return (damage.code == .cut ? "CUT" : "DAMAGED", .bad) }
        if result.comparison == .different { return ("DIFFERENT", .bad) }
        return switch result.verdict {
        case .passed: ("PASSED", .good)
        case .threshold, .guarantee: ("FAILED", .bad)
        case .inconclusive: ("INCONCLUSIVE", .doubtful)
        }
    }

    private static func comparison(_ result: VerifyResult) -> Line {
        if result.damage != nil || result.delivery == nil {
            return Line(text: "Below is what could be read of it; it is not enough to check the run again.")
        }
        return switch result.comparison {
        case .same:
            Line(
                text: "Same as the live run: every delivery count, verdict, witness and latency.",
                marks: ["Same": .good])
        case .different:
            Line(text: "Not the same as the live run.", marks: ["Not the same": .bad])
        case .none:
            Line(text: "There is no result.json beside it to compare with.", marks: ["no result.json": .doubtful])
        }
    }

    private static func read(_ summary: TraceSummary) -> [Line] {
        var text = "\(Figures.grouped(summary.eventCount)) events in \(Figures.grouped(summary.chunks)) chunks: "
        text += "\(Figures.grouped(summary.receipts)) receipts, \(Figures.grouped(summary.messages)) messages, "
        text += "\(Figures.grouped(summary.sessions)) sessions"
        var lines = [TextReport.entry("Read", text)]
        if let first = summary.firstAt, let last = summary.lastAt {
            lines.append(TextReport.entry("", "over \(Figures.time(last - first))"))
        }
        if summary.dropped > 0 {
            let dropped = "\(Figures.grouped(summary.dropped)) events were dropped"
            lines.append(TextReport.entry("", "\(dropped) while the run was on", marks: [dropped: .bad]))
        }
        for (kind, count) in summary.events.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
            lines.append(
                TextReport.entry("", "  \(PlainText.left(kind, 16))\(PlainText.right(Figures.grouped(count), 14))"))
        }
        return lines
    }

    private static func latencies(_ result: VerifyResult) -> [Line] {
        let named: [(String, LatencySummary?)] = [
            ("Response", result.latency), ("Service", result.latencyFromActualSend), ("Skew", result.fanOutSkew),
            ("Slow", result.latencySlowReaders),
        ]
        return named.compactMap { label, summary in
            guard let summary, summary.count > 0 else { return nil }
            return TextReport.entry(
                label,
                "p50 \(Figures.time(summary.p50)), p99 \(Figures.time(summary.p99)), max \(Figures.time(summary.max)), "
                    + "\(Figures.grouped(Int(summary.count))) samples")
        }
    }

    private static func differences(_ result: VerifyResult) -> [Line] {
        result.differences.flatMap { difference in
            [
                TextReport.entry("Differs", PlainText.printable(difference.path), marks: ["Differs": .bad]),
                TextReport.entry("  live", PlainText.printable(difference.live)),
                TextReport.entry("  trace", PlainText.printable(difference.verified)),
            ]
        }
    }
}
