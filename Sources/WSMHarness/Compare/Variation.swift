/// One `--vary KEY=A,B`: a scenario key and the values that it takes in turn.
package struct Variation: Hashable, Sendable {
    package var key: String
    /// At least two, all different.
    package var values: [String]

    /// Why a text is no variation.
    package struct Fault: Error, CustomStringConvertible {
        package var description: String
    }

    /// Reads `cluster.manager=memory,broadcast`.
    ///
    /// A comma inside brackets, braces or quotes belongs to a value: `cluster.redis={mode: embedded},{url: …}`.
    package init(parsing text: String) throws(Fault) {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw Fault(description: "--vary needs KEY=A,B, for example --vary cluster.manager=memory,broadcast")
        }
        key = String(text[..<equals])
        values = Self.parts(of: text[text.index(after: equals)...])
        guard values.count >= 2 else {
            throw Fault(description: "--vary \(key) needs two values or more, separated by commas")
        }
        guard !values.contains("") else { throw Fault(description: "--vary \(key) has an empty value") }
        guard Set(values).count == values.count else {
            throw Fault(description: "--vary \(key) has the same value twice")
        }
    }

    private static func parts(of text: Substring) -> [String] {
        var parts: [String] = [""]
        var depth = 0
        var quote: Character?
        for character in text {
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if "[{(".contains(character) {
                depth += 1
            } else if "]})".contains(character) {
                depth -= 1
            } else if character == ",", depth <= 0 {
                parts.append("")
                continue
            }
            parts[parts.count - 1].append(character)
        }
        return parts.map { part in
            let trimmed = part.drop { $0 == " " }
            return String(trimmed.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// Every combination of the variations' values, the last varying fastest.
    ///
    /// A combination is named after its values; where two keys have a value in common, after keys and values.
    package static func combinations(_ variations: [Variation]) -> [(name: String, set: [(key: String, value: String)])]
    {
        var all: [[(key: String, value: String)]] = [[]]
        for variation in variations {
            all = all.flatMap { before in variation.values.map { before + [(variation.key, $0)] } }
        }
        let isClear =
            variations.count == 1 || Set(variations.flatMap(\.values)).count == variations.flatMap(\.values).count
        let numeric = variations.contains { $0.values.contains { $0.allSatisfy { !$0.isLetter } } }
        return all.map { set in
            let name =
                isClear && !numeric
                ? set.map(\.value).joined(separator: " ")
                : set.map { "\($0.key.split(separator: ".").last ?? "")=\($0.value)" }.joined(separator: " ")
            return (name, set)
        }
    }
}
