package import WSMHarness

/// Predictions beside what was measured, for people: the answer first, then both distributions of each scenario.
package enum PredictionReport {
    /// The report, with a line feed at the end of each line.
    package static func text(_ result: PredictionResult, folder: String? = nil, color: Bool = false) -> String {
        let (word, style) = word(result)
        var lines = [Line(text: "\(word)  \(PlainText.printable(sentence(result)))", marks: [word: style])]
        for goal in result.goals { lines.append(Line(text: "  " + self.goal(goal))) }
        for entry in result.entries {
            lines.append(Line(text: ""))
            lines += table(entry)
        }
        lines.append(Line(text: ""))
        lines += TextReport.ground(result.environment, folder: folder)
        return lines.map { $0.rendered(color: color) + "\n" }.joined()
    }

    /// The same as Markdown.
    package static func markdown(_ result: PredictionResult, folder: String? = nil) -> String {
        var text = "## \(word(result).0)\n\n\(escaped(sentence(result)))\n"
        for goal in result.goals { text += "\n- \(escaped(self.goal(goal)))" }
        if !result.goals.isEmpty { text += "\n" }
        text += "\n| scenario | figure | predicted | live | deviation |\n|---|---|---:|---:|---:|\n"
        for entry in result.entries {
            for (index, row) in rows(entry).enumerated() {
                let name = index == 0 ? escaped(entry.name) : ""
                text += "| \(name) | \(row.name) | \(row.predicted) | \(row.live) | \(row.deviation) |\n"
            }
            if let remark = remark(entry) { text += "\n\(escaped(entry.name)): \(escaped(remark)).\n\n" }
        }
        if let folder { text += "\nFolder: \(escaped(folder))\n" }
        return text
    }

    private static func escaped(_ text: String) -> String { MarkdownReport.escaped(PlainText.printable(text)) }

    // MARK: Words

    private static func word(_ result: PredictionResult) -> (String, Style) {
        if result.interrupted { return ("INTERRUPTED", .doubtful) }
        return switch result.verdict {
        case .predicted: ("PREDICTED", .good)
        case .within: ("WITHIN", .good)
        case .outside: ("OUTSIDE", .bad)
        case .inconclusive: ("INCONCLUSIVE", .doubtful)
        }
    }

    private static func sentence(_ result: PredictionResult) -> String {
        let count = result.entries.count == 1 ? "1 scenario" : "\(result.entries.count) scenarios"
        let ground = "by \(result.calibration) of \(result.calibratedAt)"
        return switch result.verdict {
        case .predicted: "\(count) \(ground); --check runs them live, too"
        case .within: "\(count) \(ground): the predictions are as near to the live runs as they should be"
        case .outside: "\(count) \(ground): the predictions are further from the live runs than they should be"
        case .inconclusive: "\(count) \(ground): too few live runs tell anything"
        }
    }

    private static func goal(_ goal: PredictionResult.Goal) -> String {
        let bound = "within \(Figures.decimal(goal.bound * 100, places: 0)) %"
        guard let error = goal.medianError else { return "\(goal.figure) \(bound): no scenario tells" }
        let count = goal.scenarios == 1 ? "1 scenario" : "\(goal.scenarios) scenarios"
        return
            "\(goal.figure) \(bound): \(goal.isMet ? "met" : "missed"), median error "
            + "\(Figures.decimal(error * 100, places: 1)) % over \(count)"
    }

    /// Why an entry does not count; `nil` for one that does.
    private static func remark(_ entry: PredictionResult.Entry) -> String? {
        if let spoiled = entry.spoiled { return "does not count, the live run is INVALID: \(spoiled)" }
        guard entry.isBeyondBound else { return nil }
        return "does not count, the live run used more than "
            + "\(Figures.decimal(PredictionResult.utilisationBound * 100, places: 0)) % of the cores"
    }

    // MARK: Tables

    private struct Row {
        var name: String
        var predicted: String
        var live: String
        var deviation: String

        init(_ name: String, _ predicted: Double?, _ live: Double?, _ format: (Double) -> String) {
            self.name = name
            self.predicted = predicted.map(format) ?? "–"
            self.live = live.map(format) ?? "–"
            deviation =
                PredictionResult.deviation(predicted, live).map {
                    ($0 < 0 ? "-" : "+") + "\(Figures.decimal(abs($0) * 100, places: 1)) %"
                } ?? ""
        }
    }

    private static func rows(_ entry: PredictionResult.Entry) -> [Row] {
        let (predicted, live) = (entry.predicted, entry.live)
        func percent(_ value: Double) -> String { "\(Figures.decimal(value * 100, places: 1)) %" }
        var rows = [
            Row("latency p50", predicted.p50, live?.p50, { Figures.time($0) }),
            Row("latency p90", predicted.p90, live?.p90, { Figures.time($0) }),
            Row("latency p99", predicted.p99, live?.p99, { Figures.time($0) }),
            Row("latency p99.9", predicted.p999, live?.p999, { Figures.time($0) }),
            Row("deliveries", predicted.deliveriesPerSecond, live?.deliveriesPerSecond, Figures.rate),
            Row("utilisation", predicted.utilisation, live?.utilisation, percent),
        ]
        if let capacity = entry.capacity {
            rows.append(Row("capacity", capacity.predicted, capacity.live, Figures.rate))
        }
        return rows
    }

    private static func table(_ entry: PredictionResult.Entry) -> [Line] {
        func line(_ name: String, _ predicted: String, _ live: String, _ deviation: String) -> Line {
            Line(
                text: PlainText.left(name, 24) + PlainText.right(predicted, 14) + PlainText.right(live, 14)
                    + PlainText.right(deviation, 12))
        }
        var lines = [line(PlainText.cut(PlainText.printable(entry.name), to: 23), "predicted", "live", "deviation")]
        lines += rows(entry).map { line("  \($0.name)", $0.predicted, $0.live, $0.deviation) }
        if let remark = remark(entry) {
            lines += PlainText.wrap(PlainText.printable(remark), width: 90).map { Line(text: "  \($0)") }
        }
        return lines
    }
}
