/// Text that comes from outside, made fit for a terminal or a table.
enum PlainText {
    /// `text` on one line, with every character that could steer a terminal written as an escape.
    static func printable(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
                result += scalar == "\n" ? " " : "\\u{\(String(scalar.value, radix: 16))}"
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// `text` cut to `width` characters; what is cut off leaves an ellipsis.
    static func cut(_ text: String, to width: Int) -> String {
        text.count <= width ? text : String(text.prefix(max(0, width - 1))) + "…"
    }

    /// `text` filled up with spaces on its right.
    static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// `text` filled up with spaces on its left.
    static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// `text` broken between words into lines of at most `width` characters; a longer word is cut.
    static func wrap(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if line.isEmpty {
                line = cut(String(word), to: width)
            } else if line.count + 1 + word.count <= width {
                line += " " + word
            } else {
                lines.append(line)
                line = cut(String(word), to: width)
            }
        }
        return line.isEmpty ? lines : lines + [line]
    }
}

/// The few terminal styles that reports use (ECMA-48, select graphic rendition).
enum Style: String {
    case bold = "1"
    case dim = "2"
    case good = "1;32"
    case bad = "1;31"
    case doubtful = "1;33"

    /// `text` in this style, or as it is where there is no colour.
    func apply(_ text: String, color: Bool) -> String {
        color ? "\u{1b}[\(rawValue)m\(text)\u{1b}[0m" : text
    }
}
