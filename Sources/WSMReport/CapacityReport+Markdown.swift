package import WSMHarness

extension CapacityReport {
    /// The report as Markdown, for pull requests and notes; complete, so longer than the text.
    package static func markdown(_ result: CapacityResult, folder: String? = nil) -> String {
        func plain(_ text: String) -> String { MarkdownReport.escaped(PlainText.printable(text)) }
        func list(_ items: [String]) -> String { items.map { "- \(plain($0))" }.joined(separator: "\n") }
        var blocks = [
            "# \(CapacityWords.word(result)): \(plain(CapacityWords.sentence(result)))",
            plain(CapacityWords.question(result)),
        ]
        blocks.append(
            MarkdownReport.section(
                "Curve",
                header: [result.unit, "deliveries/s", "p50", "p99", "lost", "CPU", "outcome", "runs", "why"],
                rows: result.points.map { point in
                    [
                        CapacityWords.number(point.load), Figures.grouped(Int(point.deliveriesPerSecond.rounded())),
                        point.p50.map { Figures.time($0) } ?? "–", point.p99.map { Figures.time($0) } ?? "–",
                        Figures.grouped(point.lost), point.cpu.map { Figures.threeDigits($0) } ?? "–",
                        word(point.outcome), "\(point.runs.count)", point.reason ?? "",
                    ]
                }))
        if let resource = result.exhausted {
            let head = "## Exhausted\n\n\(plain(resource.replacing("-", with: " ")))"
            blocks.append(result.evidence.isEmpty ? head : "\(head)\n\n\(list(result.evidence))")
        }
        if !result.costs.isEmpty {
            var lines = result.costs.map { "\(CostText.name($0.quantity)): \(CostText.sentence($0))" }
            if let text = CostText.inseparable(result.costs) { lines.append(text) }
            blocks.append("## Costs\n\n\(list(lines))")
        }
        if !result.warnings.isEmpty { blocks.append("## Mind\n\n\(list(result.warnings))") }
        let environment = result.environment
        let cores = environment.cores == 1 ? "1 core" : "\(environment.cores) cores"
        var ground = "wsmlab \(environment.version), Swift \(environment.swift), \(environment.kernel), \(cores)"
        if let redis = environment.redis { ground += ", Redis \(redis)" }
        blocks.append(plain(ground) + (folder.map { ". Folder: `\(PlainText.printable($0))`" } ?? ""))
        return blocks.joined(separator: "\n\n") + "\n"
    }
}
