/// One line of a screen: pieces of text, some of them in a style.
struct ScreenLine: Hashable {
    private struct Piece: Hashable {
        var text: String
        var style: Style?
    }

    private var pieces: [Piece] = []

    init(_ text: String = "", _ style: Style? = nil) { append(text, style) }

    /// How wide it is.
    var columns: Int { pieces.reduce(0) { $0 + TerminalText.columns($1.text) } }

    var isEmpty: Bool { pieces.isEmpty }

    mutating func append(_ text: String, _ style: Style? = nil) {
        if !text.isEmpty { pieces.append(Piece(text: text, style: style)) }
    }

    mutating func append(_ other: ScreenLine) { pieces += other.pieces }

    /// Fills it up to `width` columns.
    mutating func fill(to width: Int) { append(String(repeating: " ", count: max(0, width - columns))) }

    /// The line cut to `width` columns; what is cut off leaves an ellipsis.
    func cut(to width: Int) -> ScreenLine {
        guard columns > width else { return self }
        var result = ScreenLine()
        for piece in pieces {
            let room = width - result.columns
            let isLast = TerminalText.columns(piece.text) >= room
            result.append(isLast ? TerminalText.cut(piece.text + "…", to: room) : piece.text, piece.style)
            if isLast { break }
        }
        return result
    }

    func rendered(color: Bool) -> String {
        pieces.map { piece in piece.style?.apply(piece.text, color: color) ?? piece.text }.joined()
    }

    /// As many of `items`, with two spaces between them, as fit into `width` columns; the first one always, cut if it must be.
    static func row(_ items: [ScreenLine], width: Int) -> ScreenLine {
        var line = ScreenLine()
        for (index, item) in items.enumerated() {
            let isLast = index == items.count - 1
            let needed = line.columns + (index > 0 ? 2 : 0) + item.columns + (isLast ? 0 : 2)
            if index > 0, needed > width {
                if line.columns + 2 <= width { line.append(" …") }
                return line
            }
            if index > 0 { line.append("  ") }
            line.append(item)
        }
        return line.cut(to: width)
    }
}
