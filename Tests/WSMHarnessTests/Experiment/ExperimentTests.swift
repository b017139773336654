import Foundation
import Synchronization
import Testing
import WSMCore
import WSMScenario

@testable import WSMHarness

/// Runs by programs of their own, in turns.
@Suite("Experiments", .timeLimit(.minutes(3)))
struct ExperimentTests {
    static let text = """
        name: small
        warmup: 100ms
        duration: 300ms
        cluster: {manager: memory, instances: 1}
        clients: {count: 3, transport: direct}
        workload:
          - {kind: broadcasts, rate: 50/s, publishers: 1}
        """

    /// A folder with a scenario in it, which is gone afterwards.
    private func inFolder(_ text: String = text, _ body: (_ folder: String, ScenarioSource) async throws -> Void)
        async throws
    {
        let folder = NSTemporaryDirectory() + "wsmlab-experiment-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/scenario.yaml"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try await body(folder, ScenarioSource(path: path))
    }

    private func arm(_ name: String, _ source: ScenarioSource) throws -> Arm {
        let loaded = source.load()
        let scenario = try #require(loaded.scenario, "\(loaded.diagnostics)")
        return Arm(name: name, program: RunningProgram.path, source: source, scenario: scenario)
    }

    @Test("Arms take turns forwards and backwards")
    func order() {
        let turns = RunOrder.turns(arms: 3, rounds: 2)
        #expect(turns.map(\.arm) == [0, 1, 2, 2, 1, 0])
        #expect(turns.map(\.round) == [0, 0, 0, 1, 1, 1])
        #expect(RunOrder.turns(arms: 2, rounds: 0).isEmpty)
    }

    @Test("Each run is a process of its own with the arm's settings, and leaves its run folder")
    func twoArms() async throws {
        try await inFolder { folder, source in
            let arms = [try arm("one", source), try arm("two", source.setting([("clients.count", "5")]))]
            let seen = Mutex<[Experiment.Progress]>([])
            let outcome = try await Experiment(arms: arms, rounds: 2, folder: folder).perform(
                interruption: Interruption()
            ) { progress in seen.withLock { $0.append(progress) } }
            #expect(!outcome.interrupted)
            #expect(outcome.results.map { $0.map(\.clients.planned) } == [[3, 3], [5, 5]])
            #expect(outcome.folders == [["one-1", "one-2"], ["two-1", "two-2"]])
            for name in outcome.folders.joined() {
                #expect(FileManager.default.fileExists(atPath: "\(folder)/\(name)/result.json"))
            }
            let steps = seen.withLock { $0 }
            #expect(steps.map(\.armName) == ["one", "two", "two", "one", ""])
            #expect(steps.map(\.done) == [0, 1, 2, 3, 4])
            #expect(steps.last?.next == nil && steps.last?.left == .zero)
        }
    }

    @Test(
        "A comparison in which a run fails keeps the rounds that every variant has, and says what failed",
        arguments: [1, 4])
    func failing(run: Int) async throws {
        try await inFolder { folder, source in
            // The program fails when it is started for the run-th time.
            let program = "\(folder)/wsmlab-sometimes"
            let script = """
                #!/bin/sh
                echo >>"\(folder)/started"
                [ "$(wc -l <"\(folder)/started")" -ne \(run) ] || { echo "no more today" >&2; exit 1; }
                exec "\(RunningProgram.path)" "$@"
                """
            try Data(script.utf8).write(to: URL(fileURLWithPath: program))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
            let arms = try ["one", "two"].map { name in
                let arm = try arm(name, source)
                return Arm(name: name, program: program, source: source, scenario: arm.scenario)
            }
            let comparing = CompareRun(arms: arms, sets: [[:], [:]], rounds: 3, folder: "\(folder)/compared")
            if run == 1 {
                await #expect(throws: HarnessError.self) {
                    _ = try await comparing.perform(interruption: Interruption(), progress: { _ in })
                }
                return
            }
            let result = try await comparing.perform(interruption: Interruption(), progress: { _ in }).result
            #expect(result.variants.map(\.results.count) == [1, 1] && !result.interrupted)
            #expect(result.exitCode == ExitCode.inconclusive.rawValue)
            #expect(result.warnings.contains { $0.contains("only 1 of 3 rounds") && $0.contains("no more today") })
        }
    }

    @Test("An interrupted experiment ends its run in order, leaves it out, and starts no other")
    func interrupted() async throws {
        try await inFolder(Self.text.replacingOccurrences(of: "300ms", with: "60s")) { folder, source in
            let interruption = Interruption()
            let asking = Task {
                try await RunningProgram.wait("the run to measure") {
                    FileManager.default.fileExists(atPath: "\(folder)/slow-1/trace.zst")
                }
                interruption.request()
            }
            let outcome = try await Experiment(arms: [try arm("slow", source)], rounds: 2, folder: folder).perform(
                interruption: interruption, progress: { _ in })
            try await asking.value
            #expect(outcome.interrupted)
            #expect(outcome.results == [[]])
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/slow-2"))
        }
    }

    @Test("A run that takes too long is ended, and an error says so")
    func tooLong() async throws {
        try await inFolder(Self.text.replacingOccurrences(of: "300ms", with: "60s")) { folder, source in
            let run = ProgramRun(
                program: RunningProgram.path, source: source, folder: "\(folder)/run", deadline: .seconds(2))
            await #expect {
                _ = try await run.perform(interruption: Interruption())
            } throws: { error in
                (error as? HarnessError)?.code == .childFailed && "\(error)".contains("within 2 s")
            }
        }
    }

    @Test(
        "A program that is none, or does not know the scenario, is an error with its own words",
        arguments: [("/nowhere/wsmlab", "nowhere", HarnessError.Code.childFailed), ("", "no-such-key", .invalidData)])
    func unfit(program: String, word: String, code: HarnessError.Code) async throws {
        try await inFolder { folder, source in
            let run = ProgramRun(
                program: program.isEmpty ? RunningProgram.path : program,
                source: program.isEmpty ? source.setting([("no-such-key", "1")]) : source, folder: "\(folder)/run",
                deadline: .seconds(30))
            await #expect {
                _ = try await run.perform(interruption: Interruption())
            } throws: { error in
                (error as? HarnessError)?.code == code && "\(error)".contains(word)
            }
        }
    }
}
