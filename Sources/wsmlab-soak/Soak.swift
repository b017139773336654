import ArgumentParser
import Foundation
import WSMCore
import WSMHarness

/// Runs many small scenarios with faults that are drawn from seeds, one after the other in one process.
///
/// Each ledger must balance without an unexplained loss, no promise may be broken, no trace may say otherwise, no run may
/// hang, and the memory must not grow.
@main
struct Soak: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wsmlab-soak", abstract: "Break small clusters at random, again and again, and check every ledger."
    )

    @Option(help: "The first seed.")
    var seed: UInt64 = 1

    @Option(help: "How many runs.")
    var runs = 200

    @Option(help: "Begin no more runs after so many minutes; then fewer runs than asked for are a failure too.")
    var minutes = 15.0

    @Option(help: "The program that processes of a run are started from.")
    var program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appendingPathComponent("wsmlab").path

    @Flag(help: "Print the scenario of the first seed, and run nothing.")
    var show = false

    /// The memory that later runs may need more than the first ones: a run's size depends on its draws.
    private static let growthLimit = 64 << 20
    private static let settling = 20

    func run() async throws {
        var first = SoakScenario(seed: seed)
        if show { return say(first.yaml()) }
        signal(SIGPIPE, SIG_IGN)
        let start = ContinuousClock.now
        var failures = 0
        var done = 0
        var settledMemory: Int?
        for seed in seed..<(seed + UInt64(runs)) {
            guard ContinuousClock.now - start < .seconds(minutes * 60) else { break }
            var scenario = SoakScenario(seed: seed)
            let yaml = scenario.yaml()
            let outcome = await SoakRun(seed: seed, yaml: yaml, program: program).performOrEnd()
            done += 1
            say(
                "seed \(seed): \(outcome.verdict), \(outcome.published) published, \(outcome.expected) expected, "
                    + "\(outcome.lost) lost, \(outcome.injected) faults")
            if !outcome.faults.isEmpty {
                failures += 1
                say(outcome.faults.map { "  FAILED \($0)" }.joined(separator: "\n"))
                say(yaml.split(separator: "\n").map { "  | \($0)" }.joined(separator: "\n"))
            }
            if done == Self.settling { settledMemory = Memory.resident() }
        }
        let growth = settledMemory.map { Memory.resident() - $0 }
        let minutesTaken = Double((ContinuousClock.now - start).components.seconds) / 60
        say(
            "\(done) of \(runs) runs in \((minutesTaken * 10).rounded() / 10) min, \(failures) failed, resident memory "
                + "\(Memory.resident() >> 20) MiB"
                + (growth.map { ", \($0 >> 20) MiB more than after run \(Self.settling)" } ?? ""))
        if failures > 0 || done < runs || (growth ?? 0) > Self.growthLimit { throw ExitCode(1) }
    }
}

extension SoakRun {
    /// The outcome, or the end of the whole program when the run hangs: nothing that hangs can be trusted to clean up.
    fileprivate func performOrEnd() async -> Outcome {
        let watchdog = Task {
            try await Task.sleep(for: .seconds(Self.deadline))
            say("seed \(seed): FAILED, it hangs since \(Self.deadline) s\n\(yaml)")
            Foundation.exit(1)
        }
        defer { watchdog.cancel() }
        return await perform()
    }
}

/// The memory of this process.
private enum Memory {
    /// Resident bytes; 0 where they are not known.
    static func resident() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(getpagesize())
    }
}

/// Says it at once, also into a file: a soak that is ended early has said what it found.
private func say(_ text: String) {
    FileHandle.standardOutput.write(Data((text.hasSuffix("\n") ? text : text + "\n").utf8))
}
