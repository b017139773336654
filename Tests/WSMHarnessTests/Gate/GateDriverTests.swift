import Foundation
import Synchronization
import Testing
import WSMRecord
import WSMScenario

@testable import WSMHarness

/// Gates whose builds are scripts that leave a result which was written beforehand.
@Suite("What a gate does around its decisions", .timeLimit(.minutes(3)))
struct GateDriverTests {
    /// A folder with a scenario, and programs in it; it is gone afterwards.
    private final class Stage: Sendable {
        let folder = NSTemporaryDirectory() + "wsmlab-gate-stage-\(UUID().uuidString)"
        var source: ScenarioSource { ScenarioSource(path: "\(folder)/gate.yaml") }

        init() throws {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(GateWorld.scenario.yaml().utf8).write(to: URL(fileURLWithPath: source.path))
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }

        /// A build of wsmlab whose runs have these results, one after another, and the last for ever.
        func program(_ name: String, _ results: [RunResult]) throws -> String {
            let stored = "\(folder)/\(name).d"
            try FileManager.default.createDirectory(atPath: stored, withIntermediateDirectories: true)
            for (index, result) in results.enumerated() {
                try result.json().write(to: URL(fileURLWithPath: "\(stored)/\(index)"))
            }
            // run SCENARIO --out FOLDER --quiet
            let script = """
                #!/bin/sh
                stored='\(stored)'
                number=$(cat "$stored/next" 2>/dev/null || echo 0)
                [ -e "$stored/$number" ] || number=\(results.count - 1)
                echo $((number + 1)) >"$stored/next"
                mkdir -p "$4" && cp "$stored/$number" "$4/result.json"
                """
            let path = "\(folder)/\(name)"
            try Data(script.utf8).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            return path
        }

        func gate(old: [RunResult], new: [RunResult], rounds: Int = 2) throws -> AgainstGate {
            try AgainstGate(
                program: program("old", old), ownProgram: program("new", new), source: source,
                scenario: GateWorld.scenario, rounds: rounds, folder: "\(folder)/out")
        }
    }

    private func runs(_ count: Int = 1, _ change: (inout RunResult) -> Void = { _ in }) -> [RunResult] {
        var world = GateWorld()
        return (0..<count).map { _ in
            var run = world.run(world.old)
            change(&run)
            run.judge()
            return run
        }
    }

    private func invalid(_ change: (inout RunResult) -> Void = { _ in }) -> RunResult {
        runs { run in
            run.validity = Validity(verdict: .invalid, reasons: ["the machine slept"])
            change(&run)
        }[0]
    }

    @Test("It passes on equal results, and keeps every run and the result in its folder")
    func pass() async throws {
        let stage = try Stage()
        let seen = Mutex<[Experiment.Progress]>([])
        let (result, folder) = try await stage.gate(old: runs(), new: runs()).perform(interruption: Interruption()) {
            step in
            if let run = step.run { seen.withLock { $0.append(run) } }
        }
        #expect(result.verdict == .pass && result.exitCode == 0, "\(result.reasons)")
        #expect(result.rounds == 2 && result.runs.count == 6 && !result.control.fired)
        #expect(result.metrics.allSatisfy { $0.verdict == .within } && result.counts.allSatisfy { $0.verdict == .same })
        #expect(seen.withLock { $0.map(\.done) } == [0, 1, 2, 3, 4, 5])
        #expect(seen.withLock { $0.allSatisfy { $0.total == 6 } })
        let stored = try #require(FileManager.default.contents(atPath: "\(folder)/gate.json"))
        #expect(try JSONDecoder().decode(GateResult.self, from: stored) == result)
        #expect(result.runs.allSatisfy { FileManager.default.fileExists(atPath: "\(folder)/\($0)/result.json") })
    }

    @Test("A dearer build is a regression with exit code 2, and a note says when it is suspected")
    func regression() async throws {
        let stage = try Stage()
        let dear = runs { $0.resources.instances[0].cpuSeconds = 0.9 }
        let notes = Mutex<[String]>([])
        let (result, _) = try await stage.gate(old: runs(), new: dear).perform(interruption: Interruption()) { step in
            if let note = step.note { notes.withLock { $0.append(note) } }
        }
        #expect(result.verdict == .regression && result.exitCode == 2)
        #expect(result.rounds == 4 && result.freshRounds == 2)
        #expect(result.metrics.first { $0.verdict == .worse }?.freshRatio ?? 0 > 1.1)
        #expect(notes.withLock { $0.count } == 1)
    }

