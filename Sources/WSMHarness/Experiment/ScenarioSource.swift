package import WSMScenario

/// A scenario file together with the `--set` values that change it, as a program is given both.
///
/// Kept beside the checked scenario, since another build of wsmlab must be able to read the file by itself: with every
/// default written out it would find keys that it does not know.
package struct ScenarioSource: Sendable {
    package var path: String
    /// In the order in which they apply.
    package var changes: [(key: String, value: String)]

    package init(path: String, changes: [(key: String, value: String)] = []) {
        self.path = path
        self.changes = changes
    }

    /// The same with more changes, which win over those before.
    package func setting(_ more: [(key: String, value: String)]) -> ScenarioSource {
        ScenarioSource(path: path, changes: changes + more)
    }

    /// What the file and the changes come to.
    package func load() -> LoadedScenario {
        ScenarioFile.load(path: path, overrides: changes.map { ($0.key, $0.value) })
    }
}
