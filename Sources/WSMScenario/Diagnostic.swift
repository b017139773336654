/// One fault of a scenario, with the place to mend it.
package struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
    /// Whether the scenario can still be run.
    package enum Severity: String, Sendable {
        case error
        case warning
    }

    /// Where the fault stands.
    package enum Location: Hashable, Sendable {
        /// A line and a column of a file, both counted from 1; the column counts Unicode scalars, as YAML does.
        case position(file: String, line: Int, column: Int)
        /// The flag `--set KEY=VALUE`, by its key.
        case override(key: String)
    }

    package var severity: Severity
    package var location: Location
    package var message: String
    /// What to do about it, if there is something to add.
    package var hint: String?

    package init(severity: Severity = .error, location: Location, message: String, hint: String? = nil) {
        self.severity = severity
        self.location = location
        self.message = message
        self.hint = hint
    }

    /// `file:line:column: error: message`, and the hint on an indented line of its own.
    ///
    /// Control characters are written as escapes: a file's bytes must not steer the terminal that shows its faults.
    package var description: String {
        let head =
            switch location {
            case .position(let file, let line, let column): "\(file):\(line):\(column)"
            case .override(let key): "--set \(key)"
            }
        let first = "\(head): \(severity.rawValue): \(message)"
        return Diagnostic.printable(hint.map { "\(first)\n  hint: \($0)" } ?? first)
    }

    private static func printable(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
                result += scalar == "\n" ? "\n" : "\\u{\(String(scalar.value, radix: 16))}"
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension Diagnostic {
    /// The text of a scenario, cut so that a message stays readable whatever the file holds.
    static func quoted(_ text: String) -> String {
        let limit = 60
        let cut = text.unicodeScalars.prefix(limit + 1)
        let shown = cut.count > limit ? String(cut.prefix(limit)) + "…" : text
        return "\"\(shown.map { $0.isNewline ? "↵" : String($0) }.joined())\""
    }
}

/// The faults of one scenario while they are being found.
struct DiagnosticList {
    /// More than this many are not kept: nobody reads them, and a hostile file must not fill the memory.
    static let limit = 1000

    private(set) var items: [Diagnostic] = []
    private var seen: Set<Diagnostic> = []
    private var dropped = 0

    /// Adds a fault, once: a node that aliases share is checked at each of its uses.
    mutating func add(_ diagnostic: Diagnostic) {
        guard !isFull else {
            dropped += 1
            return
        }
        guard seen.insert(diagnostic).inserted else { return }
        items.append(diagnostic)
    }

    mutating func error(at origin: Origin, _ message: String, hint: String? = nil) {
        add(Diagnostic(location: origin, message: message, hint: hint))
    }

    mutating func warning(at origin: Origin, _ message: String, hint: String? = nil) {
        add(Diagnostic(severity: .warning, location: origin, message: message, hint: hint))
    }

    /// Whether what is added from here on is only counted: no work should go into its hint.
    var isFull: Bool { items.count >= DiagnosticList.limit }

    var hasErrors: Bool { items.contains { $0.severity == .error } }

    /// All faults in the order of their places; those of `--set` flags come after those of the file.
    func sorted() -> [Diagnostic] {
        var result = items.enumerated().sorted { left, right in
            let (a, b) = (left.element.location.sortKey, right.element.location.sortKey)
            return a == b ? left.offset < right.offset : a < b
        }.map(\.element)
        if dropped > 0, let last = result.last {
            result.append(Diagnostic(location: last.location, message: "\(dropped) more faults are not shown"))
        }
        return result
    }
}

/// Where a value of a scenario came from.
typealias Origin = Diagnostic.Location

extension Diagnostic.Location {
    fileprivate var sortKey: (Int, Int, Int) {
        switch self {
        case .position(_, let line, let column): (0, line, column)
        case .override: (1, 0, 0)
        }
    }
}
