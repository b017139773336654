import WSMCore

/// Reads typed values out of a tree that has been held against the format.
///
/// Each method gives the default for a key that is left out, and `nil` for a value that is wrong: that has been reported
/// already, and a check that needs the value cannot be made.
struct TreeReader {
    let node: SourceNode?

    func value(_ key: String) -> SourceNode? {
        guard let value = node?[key], !value.isNull else { return nil }
        return value
    }

    func has(_ key: String) -> Bool { value(key) != nil }

    func inside(_ key: String) -> TreeReader { TreeReader(node: value(key)) }

    func items(_ key: String) -> [TreeReader] { (value(key)?.items ?? []).map { TreeReader(node: $0) } }

    func text(_ key: String) -> String? { value(key)?.text }

    func read<Value>(_ key: String, _ fallback: Value, _ parse: (String) throws -> Value) -> Value? {
        guard let value = value(key) else { return fallback }
        return value.text.flatMap { try? parse($0) }
    }

    func count(_ key: String, _ fallback: Int) -> Int? { read(key, fallback, QuantityReader.count) }
    func duration(_ key: String, _ fallback: TimeSpan) -> TimeSpan? { read(key, fallback, QuantityReader.duration) }
    func rate(_ key: String, _ fallback: Rate) -> Rate? { read(key, fallback, QuantityReader.rate) }
    func size(_ key: String, _ fallback: Int) -> Int? { read(key, fallback, QuantityReader.size) }
    func byteRate(_ key: String, _ fallback: Int) -> Int? { read(key, fallback, QuantityReader.byteRate) }
    func share(_ key: String, _ fallback: Share) -> Share? { read(key, fallback, QuantityReader.share) }

    func flag(_ key: String, _ fallback: Bool) -> Bool? { read(key, fallback) { $0 == "true" } }

    func distribution(_ key: String, _ fallback: Distribution) -> Distribution? {
        read(key, fallback, QuantityReader.distribution)
    }

    func word<Word: RawRepresentable<String>>(_ key: String, _ fallback: Word) -> Word? {
        guard let value = value(key) else { return fallback }
        return value.text.flatMap(Word.init(rawValue:))
    }
}
