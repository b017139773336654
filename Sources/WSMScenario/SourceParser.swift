import Yams

/// Makes the tree of a scenario from its YAML text.
///
/// Bounded in time and memory whatever the text is.
struct SourceParser {
    /// More values than this, with aliases counted at each use, are no scenario.
    static let nodeLimit = 100_000
    /// The format itself nests six deep.
    static let depthLimit = 32
    /// Aliases may multiply a text's length to this many bytes at most.
    static let expansionLimit = 32 << 20

    private let name: String
    private var faults: DiagnosticList
    private var nodes = 0
    private var tooLarge = false

    /// Parses `text`; faults are added to `faults`.
    ///
    /// `nil` if there is no tree to check further.
    static func parse(_ text: String, name: String, into faults: inout DiagnosticList) -> SourceNode? {
        var parser = SourceParser(name: name, faults: faults)
        let node = parser.parse(text)
        faults = parser.faults
        return node
    }

    /// Parses the value of a `--set` flag, all of whose nodes come from that flag.
    static func parseOverride(_ text: String, key: String, into faults: inout DiagnosticList) -> SourceNode? {
        let origin = Origin.override(key: key)
        guard text.utf8.count <= 4096 else {
            faults.error(at: origin, "the value is longer than 4096 bytes")
            return nil
        }
        guard text.contains(where: { !$0.isWhitespace }) else {
            return SourceNode(content: .scalar("", plain: true), origin: origin)
        }
        var own = DiagnosticList()
        guard let decoded = SourceText.decode(Array(text.utf8), name: key, into: &own),
            let node = parse(decoded, name: key, into: &own)
        else {
            for fault in own.items { faults.error(at: origin, fault.message, hint: fault.hint) }
            return nil
        }
        for fault in own.items { faults.error(at: origin, fault.message, hint: fault.hint) }
        return node.moved(to: origin)
    }

    private init(name: String, faults: DiagnosticList) {
        self.name = name
        self.faults = faults
    }

    private mutating func parse(_ text: String) -> SourceNode? {
        if let place = TextBounds.tooDeep(text, limit: SourceParser.depthLimit) {
            let origin = Origin.position(file: name, line: place.line, column: place.column)
            faults.error(at: origin, "nested more than \(SourceParser.depthLimit) deep")
            return nil
        }
        guard !TextBounds.expandsTooFar(text, limit: SourceParser.expansionLimit) else {
            faults.error(at: start, "the aliases of this file multiply it beyond any scenario", hint: "write it out")
            return nil
        }
        guard let root = compose(text) else { return nil }
        let node = convert(root, depth: 0)
        return tooLarge ? nil : node
    }

    private var start: Origin { .position(file: name, line: 1, column: 1) }

    private func origin(_ mark: Mark?) -> Origin {
        .position(file: name, line: max(1, mark?.line ?? 1), column: max(1, mark?.column ?? 1))
    }
}

// MARK: - YAML

extension SourceParser {
    /// Has Yams make its tree.
    ///
    /// Yams refuses a duplicate key and stops there; since all faults are to be told at once, the first of two equal
    /// keys is disguised (see ``KeyDisguise``) and the text is read again.
    private mutating func compose(_ original: String) -> Node? {
        var text = original
        var budget = SourceText.byteLimit
        for round in 0..<KeyDisguise.rounds {
            do {
                let parser = try Yams.Parser(yaml: text, resolver: .basic, encoding: .utf8)
                if let root = try parser.singleRoot(), !isEmpty(root) { return root }
                faults.error(
                    at: start, "the scenario is empty", hint: "it needs at least name, duration, and cluster or target")
                return nil
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                budget -= text.utf8.count
                guard budget > 0, let next = KeyDisguise.apply(to: text, at: context.mark, round: round) else {
                    let name = names.first.map { KeyDisguise.remove(from: $0) } ?? ""
                    faults.error(
                        at: origin(context.mark), "the key \(Diagnostic.quoted(name)) stands twice",
                        hint: "mend this first: nothing else could be checked")
                    return nil
                }
                text = next
            } catch {
                report(error)
                return nil
            }
        }
        faults.error(at: start, "too many keys stand twice")
        return nil
    }

    private func isEmpty(_ root: Node) -> Bool {
        guard case .scalar(let scalar) = root else { return false }
        return scalar.string.isEmpty && scalar.style == .plain
    }

    private mutating func report(_ error: any Error) {
        switch error as? YamlError {
        case .parser(_, let problem, let mark, _) where problem.contains("nesting level"):
            faults.error(at: origin(mark), "nested more than \(SourceParser.depthLimit) deep")
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            let message = (context.map { "\($0.text): " } ?? "") + problem
            faults.error(at: origin(mark), "not YAML: \(message)", hint: hint(for: message))
        case .composer(_, let problem, let mark, _) where problem.contains("another document"):
            faults.error(at: origin(mark), "a second document begins here", hint: "a scenario file holds one")
        case .composer(_, let problem, let mark, _):
            faults.error(at: origin(mark), "not YAML: \(problem)")
        case .reader(let problem, _, _, _):
            faults.error(at: start, "not YAML: \(problem)")
        default:
            faults.error(at: start, "not YAML")
        }
    }

