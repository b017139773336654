import WSMCore

/// Holds a tree against the format: keys, types, units, bounds, and features that do not exist yet.
struct FormatChecker {
    var faults: DiagnosticList

    /// Adds every fault of `root` to `faults`.
    static func check(_ root: SourceNode, into faults: inout DiagnosticList) {
        var checker = FormatChecker(faults: faults)
        checker.check(root, against: ScenarioFormat.root, path: "")
        faults = checker.faults
    }

    // MARK: - Maps

    private mutating func check(_ node: SourceNode, against format: MapFormat, path: String) {
        guard case .map(let entries) = node.content else {
            let keys = format.keys.map(\.name).prefix(4).joined(separator: ", ")
            let place = path.isEmpty ? "a scenario" : path
            faults.error(at: node.origin, "\(place) must be a map, not \(node.kindName)", hint: "its keys: \(keys), …")
            return
        }
        for entry in entries {
            guard let key = format.keys.first(where: { $0.name == entry.key }) else {
                reportUnknown(entry, format: format, path: path)
                continue
            }
            check(entry, against: key, path: joined(path, key.name))
        }
        checkPresence(in: node, entries: entries, format: format, path: path)
    }

    private mutating func check(_ entry: SourceEntry, against key: KeyFormat, path: String) {
        if entry.value.isNull {
            if key.isRequired { faults.error(at: entry.keyOrigin, "\(path) has no value") }
            return
        }
        check(entry.value, against: key.shape, path: path)
        guard !key.isSupported else { return }
        faults.error(at: entry.keyOrigin, "\(path) is not supported yet", hint: "take the key out")
    }

    private mutating func checkPresence(
        in node: SourceNode, entries: [SourceEntry], format: MapFormat, path: String
    ) {
        let place = path.isEmpty ? "the scenario" : path
        let present = Set(entries.map(\.key))
        for key in format.keys where key.isRequired && !present.contains(key.name) {
            faults.error(at: node.origin, "\(place) needs the key \(key.name)", hint: key.summary)
        }
        for (group, isRequired) in [(format.oneOf, true), (format.atMostOneOf, false)] where !group.isEmpty {
            let found = entries.filter { group.contains($0.key) && !$0.value.isNull }
            if found.isEmpty, isRequired {
                faults.error(at: node.origin, "\(place) needs one of \(group.joined(separator: ", "))")
            }
            if found.count > 1 {
                let names = group.joined(separator: " and ")
                let isSystem = group.contains("target")
                faults.error(
                    at: found[1].keyOrigin, "\(place) can have only one of \(names)",
                    hint: isSystem
                        ? "a target runs already: it takes no cluster.* key, and --redis is a cluster's" : nil)
            }
        }
    }

    private mutating func reportUnknown(_ entry: SourceEntry, format: MapFormat, path: String) {
        let names = format.keys.map(\.name)
        var hint: String?
        if !faults.isFull { hint = EditDistance.nearest(to: entry.key, among: names).map { "did you mean \($0)?" } }
        if hint == nil, !faults.isFull {
            let holders = KeyIndex.places[entry.key] ?? []
            hint =
                holders.first.map { "\(entry.key) belongs under \($0)" }
                ?? "known keys: \(names.joined(separator: ", "))"
        }
        let place = path.isEmpty ? "" : " in \(path)"
        faults.error(at: entry.keyOrigin, "unknown key \(Diagnostic.quoted(entry.key))\(place)", hint: hint)
    }

    private func joined(_ path: String, _ name: String) -> String {
        path.isEmpty ? name : "\(path).\(name)"
    }

    // MARK: - Values

