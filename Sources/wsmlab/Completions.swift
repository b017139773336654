import ArgumentParser
import Foundation
import WSMHarness
import WSMScenario

/// Run folders, for shells that complete them.
enum RunCompletion {
    /// The stored runs and the newest one's link, and any folder below what has been typed.
    static let folders: @Sendable ([String], Int, String) -> [String] = { words, index, prefix in
        let typed = Completion.typed(words, index, prefix)
        let parent = (typed as NSString).deletingLastPathComponent
        let base = typed.hasSuffix("/") ? String(typed.dropLast()) : parent
        let near = (try? StoredRuns.folders(in: base.isEmpty ? "." : base)) ?? []
        let known = ((try? StoredRuns.folders(in: StoredRuns.standardFolder)) ?? []).reversed()
        let latest = FileManager.default.fileExists(atPath: "Results/latest") ? ["Results/latest"] : []
        let tidy = near.map { $0.hasPrefix("./") && !typed.hasPrefix("./") ? String($0.dropFirst(2)) : $0 }
        var seen: Set<String> = []
        return (latest + known + tidy).filter { $0.hasPrefix(typed) && seen.insert($0).inserted }
    }
}

/// Scenario keys, for shells that complete `--set`.
enum KeyCompletion {
    static let keys: @Sendable ([String], Int, String) -> [String] = { words, index, prefix in
        ScenarioKeys.completions(of: Completion.typed(words, index, prefix))
    }
}

/// What a shell tells of the word that is being completed.
enum Completion {
    /// The word up to the cursor, without a quote that the shell passes on.
    static func typed(_ words: [String], _ index: Int, _ prefix: String) -> String {
        let word = prefix.isEmpty && words.indices.contains(index) && words[index].count == 1 ? "" : prefix
        return String(word.drop { $0 == "'" || $0 == "\"" })
    }
}
