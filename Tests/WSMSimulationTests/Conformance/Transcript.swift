/// What the actors of a script saw, each in its own order: the same for every system that behaves the same.
///
/// What depends on timing alone (who of two actors saw something first) is not in it.
struct Transcript: Hashable, CustomStringConvertible {
    private(set) var lines: [String: [String]] = [:]

    mutating func note(_ actor: String, _ line: String) { lines[actor, default: []].append(line) }

    func count(_ actor: String) -> Int { lines[actor]?.count ?? 0 }

    func says(_ actor: String, _ line: String) -> Bool { lines[actor]?.contains(line) == true }

    var description: String {
        lines.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.joined(separator: " | "))" }
            .joined(separator: "\n")
    }
}
