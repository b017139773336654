package import WSMHarness
internal import WSMVerify

/// What a gate found as Markdown, for pull requests; complete, so longer than the text.
package enum GateMarkdown {
    package static func text(_ result: GateResult, folder: String? = nil) -> String {
        var blocks = ["## \(GateReport.headline(result).word): \(escaped(result.name))"]
        blocks += result.reasons.isEmpty ? [] : [result.reasons.map { "- \(escaped($0))" }.joined(separator: "\n")]
        blocks.append(escaped(GateReport.setup(result)))
        if !result.metrics.isEmpty { blocks.append(metrics("Metric", result.metrics)) }
        if !result.control.metrics.isEmpty {
            let word = result.control.fired ? "fired" : "quiet"
            blocks.append(metrics("A/A control (\(word))", result.control.metrics))
        }
        if !result.counts.isEmpty { blocks.append(counts(result.counts)) }
        if !result.guarantees.isEmpty { blocks.append(guarantees(result.guarantees)) }
        if !result.notes.isEmpty { blocks.append(result.notes.map { "- \(escaped($0))" }.joined(separator: "\n")) }
        if let folder { blocks.append("Gate folder: `\(PlainText.printable(folder).replacing("`", with: "'"))`") }
        return blocks.joined(separator: "\n\n") + "\n"
    }

    private static func metrics(_ title: String, _ metrics: [GateMetric]) -> String {
        table(
            [title, "old", "new", "ratio", "95 % interval", "tolerated", "verdict"],
            metrics.map { metric in
                let interval =
                    if let low = metric.low, let high = metric.high {
                        "\(Figures.decimal(low, places: 3)) to \(Figures.decimal(high, places: 3))"
                    } else { "–" }
                return [
                    metric.path, metric.old.map { GateReport.value($0, metric.path) } ?? "–",
                    metric.new.map { GateReport.value($0, metric.path) } ?? "–",
                    metric.ratio.map { Figures.decimal($0, places: 3) } ?? "–", interval,
                    "+\(GateReport.percent(metric.tolerance))", GateReport.word(metric.verdict).0,
                ]
            })
    }

    private static func counts(_ counts: [GateCount]) -> String {
        table(
            ["Count", "old", "new", "verdict"],
            counts.map { count in
                [
                    count.path, count.old.map { GateReport.value($0, count.path) } ?? "–",
                    count.new.map { GateReport.value($0, count.path) } ?? "–", GateReport.word(count.verdict).0,
                ]
            })
    }

    private static func guarantees(_ guarantees: [GateGuarantee]) -> String {
        table(
            ["Guarantee", "expected", "old", "new", "witness"],
            guarantees.map { [$0.id, $0.expected.rawValue, $0.old.rawValue, $0.new.rawValue, $0.witness ?? ""] })
    }

    private static func table(_ header: [String], _ rows: [[String]]) -> String {
        let lines = [header, header.map { _ in "---" }] + rows.map { $0.map(escaped) }
        return lines.map { "| \($0.joined(separator: " | ")) |" }.joined(separator: "\n")
    }

    private static func escaped(_ text: String) -> String { MarkdownReport.escaped(PlainText.printable(text)) }
}
