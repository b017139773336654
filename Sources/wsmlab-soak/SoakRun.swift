import Foundation
import WSMCore
import WSMHarness
import WSMScenario
import WSMVerify

/// One run of the soak: what is wrong with it, if anything is.
struct SoakRun {
    /// Far beyond what a run of some 3 s takes on a busy machine, and every wait in it has a deadline of its own.
    static let deadline = 90.0

    let seed: UInt64
    let yaml: String
    /// The program that processes of a run are started from.
    let program: String

    struct Outcome: Sendable {
        var faults: [String]
        var verdict = ""
        var published = 0
        var expected = 0
        var lost = 0
        var injected = 0
    }

    func perform() async -> Outcome {
        let loaded = ScenarioFile.parse(text: yaml, name: "soak-\(seed).yaml")
        guard let scenario = loaded.scenario else {
            return Outcome(faults: ["the scenario is refused: \(loaded.diagnostics)"])
        }
        let folder = NSTemporaryDirectory() + "wsmlab-soak-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var options = RunOptions(folder: folder, bounds: .countsOnly)
        options.childProgram = program
        do {
            let outcome = try await ScenarioRun.run(
                scenario: scenario, options: options, progress: { _ in }, interruption: Interruption())
            return try judge(outcome.result, scenario, folder: folder)
        } catch {
            return Outcome(faults: ["the run came to nothing: \(error)"])
        }
    }

    private func judge(_ result: RunResult, _ scenario: Scenario, folder: String) throws -> Outcome {
        var faults: [String] = []
        if !result.delivery.isBalanced { faults.append("the ledger does not balance: \(result.delivery)") }
        if let count = result.delivery.lostByCause["unexplained"], count > 0 {
            faults.append("\(count) deliveries are lost unexplained")
        }
        for guarantee in result.guarantees where guarantee.promised && guarantee.verdict == .violated {
            // What the reference does: a fault ends its broadcast thread, and all that comes after is lost. No false alarm.
            let isDeadThread =
                scenario.cluster.threadOnError == .exit && result.delivery.lostByCause["thread-dead"] != nil
            if guarantee.id == GuaranteeID.completeness.rawValue, isDeadThread { continue }
            faults.append("\(guarantee.id) is promised and violated: \(guarantee.witness ?? "no witness")")
        }
        if result.verdict == .inconclusive { faults.append("inconclusive: \(result.reason)") }
        if result.faults.count != scenario.faults.count {
            faults.append("\(result.faults.count) faults in the result for \(scenario.faults.count) in the scenario")
        }
        let verified = try TraceVerification.verify(StoredRun(folder))
        if verified.comparison != .same { faults.append("the trace says otherwise: \(verified.differences)") }
        return Outcome(
            faults: faults, verdict: result.verdict.rawValue, published: result.delivery.published,
            expected: result.delivery.expected, lost: result.delivery.lost, injected: result.faults.count)
    }
}