    private func hint(for message: String) -> String? {
        if message.contains("cannot start any token") { return "indent with spaces, and quote a text that begins so" }
        if message.contains("mapping values are not allowed") {
            return "a text that holds \": \" needs quotes; keys of one map have the same indentation"
        }
        if message.contains("expected ',' or") { return "a { or [ is not closed" }
        return nil
    }

    /// Turns a node of Yams into ours, checks the keys of its maps, and counts.
    private mutating func convert(_ node: Node, depth: Int) -> SourceNode {
        nodes += 1
        let origin = origin(node.mark)
        let nothing = SourceNode(content: .scalar("", plain: true), origin: origin)
        guard nodes <= SourceParser.nodeLimit, depth < SourceParser.depthLimit else {
            if !tooLarge {
                let deep = depth >= SourceParser.depthLimit
                faults.error(
                    at: origin,
                    deep
                        ? "nested more than \(SourceParser.depthLimit) deep"
                        : "more than \(SourceParser.nodeLimit) values")
            }
            tooLarge = true
            return nothing
        }
        guard !tooLarge else { return nothing }
        switch node {
        case .scalar(let scalar):
            return SourceNode(content: .scalar(scalar.string, plain: scalar.style == .plain), origin: origin)
        case .sequence(let sequence):
            return SourceNode(content: .list(sequence.map { convert($0, depth: depth + 1) }), origin: origin)
        case .mapping(let mapping):
            return SourceNode(content: .map(entries(of: mapping, depth: depth)), origin: origin)
        case .alias:
            return nothing
        }
    }

    private mutating func entries(of mapping: Node.Mapping, depth: Int) -> [SourceEntry] {
        var entries: [SourceEntry] = []
        var first: [String: Origin] = [:]
        for (keyNode, valueNode) in mapping {
            let keyOrigin = origin(keyNode.mark)
            guard case .scalar(let scalar) = keyNode else {
                faults.error(at: keyOrigin, "a key must be a single word")
                continue
            }
            let key = KeyDisguise.remove(from: scalar.string)
            if let earlier = first[key] {
                var hint: String?
                if case .position(_, let line, _) = earlier {
                    hint = "it stands in line \(line) already; keep one of them"
                }
                faults.error(at: keyOrigin, "the key \(Diagnostic.quoted(key)) stands twice", hint: hint)
                continue
            }
            first[key] = keyOrigin
            entries.append(SourceEntry(key: key, keyOrigin: keyOrigin, value: convert(valueNode, depth: depth + 1)))
        }
        return entries
    }
}

extension SourceNode {
    /// The same value, all of it from `origin`.
    fileprivate func moved(to origin: Origin) -> SourceNode {
        switch content {
        case .scalar:
            return SourceNode(content: content, origin: origin)
        case .list(let items):
            return SourceNode(content: .list(items.map { $0.moved(to: origin) }), origin: origin)
        case .map(let entries):
            let moved = entries.map {
                SourceEntry(key: $0.key, keyOrigin: origin, value: $0.value.moved(to: origin))
            }
            return SourceNode(content: .map(moved), origin: origin)
        }
    }
}

/// Makes equal keys of a map different for Yams without moving anything in the text.
///
/// The first character of a key is replaced by one from plane 15, which is for private use, and which says what stood
/// there and in which round it was replaced.
private enum KeyDisguise {
    static let rounds = 100
    private static let base: UInt32 = 0xf0000

    /// Disguises the key at `mark`; `nil` if it is not a plain or quoted word that begins with an ASCII character.
    static func apply(to text: String, at mark: Mark, round: Int) -> String? {
        var scalars = text.unicodeScalars
        guard var index = position(of: mark, in: scalars) else { return nil }
        if scalars[index] == "\"" || scalars[index] == "'" { scalars.formIndex(after: &index) }
        guard index < scalars.endIndex, isWord(scalars[index]) else { return nil }
        let code = base + UInt32(round) * 128 + scalars[index].value
        guard let disguised = Unicode.Scalar(code) else { return nil }
        scalars.replaceSubrange(index..<scalars.index(after: index), with: CollectionOfOne(disguised))
        return String(scalars)
    }

    static func remove(from key: String) -> String {
        guard let first = key.unicodeScalars.first, (base..<base + UInt32(rounds) * 128).contains(first.value),
            let original = Unicode.Scalar((first.value - base) % 128)
        else { return key }
        return String(Character(original)) + String(key.unicodeScalars.dropFirst())
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "_")
    }

    private static func position(of mark: Mark, in scalars: String.UnicodeScalarView) -> String.Index? {
        var (line, column) = (1, 1)
        var index = scalars.startIndex
        while index < scalars.endIndex {
            if line == mark.line, column == mark.column { return index }
            let scalar = scalars[index]
            scalars.formIndex(after: &index)
            // libyaml ends a line at each of these, and takes CR LF for one.
            let isPair = scalar == "\r" && index < scalars.endIndex && scalars[index] == "\n"
            if isPair { continue }
            let endsLine = ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"].contains(scalar)
            (line, column) = endsLine ? (line + 1, 1) : (line, column + 1)
        }
        return nil
    }
}
