import Foundation
import Testing
import WSMCore
import WSMHarness
import WSMScenario

/// A run of a test, in a folder that is gone afterwards.
enum TestRun {
    /// What a test looks at beside the result.
    typealias Check = (_ folder: String, RunResult) throws -> Void

    /// Runs a scenario and checks what holds of every run: what is stored is what came out, the ledger balances, and the trace
    /// says the same.
    ///
    /// Of the validity only what spoils counts is judged unless `bounds` say otherwise: beside a whole test suite no time means
    /// anything.
    static func perform(
        _ scenario: Scenario, bounds: ValidityBounds = .countsOnly, interruption: Interruption = Interruption(),
        progress: @escaping @Sendable (RunProgress) -> Void = { _ in }, check: Check = { _, _ in }
    ) async throws -> RunResult {
        let folder = NSTemporaryDirectory() + "wsmlab-test-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var options = RunOptions(folder: folder, bounds: bounds)
        options.childProgram = RunningProgram.path
        let result = try await ScenarioRun.run(
            scenario: scenario, options: options, progress: progress, interruption: interruption
        ).result
        let stored = try RunResult(json: Data(contentsOf: URL(fileURLWithPath: "\(folder)/result.json")))
        #expect(stored == result)
        let yaml = try String(contentsOfFile: "\(folder)/scenario.yaml", encoding: .utf8)
        #expect(ScenarioFile.parse(text: yaml, name: "stored").scenario == scenario)
        #expect(result.delivery.isBalanced, "\(result.delivery)")
        let verified = try TraceVerification.verify(StoredRun(folder))
        #expect(verified.comparison == .same, "\(verified.reason) \(verified.differences)")
        try check(folder, result)
        return result
    }

    /// The same for a scenario's text.
    static func perform(
        text: String, overrides: [(String, String)] = [], bounds: ValidityBounds = .countsOnly,
        interruption: Interruption = Interruption(), progress: @escaping @Sendable (RunProgress) -> Void = { _ in },
        check: Check = { _, _ in }
    ) async throws -> RunResult {
        let loaded = ScenarioFile.parse(text: text, name: "test.yaml", overrides: overrides)
        let scenario = try #require(loaded.scenario, "\(loaded.diagnostics)")
        return try await perform(
            scenario, bounds: bounds, interruption: interruption, progress: progress, check: check)
    }
}
