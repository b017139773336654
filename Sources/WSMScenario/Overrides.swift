/// Puts the values of `--set KEY=VALUE` flags into the tree of a scenario before it is checked.
enum Overrides {
    /// One step of a dotted key.
    private enum Step {
        case key(String)
        case index(Int)
    }

    /// Applies the flags in their order, so that a later one wins.
    static func apply(_ overrides: [(String, String)], to root: inout SourceNode, into faults: inout DiagnosticList) {
        for (key, value) in overrides {
            guard let steps = steps(of: key, into: &faults),
                let node = SourceParser.parseOverride(value, key: key, into: &faults)
            else { continue }
            let origin = Origin.override(key: key)
            set(node, at: steps[...], in: &root, format: .map(ScenarioFormat.root), origin: origin, into: &faults)
        }
    }

    /// `workload[0].rate` and `workload.0.rate` are the same.
    private static func steps(of key: String, into faults: inout DiagnosticList) -> [Step]? {
        let origin = Origin.override(key: key)
        let hint = "a dotted key of the scenario: cluster.manager=memory, workload[0].rate=5/s"
        let words = key.split(whereSeparator: { $0 == "." || $0 == "[" }).map { word in
            word.hasSuffix("]") ? word.dropLast() : word
        }
        let isClean = !key.hasPrefix(".") && !key.hasSuffix(".") && !key.contains("..") && key.utf8.count <= 200
        guard !words.isEmpty, isClean, words.count <= 10, words.allSatisfy({ TextRule.isName(String($0)) }) else {
            faults.error(at: origin, "this is not a key", hint: hint)
            return nil
        }
        return words.map { word in
            if let index = Int(word) { return .index(index) }
            return .key(String(word))
        }
    }

    private static func set(
        _ value: SourceNode, at steps: ArraySlice<Step>, in node: inout SourceNode, format: Shape?, origin: Origin,
        into faults: inout DiagnosticList
    ) {
        guard let step = steps.first else {
            node = value
            return
        }
        switch step {
        case .index(let index):
            guard case .list(var items) = node.content, items.indices.contains(index) else {
                let count = node.items.count
                faults.error(
                    at: origin, "there is no item \(index)",
                    hint: count == 0 ? "there is no list here" : "the list has \(count), numbered from 0")
                return
            }
            var inner: Shape?
            if case .list(let element, _)? = format { inner = element }
            set(value, at: steps.dropFirst(), in: &items[index], format: inner, origin: origin, into: &faults)
            node.content = .list(items)
        case .key(let key):
            set(value, under: key, at: steps.dropFirst(), in: &node, format: format, origin: origin, into: &faults)
        }
    }

    private static func set(
        _ value: SourceNode, under key: String, at rest: ArraySlice<Step>, in node: inout SourceNode, format: Shape?,
        origin: Origin, into faults: inout DiagnosticList
    ) {
        var entries: [SourceEntry] = []
        switch node.content {
        case .map(let present): entries = present
        case .scalar: break
        case .list(let items):
            let hint = "write [0] to [\(max(0, items.count - 1))] before \(key)"
            faults.error(at: origin, "\(Diagnostic.quoted(key)) is a key, but a list stands there", hint: hint)
            return
        }
        let map = format?.mapFormat
        // A key that excludes another takes its place: cluster.redis.url that of cluster.redis.mode. A cluster does not
        // take that of a target, nor the other way round: that would be another scenario.
        let exclusive = key == "cluster" || key == "target" ? [] : map?.oneOf ?? []
        for group in [exclusive, map?.atMostOneOf ?? []] where group.contains(key) {
            entries.removeAll { $0.key != key && group.contains($0.key) }
        }
        let inner = map?.keys.first { $0.name == key }?.shape
        let empty = SourceNode(content: .map([]), origin: origin)
        let index = entries.firstIndex { $0.key == key } ?? entries.endIndex
        if index == entries.endIndex { entries.append(SourceEntry(key: key, keyOrigin: origin, value: empty)) }
        set(value, at: rest, in: &entries[index].value, format: inner, origin: origin, into: &faults)
        entries[index].keyOrigin = origin
        node.content = .map(entries)
    }
}
