/// The lines at the bottom of a terminal that are redrawn in place.
///
/// It knows what stands there, and gives the control sequences (ECMA-48) that change it; the owner writes them, each in one
/// piece, so that no half-drawn frame is seen. The cursor is hidden from the first frame on, until ``end()``.
struct LiveRegion {
    /// The columns of each line that stands there now.
    private var widths: [Int] = []
    private var isCursorHidden = false

    /// What replaces the region's lines by `lines`, on a terminal of `width` columns.
    ///
    /// The new lines are written over the old ones, and only what is left over is erased: nothing flickers.
    ///
    /// - Parameters:
    ///   - lines: None wider than `width`, control sequences not counted.
    ///   - columns: How wide each of them is.
    mutating func draw(_ lines: [String], columns: [Int], width: Int) -> String {
        var text = isCursorHidden ? "" : "\u{1b}[?25l"
        isCursorHidden = true
        text += home(width: width)
        // What an earlier, wider frame has left to the right of a line is erased before the line is left.
        text += lines.map { "\($0)\u{1b}[K" }.joined(separator: "\r\n")
        // The rest of the screen, below the last line.
        text += "\u{1b}[J"
        widths = columns
        return text
    }

    /// What writes `line` above the region, where it stays; the region is gone until it is drawn again.
    mutating func above(_ line: String, width: Int) -> String {
        defer { widths = [] }
        return "\(home(width: width))\u{1b}[J\(line)\r\n"
    }

    /// What takes the lines away and gives the cursor back; nothing where nothing was drawn.
    mutating func end(width: Int) -> String {
        guard isCursorHidden else { return "" }
        defer {
            widths = []
            isCursorHidden = false
        }
        return "\(home(width: width))\u{1b}[J\u{1b}[?25h"
    }

    /// Goes to the begin of the region's first line.
    ///
    /// A terminal that has become narrower has wrapped the lines that no longer fit, so that they take more rows.
    private func home(width: Int) -> String {
        let rows = widths.reduce(0) { $0 + max(1, ($1 + width - 1) / max(1, width)) }
        return rows > 1 ? "\r\u{1b}[\(rows - 1)A" : "\r"
    }
}
