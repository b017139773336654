package import WSMHarness
internal import WSMVerify

/// A comparison for people: the answer first, then figures, guarantees and costs, within one screen.
package enum CompareReport {
    /// More variants make more lines, never more than this.
    private static let lineLimit = 50
    private static let nameWidth = 28
    private static let valueWidth = 12

    /// The report, with a line feed at the end of each line.
    ///
    /// - Parameters:
    ///   - folder: Where compare.json and the run folders are; `nil` leaves the line out.
    ///   - width: The terminal's width in columns; 60 to ``TextReport/widthLimit`` are used.
    ///   - color: Whether to use terminal styles.
    package static func text(
        _ result: CompareResult, folder: String? = nil, width: Int = TextReport.widthLimit, color: Bool = false
    ) -> String {
        let width = min(max(width, 60), TextReport.widthLimit)
        var sections = [Section(lines: head(result, width: width))]
        for variant in result.variants.dropFirst() {
            sections.append(
                Section(
                    lines: figures(variant, result), separated: true, isElastic: true, fixed: 8,
                    more: "more of the figures, see compare.json"))
        }
        sections.append(guarantees(result, width: width))
        sections.append(
            Section(
                lines: result.warnings.flatMap { TextReport.entries("Mind", $0, width: width) }, separated: true,
                isElastic: true,
                fixed: 2, more: "more to mind, see compare.json"))
        sections.append(Section(lines: TextReport.ground(result.environment, folder: folder), separated: true))
        Section.fit(&sections, into: lineLimit)
        let lines = Section.lines(of: sections).map { line in
            Line(text: PlainText.cut(line.text, to: width), marks: line.marks)
        }
        return lines.map { $0.rendered(color: color) + "\n" }.joined()
    }

    private static func head(_ result: CompareResult, width: Int) -> [Line] {
        let (word, style) = CompareWords.word(result)
        let sentence = PlainText.printable("\(result.name): \(CompareWords.answer(result))")
        var lines = PlainText.wrap(sentence, width: width - word.count - 2).enumerated().map { index, text in
            Line(text: index == 0 ? "\(word)  \(text)" : PlainText.left("", word.count + 2) + text)
        }
        lines[0].marks = [word: style]
        return lines + [Line(text: PlainText.printable(CompareWords.setup(result)))]
    }

    // MARK: Figures

    /// One variant against the first, the most important figures first: what does not fit is left out from below.
    private static func figures(_ variant: CompareResult.Variant, _ result: CompareResult) -> [Line] {
        let first = result.variants[0].name
        let heads = [first, variant.name].map {
            PlainText.right(PlainText.cut(PlainText.printable($0), to: 11), valueWidth)
        }
        var lines = [
            Line(text: PlainText.left("Figure (median)", nameWidth) + heads.joined() + "     ratio   95 % interval")
        ]
        for path in order {
            guard let metric = result.metrics.first(where: { $0.path == path }),
                let ratio = metric.ratios.first(where: { $0.b == variant.name })
            else { continue }
            // What neither variant has at all is not worth a line.
            if metric.medians.values.allSatisfy({ $0 == 0 }), path != "delivery.lost" { continue }
            let values = [first, variant.name].map {
                PlainText.right(CompareWords.value(metric.medians[$0], path), valueWidth)
            }
            let factor = PlainText.right(ratio.ratio.map(CompareWords.times) ?? "–", 10)
            let interval = PlainText.right(CompareWords.interval(ratio), 16)
            let (word, style) = CompareWords.word(ratio.verdict)
            lines.append(
                Line(
                    text: PlainText.left("  " + CompareWords.name(path), nameWidth) + values.joined() + factor
                        + interval
                        + "  " + word, marks: style.map { [word: $0] } ?? [:]))
        }
        return lines
    }

    private static let order = [
        "delivery.lost", "delivery.perSecond", "latency.p50", "latency.p99",
        "resources.instances.cpuSecondsPerMillionDeliveries", "resources.redis.cpuSecondsPerMillionDeliveries",
        "resources.instances.peakRssBytes", "resources.redis.connections", "fanOutSkew.p99", "stages.queue.p99",
        "stages.publish.p99", "stages.broker.p99", "stages.write.p99", "delivery.duplicated", "delivery.reordered",
        "delivery.missedOffline", "latency.p90", "latency.p999", "latency.max",
    ]

    // MARK: Guarantees

    private static func guarantees(_ result: CompareResult, width: Int) -> Section {
        let alike = result.guarantees.filter { CompareWords.isAlike($0, result) }
        let others = result.guarantees.filter { !CompareWords.isAlike($0, result) }
        var lines: [Line] = []
        if !others.isEmpty {
            let names = result.variants.map { PlainText.left(PlainText.cut(PlainText.printable($0.name), to: 15), 16) }
            lines.append(Line(text: PlainText.left("Guarantee (* promised)", nameWidth) + names.joined()))
        }
        for guarantee in others {
            let words = result.variants.map { PlainText.left(CompareWords.verdict(guarantee.findings[$0.name]), 16) }
            lines.append(
                Line(
                    text: PlainText.left("  " + PlainText.printable(guarantee.id), nameWidth) + words.joined(),
                    marks: ["violated": .bad]))
        }
        for verdict in [Verdict.holds, .unknown] {
            let names = alike.filter { $0.findings.first?.value.verdict == verdict }.map { guarantee in
                guarantee.id + (guarantee.findings.first?.value.promised == true ? "*" : "")
            }
            guard !names.isEmpty else { continue }
            let label = verdict == .holds ? "All hold" : "Unknown"
            lines += TextReport.entries(label, names.joined(separator: " "), width: width)
        }
        return Section(
            lines: lines, separated: true, isElastic: true, fixed: 4, more: "more of the guarantees, see compare.json"
        )
    }
}
