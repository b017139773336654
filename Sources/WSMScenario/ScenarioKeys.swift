/// The dotted keys of the scenario format, for shells that complete `--set KEY=VALUE`.
package enum ScenarioKeys {
    /// What may follow `prefix`: keys with `=` at their end, maps with a dot, or the values of the key that `prefix` names.
    ///
    /// A number or a text has its default as its only value, if it has one.
    package static func completions(of prefix: String) -> [String] {
        if let equals = prefix.firstIndex(of: "=") {
            let key = prefix[..<equals]
            return values(of: key).map { "\(key)=\($0)" }.filter { $0.hasPrefix(prefix) }
        }
        let parent = prefix.lastIndex(of: ".").map { prefix[..<$0] }
        let head = parent.map { "\($0)." } ?? ""
        guard let keys = keys(under: parent ?? "") else { return [] }
        return keys.flatMap { endings(of: $0).map { ending in head + ending } }.filter { $0.hasPrefix(prefix) }
    }

    /// How a key goes on: `manager=`, `redis.`, `workload[0].`.
    private static func endings(of key: KeyFormat) -> [String] {
        switch key.shape {
        case .map: ["\(key.name)."]
        case .choiceOr: ["\(key.name)=", "\(key.name)."]
        case .list(of: .variants, _): ["\(key.name)[0]."]
        default: ["\(key.name)="]
        }
    }

    private static func values(of key: Substring) -> [String] {
        let parent = key.lastIndex(of: ".")
        let name = parent.map { key[key.index(after: $0)...] } ?? key
        guard let format = keys(under: parent.map { key[..<$0] } ?? "")?.first(where: { $0.name == name }) else {
            return []
        }
        switch format.shape {
        case .choice(let words, let unsupported): return words.filter { !unsupported.contains($0) }
        case .choiceOr(let words, _), .countOr(_, let words): return words
        case .flag: return ["true", "false"]
        default: return format.defaultText.map { [$0] } ?? []
        }
    }

    /// The keys of the map at a dotted path; `nil` where there is none.
    ///
    /// Of a list of variants all keys: which of them may stand depends on the file.
    private static func keys(under path: Substring) -> [KeyFormat]? {
        var shape = Shape.map(ScenarioFormat.root)
        guard !path.isEmpty else { return keys(of: shape) }
        for word in path.split(separator: ".", omittingEmptySubsequences: false) {
            if Int(word) != nil, case .list(of: let element, _) = shape {
                shape = element
                continue
            }
            let name = word.prefix { $0 != "[" }
            guard let found = keys(of: shape)?.first(where: { $0.name == name })?.shape else { return nil }
            shape = found
            if case .list(of: let element, _) = found, word.hasSuffix("]") { shape = element }
        }
        return keys(of: shape)
    }

    private static func keys(of shape: Shape) -> [KeyFormat]? {
        switch shape {
        case .map(let format), .choiceOr(_, let format): return format.keys.filter(\.isSupported)
        case .variants(let key, let variants):
            let word = KeyFormat(key, .choice(variants.filter(\.isSupported).map(\.word)), "")
            var known: Set<String> = [key]
            return [word] + variants.flatMap(\.format.keys).filter { $0.isSupported && known.insert($0.name).inserted }
        default: return nil
        }
    }
}
