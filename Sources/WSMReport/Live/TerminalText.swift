import WSMCore

/// How much room text takes on a terminal.
///
/// Counted by scalars, and where terminals differ by the larger of their answers: a line that fits here fits everywhere.
enum TerminalText {
    /// The columns of `text`, which holds no control characters.
    static func columns(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { $0 + columns($1) }
    }

    /// `text` cut to `width` columns, between characters; what is cut off leaves an ellipsis.
    static func cut(_ text: String, to width: Int) -> String {
        guard columns(text) > width else { return text }
        guard width > 0 else { return "" }
        var kept = ""
        var taken = 0
        for character in text {
            let more = columns(String(character))
            guard taken + more < width else { break }
            kept.append(character)
            taken += more
        }
        return kept + "…"
    }

    /// `text` filled up to `width` columns with spaces on its right.
    static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - columns(text)))
    }

    private static func columns(_ scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x300 { return 1 }
        // Asks for the picture of the character before it, which is wide.
        if scalar.value == 0xFE0F { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        if scalar.properties.isEmojiPresentation { return 2 }
        return isWide(scalar.value) ? 2 : 1
    }

    /// Whether East Asian Width (UAX #11) calls it wide or full-width, in blocks.
    private static func isWide(_ value: UInt32) -> Bool {
        switch value {
        case 0x1100...0x115F, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3,
            0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x1B2FF,
            0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1FAFF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }
}

/// A span of time as a clock on a screen shows it: whole seconds, which do not jump about.
enum ClockText {
    /// `0 s`, `47 s`, `2 min 05 s`, `1 h 03 min`; what has begun of a second counts as one.
    static func coarse(_ span: TimeSpan) -> String {
        let seconds = max(0, (span.nanoseconds + 999_999_999) / 1_000_000_000)
        if seconds < 60 { return "\(seconds) s" }
        let (large, small, units) =
            seconds < 3600
            ? (seconds / 60, seconds % 60, ("min", "s")) : (seconds / 3600, seconds / 60 % 60, ("h", "min"))
        return "\(large) \(units.0) \(small < 10 ? "0" : "")\(small) \(units.1)"
    }
}

/// A bar that fills up.
enum BarText {
    /// `[####----]`, `cells` wide between the brackets; full only when all is done.
    static func bar(_ share: Double, cells: Int) -> String {
        let full = share.isFinite ? Int((min(max(share, 0), 1) * Double(cells)).rounded(.down)) : 0
        return "[" + String(repeating: "#", count: full) + String(repeating: "-", count: cells - full) + "]"
    }
}
