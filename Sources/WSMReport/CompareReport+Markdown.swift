package import WSMHarness

extension CompareReport {
    /// The report as Markdown, for pull requests and notes; complete, so longer than the text.
    package static func markdown(_ result: CompareResult, folder: String? = nil) -> String {
        func plain(_ text: String) -> String { MarkdownReport.escaped(PlainText.printable(text)) }
        let (word, _) = CompareWords.word(result)
        var blocks = [
            "# \(word): \(plain("\(result.name): \(CompareWords.answer(result))"))", plain(CompareWords.setup(result)),
        ]
        for variant in result.variants.dropFirst() {
            let first = result.variants[0].name
            let rows = result.metrics.compactMap { metric -> [String]? in
                guard let ratio = metric.ratios.first(where: { $0.b == variant.name }) else { return nil }
                return [
                    CompareWords.name(metric.path), CompareWords.value(metric.medians[first], metric.path),
                    CompareWords.value(metric.medians[variant.name], metric.path),
                    ratio.ratio.map(CompareWords.times) ?? "–", CompareWords.interval(ratio),
                    CompareWords.word(ratio.verdict).text + (ratio.reason.map { ": \($0)" } ?? ""),
                ]
            }
            blocks.append(
                MarkdownReport.section(
                    "\(plain(variant.name)) against \(plain(first))",
                    header: ["median", first, variant.name, "ratio", "95 % interval", ""], rows: rows))
        }
        if !result.guarantees.isEmpty {
            blocks.append(
                MarkdownReport.section(
                    "Guarantees (\\* promised)", header: ["guarantee"] + result.variants.map(\.name),
                    rows: result.guarantees.map { guarantee in
                        [guarantee.id] + result.variants.map { CompareWords.verdict(guarantee.findings[$0.name]) }
                    }))
        }
        if !result.warnings.isEmpty {
            blocks.append("## Mind\n\n" + result.warnings.map { "- \(plain($0))" }.joined(separator: "\n"))
        }
        if let folder { blocks.append("Folder: `\(PlainText.printable(folder))`") }
        return blocks.joined(separator: "\n\n") + "\n"
    }
}
