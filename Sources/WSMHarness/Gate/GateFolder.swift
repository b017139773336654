internal import Foundation
internal import WSMRecord
package import WSMScenario

/// The folder that a gate leaves behind: `gate.json`, and the folders of its runs.
struct GateFolder: Sendable {
    static let resultName = "gate.json"

    let path: String
    /// The wall clock when it was made.
    let startedAt: String

    /// Makes the folder; without a path `Results/runs/gate-<name>-<time>`.
    init(_ path: String?, name: String) throws {
        startedAt = RunFolder.timestamp()
        self.path = try RunFolder.make(path, name: "gate-\(name)").path
    }

    func write(_ result: GateResult) throws {
        let folder = RunFolder(path: path)
        try folder.write(Array(result.json()), as: Self.resultName)
        folder.linkLatest()
    }
}

/// Tells whether two runs were asked for the same.
package enum ScenarioHash {
    /// The hash of a scenario as it runs, 16 hexadecimal digits.
    ///
    /// What it is described as, and what is expected of it, is left out: they change no run.
    package static func of(_ scenario: Scenario) -> String {
        var plain = scenario
        plain.description = ""
        plain.expect = ExpectSpec()
        return ContentHash.hex(of: plain.yaml())
    }
}

/// Short names of contents: against mix-ups, not against an enemy.
enum ContentHash {
    /// XXH64 as 16 hexadecimal digits.
    static func hex(of text: String) -> String {
        let hash = Array(text.utf8).withUnsafeBytes { XXH64.hash($0, seed: 0) }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
