/// A table that scrolls in a box of its own where it is wider than the page.
struct ReportTable {
    enum Column {
        case text(String)
        /// Its cells stand at the right.
        case number(String)
        /// Its cells hold sentences.
        case words(String)

        var name: String {
            switch self {
            case .text(let name), .number(let name), .words(let name): name
            }
        }

        var style: String? {
            switch self {
            case .text: nil
            case .number: "n"
            case .words: "w"
            }
        }
    }

    var caption: String
    var columns: [Column]
    /// The first cell of a row is its heading.
    var rows: [[String]]
    /// The class of single cells, by row and column: a verdict's colour.
    var styles: [Int: [Int: String]] = [:]

    var node: HTMLNode {
        let head = columns.map { column in
            HTMLNode.tag(.th, Self.attributes(column.style, extra: [.scope: "col"]), column.name)
        }
        let body = rows.enumerated().map { row, cells in
            HTMLNode.tag(
                .tr, [:],
                cells.prefix(columns.count).enumerated().map { index, cell in
                    let style = [columns[index].style, styles[row]?[index]].compactMap { $0 }.joined(separator: " ")
                    return index == 0
                        ? .tag(.th, Self.attributes(style, extra: [.scope: "row"]), cell)
                        : .tag(.td, Self.attributes(style), cell)
                })
        }
        return .tag(
            .div, [.class: "box", .tabindex: "0", .role: "region", .label: caption],
            [
                .tag(
                    .table, [:],
                    [
                        .tag(.caption, [:], caption), .tag(.thead, [:], [.tag(.tr, [:], head)]),
                        .tag(.tbody, [:], body),
                    ])
            ])
    }

    private static func attributes(
        _ style: String?, extra: [HTMLNode.Name: String] = [:]
    ) -> [HTMLNode.Name: String] {
        guard let style, !style.isEmpty else { return extra }
        return extra.merging([.class: style]) { $1 }
    }
}
