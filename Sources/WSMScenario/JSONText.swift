import WSMCore

/// A JSON value whose objects keep the order of their members.
enum JSONText {
    case text(String)
    case integer(Int)
    case unsigned(UInt64)
    case boolean(Bool)
    case list([JSONText])
    case map([JSONMember])

    static func object(_ members: [(String, JSONText)]) -> JSONText {
        .map(members.map { JSONMember(name: $0.0, value: $0.1) })
    }

    /// The value as indented text.
    ///
    /// A list or object without nested ones stands on one line if it fits.
    func pretty(indent: Int = 0) -> String {
        let inner = String(repeating: "  ", count: indent + 1)
        let outer = String(repeating: "  ", count: indent)
        switch self {
        case .text(let text): return JSONString.quoted(text)
        case .integer(let value): return "\(value)"
        case .unsigned(let value): return "\(value)"
        case .boolean(let value): return "\(value)"
        case .list(let items):
            guard !items.isEmpty else { return "[]" }
            let line = "[\(items.map { $0.pretty() }.joined(separator: ", "))]"
            if !line.contains("\n"), line.utf8.count < 90 { return line }
            return "[\n\(items.map { inner + $0.pretty(indent: indent + 1) }.joined(separator: ",\n"))\n\(outer)]"
        case .map(let members):
            guard !members.isEmpty else { return "{}" }
            let lines = members.map { "\(inner)\(JSONString.quoted($0.name)): \($0.value.pretty(indent: indent + 1))" }
            return "{\n\(lines.joined(separator: ",\n"))\n\(outer)}"
        }
    }
}

/// A member of a JSON object.
struct JSONMember {
    var name: String
    var value: JSONText
}
