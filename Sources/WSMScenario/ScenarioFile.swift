/// What reading a scenario came to.
package struct LoadedScenario: Sendable {
    /// The scenario; `nil` if there is an error among the diagnostics.
    package var scenario: Scenario?
    /// All errors and warnings, in the order of their places.
    package var diagnostics: [Diagnostic]
}

/// Reads and checks scenario files.
///
/// All faults are found in one go. Reading takes bounded time and memory whatever the file holds, and touches nothing
/// but the file.
package enum ScenarioFile {
    /// Reads the file at `path`, with the values of `--set KEY=VALUE` flags put in before anything is checked.
    package static func load(path: String, overrides: [(String, String)] = []) -> LoadedScenario {
        var faults = DiagnosticList()
        switch SourceText.contents(path: path) {
        case .success(let bytes):
            return parse(bytes: bytes, name: path, overrides: overrides)
        case .failure(let failure):
            faults.error(at: .position(file: path, line: 1, column: 1), failure.message, hint: failure.hint)
            return LoadedScenario(scenario: nil, diagnostics: faults.sorted())
        }
    }

    /// Reads a scenario's text; `name` is the file that its diagnostics name.
    package static func parse(
        text: String, name: String = "scenario.yaml", overrides: [(String, String)] = []
    ) -> LoadedScenario {
        parse(bytes: Array(text.utf8), name: name, overrides: overrides)
    }

    /// Reads a scenario's bytes, which need not be text.
    package static func parse(bytes: [UInt8], name: String, overrides: [(String, String)] = []) -> LoadedScenario {
        var faults = DiagnosticList()
        guard let text = SourceText.decode(bytes, name: name, into: &faults),
            var root = SourceParser.parse(text, name: name, into: &faults)
        else { return LoadedScenario(scenario: nil, diagnostics: faults.sorted()) }
        if case .map = root.content { Overrides.apply(overrides, to: &root, into: &faults) }
        FormatChecker.check(root, into: &faults)
        CrossChecks.check(root, into: &faults)
        let scenario = faults.hasErrors ? nil : ScenarioBuilder.build(root)
        return LoadedScenario(scenario: scenario, diagnostics: faults.sorted())
    }
}