    @Test("An INVALID run is done again, and one that stays so decides nothing")
    func repeats() async throws {
        let once = try Stage()
        let (mended, _) = try await once.gate(old: runs(), new: [invalid()] + runs()).perform(
            interruption: Interruption(), progress: { _ in })
        #expect(mended.verdict == .pass && mended.repeated == 1 && mended.runs.count == 7)
        let ever = try Stage()
        let (spoiled, _) = try await ever.gate(old: runs(), new: [invalid()]).perform(
            interruption: Interruption(), progress: { _ in })
        #expect(spoiled.verdict == .inconclusive && spoiled.exitCode == 4)
        #expect(spoiled.reasons.first?.contains("INVALID 3 times: the machine slept") == true, "\(spoiled.reasons)")
    }

    @Test(
        "What only the new build loses in each of its INVALID runs is lost; what the old one loses, too, says nothing")
    func losesWhileInvalid() async throws {
        let lossy = invalid { $0.lose(10, to: "unexplained") }
        let stage = try Stage()
        let (red, _) = try await stage.gate(old: runs(), new: [lossy]).perform(
            interruption: Interruption(), progress: { _ in })
        #expect(red.verdict == .regression, "\(red.reasons)")
        let both = try Stage()
        let (none, _) = try await both.gate(old: [lossy] + runs(), new: [lossy]).perform(
            interruption: Interruption(), progress: { _ in })
        #expect(none.verdict == .inconclusive)
        let sometimes = try Stage()
        let (once, _) = try await sometimes.gate(old: runs(), new: [lossy, invalid()]).perform(
            interruption: Interruption(), progress: { _ in })
        #expect(once.verdict == .inconclusive)
    }

    @Test("Whoever asks it to end gets what there is, marked interrupted, with exit code 130")
    func interrupted() async throws {
        let stage = try Stage()
        let interruption = Interruption()
        let (result, folder) = try await stage.gate(old: runs(), new: runs()).perform(interruption: interruption) {
            step in
            if step.run?.done == 3 { interruption.request() }
        }
        #expect(result.interrupted && result.exitCode == 130 && result.verdict == .inconclusive)
        #expect(result.rounds == 1)
        #expect(FileManager.default.fileExists(atPath: "\(folder)/gate.json"))
    }

    // MARK: Baselines

    private func baseline(_ stage: Stage, _ program: String, rounds: Int = 2, _ name: String) throws -> BaselineGate {
        try BaselineGate(
            file: "\(stage.folder)/baseline.json", program: program, source: stage.source, scenario: GateWorld.scenario,
            rounds: rounds, folder: "\(stage.folder)/\(name)")
    }

    @Test("A time that grew is measured again before it is a regression, and one that did not stay so passes")
    func confirmed() async throws {
        let stage = try Stage()
        let good = try stage.program("good", runs())
        let written = try await baseline(stage, good, "a").update(
            keepsTimes: false, interruption: Interruption(), progress: { _ in })
        #expect(written.result.verdict == .pass)
        let slow = runs { $0.latency.p50 *= 5 }
        let (red, _) = try await baseline(stage, stage.program("slow", slow), "b").compare(
            interruption: Interruption(), progress: { _ in })
        #expect(red.verdict == .regression && red.rounds == 4 && red.freshRounds == 2, "\(red.reasons)")
        let hiccup = try stage.program("hiccup", slow + slow + runs())
        let (green, _) = try await baseline(stage, hiccup, "c").compare(
            interruption: Interruption(), progress: { _ in })
        #expect(green.verdict != .regression, "\(green.reasons)")
        let invalid = try stage.program("invalid", [invalid()])
        let (none, _) = try await baseline(stage, invalid, "d").compare(
            interruption: Interruption(), progress: { _ in })
        #expect(none.verdict == .inconclusive && none.exitCode == 4)
        let before = FileManager.default.contents(atPath: "\(stage.folder)/baseline.json")
        let (refused, _) = try await baseline(stage, invalid, "e").update(
            keepsTimes: false, interruption: Interruption(), progress: { _ in })
        #expect(refused.verdict == .inconclusive)
        let lossy = try stage.program("lossy", [self.invalid { $0.lose(10, to: "unexplained") }])
        let (lost, _) = try await baseline(stage, lossy, "f").compare(
            interruption: Interruption(), progress: { _ in })
        #expect(lost.verdict == .regression, "\(lost.reasons)")
        #expect(FileManager.default.contents(atPath: "\(stage.folder)/baseline.json") == before)
    }
}
