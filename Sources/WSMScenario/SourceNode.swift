/// One value of a scenario as it was written, before anything is known of its meaning.
struct SourceNode {
    enum Content {
        /// A scalar; `plain` when it stood without quotes.
        case scalar(String, plain: Bool)
        case list([SourceNode])
        case map([SourceEntry])
    }

    var content: Content
    var origin: Origin

    /// A value that says "nothing here": an empty plain scalar, `null` or `~`.
    ///
    /// Such a key counts as left out.
    var isNull: Bool {
        guard case .scalar(let text, plain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// What the value is, for a message.
    var kindName: String {
        switch content {
        case .scalar: isNull ? "nothing" : "a single value"
        case .list: "a list"
        case .map: "a map"
        }
    }

    /// The entry of a map by its key: the first, should a key stand twice.
    subscript(key: String) -> SourceNode? {
        guard case .map(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value
    }

    /// The text of a scalar.
    var text: String? {
        guard case .scalar(let text, _) = content else { return nil }
        return text
    }

    var items: [SourceNode] {
        guard case .list(let items) = content else { return [] }
        return items
    }
}

/// A key of a map and its value.
struct SourceEntry {
    var key: String
    var keyOrigin: Origin
    var value: SourceNode
}
