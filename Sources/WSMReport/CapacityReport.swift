internal import Foundation
package import WSMHarness
internal import WSMScenario

/// The result of a capacity search for people: the answer first, then the curve, within one screen.
package enum CapacityReport {
    /// The report, with a line feed at the end of each line.
    ///
    /// - Parameters:
    ///   - folder: Where capacity.json and the run folders are; `nil` leaves the line out.
    ///   - width: The terminal's width in columns; 60 to ``TextReport/widthLimit`` are used.
    ///   - color: Whether to use terminal styles.
    package static func text(
        _ result: CapacityResult, folder: String? = nil, width: Int = TextReport.widthLimit, color: Bool = false
    ) -> String {
        let width = min(max(width, 60), TextReport.widthLimit)
        var sections = [
            Section(lines: head(result, width: width)),
            Section(
                lines: curve(result, width: width), separated: true, isElastic: true, fixed: 12,
                more: "more of the loads, see \(CapacitySearch.resultName)"),
            Section(lines: exhaustion(result, width: width), separated: true),
            Section(lines: costs(result, width: width), separated: true),
            Section(
                lines: result.warnings.flatMap { TextReport.entries("Mind", $0, width: width) }, separated: true,
                isElastic: true,
                fixed: 2, more: "more to mind, see \(CapacitySearch.resultName)"),
            Section(lines: TextReport.ground(result.environment, folder: folder), separated: true),
        ]
        Section.fit(&sections, into: TextReport.lineLimit)
        let lines = Section.lines(of: sections).map { line in
            Line(text: PlainText.cut(line.text, to: width), marks: line.marks)
        }
        return lines.map { $0.rendered(color: color) + "\n" }.joined()
    }

    private static func head(_ result: CapacityResult, width: Int) -> [Line] {
        let word = CapacityWords.word(result)
        let sentence = PlainText.printable(CapacityWords.sentence(result))
        let wrapped = PlainText.wrap(sentence, width: width - word.count - 2)
        var lines = wrapped.prefix(4).enumerated().map { index, text in
            Line(text: index == 0 ? "\(word)  \(text)" : PlainText.left("", word.count + 2) + text)
        }
        if lines.isEmpty { lines = [Line(text: word)] }
        lines[0].marks = [word: CapacityWords.style(result)]
        return lines + [Line(text: PlainText.printable(CapacityWords.question(result)))]
    }

    // MARK: The curve

    private static func curve(_ result: CapacityResult, width: Int) -> [Line] {
        guard !result.points.isEmpty else { return [] }
        let columns = ["deliveries/s", "p50", "p99", "lost", "CPU"]
        let head =
            PlainText.right(result.unit, 12)
            + columns.map { PlainText.right($0, 10 + ($0.count > 10 ? 3 : 0)) }.joined()
        let plot = LatencyPlot(result, cells: max(8, min(24, width - head.count - 14)))
        var lines = [Line(text: head + "  " + plot.title)]
        for point in result.points {
            let cells = [
                PlainText.right(CapacityWords.number(point.load), 12),
                PlainText.right(Figures.grouped(Int(point.deliveriesPerSecond.rounded())), 13),
                PlainText.right(point.p50.map { Figures.time($0) } ?? "–", 10),
                PlainText.right(point.p99.map { Figures.time($0) } ?? "–", 10),
                PlainText.right(Figures.grouped(point.lost), 10),
                PlainText.right(point.cpu.map { Figures.threeDigits($0) } ?? "–", 10),
            ]
            let word = CapacityReport.word(point.outcome)
            let style: Style = point.outcome == .carried ? .good : point.outcome == .missed ? .bad : .doubtful
            lines.append(Line(text: cells.joined() + "  " + plot.bar(point.p99) + "  " + word, marks: [word: style]))
        }
        return lines
    }

    static func word(_ outcome: StepOutcome) -> String {
        switch outcome {
        case .carried: "carried"
        case .missed: "MISSED"
        case .notJudged: "NOT JUDGED"
        }
    }

    // MARK: What follows from it

    private static func exhaustion(_ result: CapacityResult, width: Int) -> [Line] {
        guard let resource = result.exhausted else { return [] }
        // What the answer says already is not said again.
        let evidence = result.evidence.filter { $0 != result.reason }.prefix(2)
        let text = ([resource.replacing("-", with: " ")] + evidence).joined(separator: "; ")
        return TextReport.entries("Exhausted", text, width: width)
    }

    private static func costs(_ result: CapacityResult, width: Int) -> [Line] {
        var texts = result.costs.map { "\(CostText.name($0.quantity)): \(CostText.sentence($0))" }
        if let text = CostText.inseparable(result.costs) { texts.append(text) }
        return texts.enumerated().flatMap { TextReport.entries($0 == 0 ? "Costs" : "", $1, width: width) }
    }
}

/// The p99 of each load as a bar on a logarithmic scale, with the limit marked where it is one of the p99.
private struct LatencyPlot {
    private let cells: Int
    private let low: Double
    private let high: Double
    private let limit: Double?

    init(_ result: CapacityResult, cells: Int) {
        self.cells = cells
        let values = result.points.compactMap(\.p99).map { max(1, Double($0)) }
        let threshold = try? Threshold.parse(result.limit).get()
        limit = threshold?.path == "latency.p99" ? threshold?.value : nil
        let all = values + (limit.map { [max(1, $0)] } ?? [])
        // The shortest bar stands for half of the least, so that no load is without one.
        low = (all.min() ?? 1) / 2
        high = max(all.max() ?? 1, low * 2)
    }

    var title: String { limit == nil ? "p99" : "p99, | its limit" }

    func bar(_ p99: Int64?) -> String {
        var bar = [Character](repeating: " ", count: cells)
        if let p99 { for cell in 0..<place(Double(p99)) { bar[cell] = "#" } }
        if let limit {
            let cell = min(cells - 1, place(limit))
            if bar[cell] == " " { bar[cell] = "|" }
        }
        return String(bar)
    }

    private func place(_ value: Double) -> Int {
        let share = log(max(value, low) / low) / log(high / low)
        return min(cells, max(0, Int((share * Double(cells)).rounded())))
    }
}
