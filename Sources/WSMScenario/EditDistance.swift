/// Finds the known word that somebody most likely meant.
enum EditDistance {
    /// The candidate nearest to `word`, if it is near enough to be worth a hint: a third of its letters may differ, or it
    /// is the same word written in another case or with other separators.
    static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        let letters = Array(word.unicodeScalars.prefix(100))
        let folded = fold(word)
        var best: (candidate: String, distance: Int)?
        for candidate in candidates {
            if fold(candidate) == folded { return candidate }
            let distance = between(letters, Array(candidate.unicodeScalars))
            let allowed = max(1, max(letters.count, candidate.unicodeScalars.count) / 3)
            if distance <= allowed, distance < best?.distance ?? Int.max { best = (candidate, distance) }
        }
        return best?.candidate
    }

    private static func fold(_ word: String) -> String {
        String(word.prefix(100).lowercased().filter { $0 != "-" && $0 != "_" && $0 != " " })
    }

    /// The optimal string alignment distance: insertions, deletions, replacements, and swaps of two neighbours.
    private static func between(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                let cost = left[row] == right[column] ? 0 : 1
                var distance = min(last[column + 1] + 1, current[column] + 1, last[column] + cost)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    distance = min(distance, beforeLast[column - 1] + 1)
                }
                current.append(distance)
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }
}