    private mutating func check(_ node: SourceNode, against shape: Shape, path: String) {
        switch shape {
        case .map(let format):
            check(node, against: format, path: path)
        case .list(let element, let counts):
            check(node, asListOf: element, counts: counts, path: path)
        case .variants(let key, let variants):
            check(node, variants: variants, key: key, path: path)
        case .choiceOr(let words, let format):
            if case .map = node.content {
                check(node, against: format, path: path)
            } else {
                check(node, words: words, unsupported: [], alternative: "a map of \(format.keys.map(\.name)[0])", path)
            }
        case .choice(let words, let unsupported):
            check(node, words: words, unsupported: unsupported, alternative: nil, path)
        default:
            guard let text = scalar(node, path) else { return }
            do {
                try checkScalar(text, at: node.origin, against: shape, path: path)
            } catch {
                faults.error(at: node.origin, "\(path): \(error.message)", hint: error.hint)
            }
        }
    }

    private mutating func scalar(_ node: SourceNode, _ path: String) -> String? {
        if let text = node.text, !node.isNull { return text }
        faults.error(at: node.origin, "\(path) must be a single value, not \(node.kindName)")
        return nil
    }

    private mutating func check(
        _ node: SourceNode, words: [String], unsupported: [String], alternative: String?, _ path: String
    ) {
        let known = words.joined(separator: ", ") + (alternative.map { ", or \($0)" } ?? "")
        guard let text = node.text, !node.isNull else {
            faults.error(at: node.origin, "\(path) must be one of \(known), not \(node.kindName)")
            return
        }
        guard words.contains(text) else {
            let nearest = EditDistance.nearest(to: text, among: words)
            faults.error(
                at: node.origin, "\(path): unknown value \(Diagnostic.quoted(text))",
                hint: nearest.map { "did you mean \($0)?" } ?? "one of \(known)")
            return
        }
        guard unsupported.contains(text) else { return }
        let others = words.filter { !unsupported.contains($0) }
        faults.error(
            at: node.origin, "\(path): \(text) is not supported yet", hint: "today: \(others.joined(separator: ", "))")
    }

    private mutating func check(
        _ node: SourceNode, asListOf element: Shape, counts: ClosedRange<Int>, path: String
    ) {
        guard case .list(let items) = node.content else {
            faults.error(
                at: node.origin, "\(path) must be a list, not \(node.kindName)", hint: "begin each item with \"- \"")
            return
        }
        guard items.count <= counts.upperBound else {
            faults.error(
                at: node.origin, "\(path) holds \(items.count) items; at most \(counts.upperBound) are allowed")
            return
        }
        for (index, item) in items.enumerated() { check(item, against: element, path: "\(path)[\(index)]") }
    }

    private mutating func check(_ node: SourceNode, variants: [Variant], key: String, path: String) {
        guard case .map(let entries) = node.content else {
            faults.error(at: node.origin, "\(path) must be a map with the key \(key), not \(node.kindName)")
            return
        }
        let words = variants.map(\.word)
        guard let discriminator = entries.first(where: { $0.key == key }), !discriminator.value.isNull else {
            faults.error(
                at: node.origin, "\(path) needs the key \(key)", hint: "one of \(words.joined(separator: ", "))")
            return
        }
        let pending = variants.filter { !$0.isSupported }.map(\.word)
        check(discriminator.value, words: words, unsupported: pending, alternative: nil, "\(path).\(key)")
        guard let variant = variants.first(where: { $0.word == discriminator.value.text }) else { return }
        let rest = SourceNode(content: .map(entries.filter { $0.key != key }), origin: node.origin)
        check(rest, against: variant.format, path: path)
    }
}

/// Where each key of the format belongs, to help with a key that stands at the wrong place.
private enum KeyIndex {
    static let places: [String: [String]] = {
        var places: [String: [String]] = [:]
        func walk(_ format: MapFormat, _ path: String) {
            for key in format.keys {
                places[key.name, default: []].append(path.isEmpty ? "the top level" : path)
                let inner = path.isEmpty ? key.name : "\(path).\(key.name)"
                if let format = key.shape.mapFormat { walk(format, inner) }
            }
        }
        walk(ScenarioFormat.root, "")
        return places
    }()
}
