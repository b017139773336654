import ArgumentParser
import Foundation
import WSMCore
import WSMHarness
import WSMMutants
import WSMReport
import WSMScenario

/// Simulates random clusters of the hardened profile, each of which must keep its promises, and then hunts each planted mutant
/// among them, each of which must be found and become small.
///
/// It is for `make swarm`; the program that people get knows no mutants.
@main
struct Swarm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wsmlab-swarm", abstract: "Simulate random clusters, and hunt planted mutants among them.")

    @Option(help: "The seeds of the clean swarm.", transform: { try SeedRange(parsing: $0) })
    var seeds: SeedRange?

    @Option(help: "The seeds that mutants are looked for with.", transform: { try SeedRange(parsing: $0) })
    var hunt: SeedRange?

    @Option(help: "Only this mutant, and no clean swarm.")
    var mutant: String?

    @Option(help: "Run this scenario file with the mutant instead.")
    var replay: String?

    @Flag(help: "Only the mutants.")
    var mutants = false

    @Option(help: "Where the results go.")
    var out: String?

    /// What a mutant may at most become.
    private static let itemLimit = 10
    private static let defaultSeeds = "1..10000"
    private static let defaultHunt = "1..1000"

    func run() async throws {
        let start = ContinuousClock.now
        let chosen = try chosenMutants()
        if let replay { return try run(replay, chosen) }
        let base = Scenario(name: "swarm", duration: .seconds(1))
        let folder = out ?? "Results/runs/swarm-\(ProcessInfo.processInfo.processIdentifier)"
        var faults: [String] = []
        if mutant == nil, !mutants { faults += try await explore(base, folder) }
        let hunt = MutantHunt(
            base: base, seeds: try hunt ?? SeedRange(parsing: Self.defaultHunt), interruption: Interruption())
        let catches = try await hunt.hunt(chosen)
        faults += try tell(catches, folder)
        let seconds = (ContinuousClock.now - start).components.seconds
        say("\n\(faults.isEmpty ? "PASSED" : "FAILED") in \(seconds / 60) min \(seconds % 60) s, folder \(folder)")
        for fault in faults { say("  \(fault)") }
        if !faults.isEmpty { throw ExitCode(1) }
    }

    private func chosenMutants() throws -> [Mutant] {
        guard let mutant else { return Mutant.all }
        guard let known = Mutant.named(mutant) else {
            let names = Mutant.all.map(\.name).joined(separator: ", ")
            throw ValidationError("there is no mutant \(mutant); there are \(names)")
        }
        return [known]
    }

    /// The clean swarm: what is wrong with it.
    private func explore(_ base: Scenario, _ folder: String) async throws -> [String] {
        let seeds = try seeds ?? SeedRange(parsing: Self.defaultSeeds)
        let campaign = try SeedCampaign(
            scenario: base, isSwarm: true, command: "wsmlab simulate Scenarios/quickstart.yaml --swarm", seeds: seeds,
            folder: folder + "/clean", shrinking: .init { ShrunkScenario.text($0) })
        let outcome = try await campaign.perform(interruption: Interruption()) { _ in }
        say(SeedsReport.text(outcome.result, folder: outcome.folder))
        let missed = outcome.result.probes.filter { $0.value == 0 }.keys.sorted()
        return (outcome.result.exitCode == 0 ? [] : ["the hardened profile broke a promise"])
            + missed.map { "no seed came by: \($0)" }
    }

    /// Prints what was caught, writes each as a scenario file, and returns what is wrong.
    private func tell(_ catches: [MutantHunt.Catch], _ folder: String) throws -> [String] {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        say("| mutant | what it does | seed | broke | plan items | messages | trials |\n|---|---|--:|---|--:|--:|--:|")
        var faults: [String] = []
        for caught in catches {
            let mutant = caught.mutant
            let name = "\(mutant.name)\(mutant.isOfReference ? " (reference)" : "")"
            guard let shrunk = caught.shrunk else {
                say("| \(name) | \(mutant.deed) | - | not found in \(caught.tried) seeds | | | |")
                faults.append("\(mutant.name) was not found")
                continue
            }
            let (before, size) = (shrunk.before, shrunk.size)
            say(
                "| \(name) | \(mutant.deed) | \(shrunk.seed) | \(shrunk.kind.condition) | \(before.items) → \(size.items) "
                    + "| \(before.messages) → \(size.messages) | \(shrunk.trials)\(shrunk.isMinimal ? "" : ", used up") |"
            )
            let replay = "wsmlab-swarm --mutant \(mutant.name) --replay"
            let file = URL(fileURLWithPath: "\(folder)/\(mutant.name).yaml")
            try Data(ShrunkScenario.text(shrunk, replay: replay).utf8).write(to: file)
            if size.items > Self.itemLimit { faults.append("\(mutant.name) has still \(size.items) plan items") }
        }
        return faults
    }

    private func run(_ file: String, _ chosen: [Mutant]) throws {
        guard mutant != nil, let mutant = chosen.first else { throw ValidationError("--replay needs --mutant") }
        guard let scenario = ScenarioFile.load(path: file).scenario else {
            throw ValidationError("\(file) is no scenario; wsmlab validate says why")
        }
        let result = try SimulatedRun.judged(scenario, sabotage: mutant.sabotage, interruption: Interruption()).result
        say("\(result.verdict.rawValue): \(result.reason); traceHash \(result.traceHash ?? "-")")
        throw ExitCode(result.exitCode)
    }
}

private func say(_ text: String) {
    FileHandle.standardOutput.write(Data((text.hasSuffix("\n") ? text : text + "\n").utf8))
}
