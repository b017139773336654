/// Bounds what a YAML text can cost, before it is parsed.
enum TextBounds {
    /// Where brackets are first nested deeper than `limit`: libyaml takes time by their depth for every word in them.
    ///
    /// Comments and quoted texts are passed over as far as can be told without parsing.
    static func tooDeep(_ text: String, limit: Int) -> (line: Int, column: Int)? {
        var (line, column, depth) = (1, 0, 0)
        var quote: Unicode.Scalar?
        var inComment = false
        var last: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            column += 1
            let afterSpace = last == " " || last == "\t" || last == "\n"
            let startsWord = afterSpace || ["[", "{", ",", ":"].contains(last)
            last = scalar == "\r" ? "\n" : scalar
            if scalar == "\n" {
                (line, column, inComment) = (line + 1, 0, false)
            } else if inComment {
                continue
            } else if let mark = quote {
                if scalar == mark { quote = nil }
            } else if scalar == "#", afterSpace {
                inComment = true
            } else if scalar == "\"" || scalar == "'", startsWord {
                quote = scalar
            } else if scalar == "[" || scalar == "{" {
                depth += 1
                if depth > limit { return (line, column) }
            } else if scalar == "]" || scalar == "}" {
                depth = max(0, depth - 1)
            }
        }
        return nil
    }

    /// Bounds what aliases can make of a text before it is parsed: `n` aliases of `a` anchors multiply at most
    /// (n/k)^k times, k being the levels of nesting, of which there are at most `a` and which pay up to n/e.
    static func expandsTooFar(_ text: String, limit: Int) -> Bool {
        var (anchors, aliases) = (0, 0)
        var last: UInt8 = 0
        for byte in text.utf8 {
            let startsName = (48...57).contains(byte) || (65...90).contains(byte & 0xdf) || byte == 45 || byte == 95
            if startsName, last == UInt8(ascii: "&") { anchors += 1 }
            if startsName, last == UInt8(ascii: "*") { aliases += 1 }
            last = byte
        }
        let levels = max(1, min(anchors, aliases * 3 / 8))
        guard anchors > 0 else { return false }
        var size = Double(text.utf8.count)
        for _ in 0..<min(levels, 64) { size *= max(1, Double(aliases) / Double(levels)) }
        return size > Double(limit)
    }
}
