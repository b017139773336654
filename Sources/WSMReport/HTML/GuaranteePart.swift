import WSMHarness
internal import WSMVerify

/// The guarantees of a run: a table, and each violation with its witness.
enum GuaranteePart {
    static func nodes(_ guarantees: [GuaranteeResult]) -> [HTMLNode] {
        guard !guarantees.isEmpty else { return [] }
        var table = ReportTable(
            caption: "What was promised, what was expected, and what was found",
            columns: [
                .text("guarantee"), .text("verdict"), .text("promised"), .number("checked"), .number("violations"),
            ], rows: [])
        for (row, guarantee) in guarantees.enumerated() {
            let (word, style) = words(guarantee)
            table.rows.append([
                guarantee.id, word, guarantee.promised ? "yes" : "no", Figures.grouped(guarantee.checked),
                Figures.grouped(guarantee.violations),
            ])
            table.styles[row] = [1: style]
        }
        return [table.node] + guarantees.enumerated().flatMap { witness($0.element, number: $0.offset) }
    }

    /// The verdict in words with a sign, since colour is never the only one.
    static func words(_ guarantee: GuaranteeResult) -> (String, style: String) {
        switch (guarantee.verdict, guarantee.expected) {
        case (.holds, .violated): ("✕ holds, expected violated", "bad")
        case (.holds, _): ("✓ holds", "good")
        case (.violated, .holds): ("✕ violated", "bad")
        case (.violated, .violated): ("✓ violated, as expected", "soft")
        case (.violated, .any): ("! violated", "warn")
        case (.unknown, .any): ("? unknown", "soft")
        case (.unknown, _): ("? unknown", "warn")
        }
    }

    private static func witness(_ guarantee: GuaranteeResult, number: Int) -> [HTMLNode] {
        guard guarantee.verdict == .violated, let witness = guarantee.witness else { return [] }
        let diagram = WitnessDiagram(guarantee.witnessEvents ?? []).figure(id: "witness-\(number)", witness: witness)
        return [.tag(.h3, [:], guarantee.id), diagram ?? HTMLPage.paragraph(witness)]
    }
}
