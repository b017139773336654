import WSMVerify

/// The report of the suite: which defect was found by which checker, how many times, in every layer.
///
/// Counts are sums over a twin's seeds, and are the same in every run; what depends on time is written as `some`.
struct Matrix {
    /// A twin with the sums of its trials.
    private struct Row {
        let twin: Twin
        let planted: Int64
        let found: Findings
    }

    private var rows: [Row] = []

    mutating func add(_ twin: Twin, _ trials: [Trial]) {
        let isTimed = trials.contains(where: \.isTimed)
        let found = trials.map(\.found).reduce(.clean, +)
        let planted = trials.reduce(0) { $0 + $1.planted }
        rows.append(
            Row(
                twin: twin, planted: isTimed && planted > 0 ? Findings.some : planted,
                found: isTimed ? found.withoutCounts : found))
    }

    /// A table for each layer, in Markdown.
    var markdown: String {
        Layer.allCases.map { layer in
            "### \(layer.title)\n\n" + table(rows.filter { $0.twin.layer == layer })
        }.joined(separator: "\n")
    }

    private static let ledger: [(name: String, count: any KeyPath<Findings, Int64> & Sendable)] = [
        ("lost", \.lost), ("duplicated", \.duplicated), ("reordered", \.reordered),
        ("indeterminate", \.indeterminate), ("missed offline", \.missedOffline), ("foreign", \.foreign),
    ]

    private func table(_ rows: [Row]) -> String {
        let ids = GuaranteeID.allCases.map(\.rawValue)
        let header = ["defect", "seeds", "planted"] + ids + Self.ledger.map { "*\($0.name)*" } + ["*causes*"]
        var lines = [line(header), line(header.indices.map { $0 == 0 ? "---" : "--:" })]
        for row in rows {
            let cells =
                [row.twin.name, "\(row.twin.seeds.count)", text(row.planted)]
                + ids.map { text(row.found.violations[$0] ?? 0) }
                + Self.ledger.map { text(row.found[keyPath: $0.count]) }
                + [row.found.lostByCause.keys.sorted().joined(separator: ", ")]
            lines.append(line(cells))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }

    private func text(_ count: Int64) -> String { count < 0 ? "some" : count == 0 ? "" : "\(count)" }
}
