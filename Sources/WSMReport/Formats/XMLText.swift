/// Text in XML 1.0 (W3C, fifth edition, section 2.2 for the characters and 2.4 for the markup).
enum XMLText {
    /// `text` as it may stand between tags and between quotes.
    ///
    /// A character that XML forbids, also as a reference, is written as `\u{7}`; tabs and line ends are references, since a
    /// reader turns them into spaces within an attribute.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&apos;"
            case "\t": result += "&#9;"
            case "\n": result += "&#10;"
            case "\r": result += "&#13;"
            default:
                if isAllowed(scalar) {
                    result.unicodeScalars.append(scalar)
                } else {
                    result += "\\u{\(String(scalar.value, radix: 16))}"
                }
            }
        }
        return result
    }

    /// `Char` of the grammar, without the control characters that it discourages.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0, 0xfffe, 0xffff: false
        default: true
        }
    }
}
