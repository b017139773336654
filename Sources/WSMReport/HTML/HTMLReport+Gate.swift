package import WSMHarness
internal import WSMVerify

extension HTMLReport {
    /// The page of a gate.
    package static func text(_ result: GateResult) -> String {
        let (word, style) = GateReport.headline(result)
        return HTMLPage(
            title: result.name, word: word, style: style, sentence: result.reasons.first ?? "",
            subtitle: GateReport.setup(result), startedAt: result.startedAt, environment: result.environment,
            parts: [
                .init(
                    id: "reasons", title: "Why",
                    nodes: HTMLPage.list(Array(result.reasons.dropFirst()) + result.notes)),
                .init(id: "figures", title: "Times and costs", nodes: figures(result)),
                .init(id: "counts", title: "Counts", nodes: counts(result)),
                .init(id: "guarantees", title: "Guarantees", nodes: guarantees(result)),
                .init(id: "runs", title: "The runs", nodes: runs(result)),
            ]
        ).text
    }

    // MARK: Figures

    private static func figures(_ result: GateResult) -> [HTMLNode] {
        guard !result.metrics.isEmpty else { return [] }
        let control = Dictionary(result.control.metrics.map { ($0.path, $0) }) { first, _ in first }
        return [forest(result, control).figure(id: "forest"), table(result, control).node].compactMap { $0 }
            + aboutControl(result)
    }

    private static func forest(_ result: GateResult, _ control: [String: GateMetric]) -> ForestPlot {
        let rows = result.metrics.compactMap { metric in
            metric.ratio.map { ratio in
                ForestPlot.Row(
                    name: GateReport.short(metric.path), value: ratio, low: metric.low, high: metric.high,
                    word: GateReport.word(metric.verdict).0, limit: 1 + metric.tolerance,
                    control: control[metric.path]?.ratio)
            }
        }
        var description = "Each dot is the ratio of new to old"
        description += result.mode == .against ? ", each line its 95 % interval" : ""
        description += "; at 1 nothing has changed, and beyond the upright mark it is not tolerated."
        if !control.isEmpty { description += " The ring is the old build against itself." }
        return ForestPlot(title: "New to old", description: description, rows: rows, least: 0.9...1.1)
    }

    private static func table(_ result: GateResult, _ control: [String: GateMetric]) -> ReportTable {
        let isAgainst = result.mode == .against
        let ofRounds = isAgainst ? ["95 % interval", "fresh rounds", "old to itself"] : []
        let numbers = ["old", "new", "ratio"] + ofRounds + ["tolerated"]
        var table = ReportTable(
            caption: isAgainst
                ? "Medians over the rounds, and the ratio that the rounds together give" : "Medians over the rounds",
            columns: [.text("figure"), .text("verdict")] + numbers.map { .number($0) }, rows: [])
        for (number, metric) in result.metrics.enumerated() {
            let (word, style) = GateReport.word(metric.verdict)
            var row = [
                GateReport.short(metric.path), word, value(metric.old, metric.path), value(metric.new, metric.path),
                ratio(metric.ratio),
            ]
            if isAgainst {
                row += [
                    metric.low.map { "\(ratio($0)) … \(ratio(metric.high))" } ?? "–", ratio(metric.freshRatio),
                    ratio(control[metric.path]?.ratio),
                ]
            }
            table.rows.append(row + ["+\(GateReport.percent(metric.tolerance))"])
            if let name = style.className { table.styles[number] = [1: name] }
        }
        return table
    }

    private static func aboutControl(_ result: GateResult) -> [HTMLNode] {
        guard !result.control.metrics.isEmpty else { return [] }
        return [
            HTMLPage.paragraph(
                result.control.fired
                    ? "The old build differs from itself by more than is tolerated: this machine makes differences, and "
                        + "nothing that is found here can be laid to the new build."
                    : "The old build does not differ from itself by more than is tolerated.",
                result.control.fired ? "warn" : "soft")
        ]
    }

    private static func value(_ value: Double?, _ path: String) -> String {
        value.map { GateReport.value($0, path) } ?? "–"
    }

    private static func ratio(_ ratio: Double?) -> String { ratio.map { Figures.decimal($0, places: 3) } ?? "–" }

    // MARK: Counts, guarantees, runs

    private static func counts(_ result: GateResult) -> [HTMLNode] {
        guard !result.counts.isEmpty else { return [] }
        var table = ReportTable(
            caption: "What has no noise to average out",
            columns: [.text("count"), .text("verdict"), .number("old"), .number("new")], rows: [])
        for (number, count) in result.counts.enumerated() {
            let (word, style) = GateReport.word(count.verdict)
            table.rows.append([count.path, word, value(count.old, count.path), value(count.new, count.path)])
            if let name = style.className { table.styles[number] = [1: name] }
        }
        return [table.node]
    }

    private static func guarantees(_ result: GateResult) -> [HTMLNode] {
        guard !result.guarantees.isEmpty else { return [] }
        var table = ReportTable(
            caption: "The worst of the rounds",
            columns: [.text("guarantee"), .text("old"), .text("new"), .text("expected"), .words("witness")], rows: [])
        for (number, guarantee) in result.guarantees.enumerated() {
            table.rows.append([
                guarantee.id, guarantee.old.rawValue, guarantee.new.rawValue, guarantee.expected.rawValue,
                guarantee.witness ?? "",
            ])
            if guarantee.isNewlyViolated { table.styles[number] = [2: "bad"] }
        }
        return [table.node]
    }

    private static func runs(_ result: GateResult) -> [HTMLNode] {
        guard !result.runs.isEmpty else { return [] }
        return [
            HTMLPage.paragraph("Each folder holds the whole of a run; wsmlab report FOLDER shows one.", "soft"),
            .tag(
                .details, [:],
                [.tag(.summary, [:], "\(result.runs.count) folders")] + HTMLPage.list(Array(result.runs.prefix(400)))),
        ]
    }
}
