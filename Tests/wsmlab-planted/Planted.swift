import ArgumentParser
import Foundation
import Synchronization
import WSMCore
import WSMHarness
import WSMScenario

/// A build of wsmlab that is worse than it by just what `WSMLAB_PLANT` says: to measure what a gate finds.
///
/// Without `WSMLAB_PLANT` it runs scenarios as wsmlab does.
@main
struct Planted: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wsmlab-planted", abstract: "Run or gate a scenario, worse by what WSMLAB_PLANT says.",
        subcommands: [PlantedRun.self, PlantedGate.self])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asyncCommand = command as? any AsyncParsableCommand {
                try await asyncCommand.run()
            } else {
                try command.run()
            }
        } catch let error as PlantError {
            fail("\(error)", .usage)
        } catch let error as HarnessError {
            fail("\(error)", error.code.exitCode)
        } catch {
            exit(withError: error)
        }
    }

    static func fail(_ message: String, _ code: WSMHarness.ExitCode) -> Never {
        FileHandle.standardError.write(Data("wsmlab-planted: error: \(message)\n".utf8))
        exit(withError: ArgumentParser.ExitCode(code.rawValue))
    }

    /// What is planted; `nil` without the variable.
    static func plant() throws -> Plant? { try ProcessInfo.processInfo.environment["WSMLAB_PLANT"].map(Plant.init) }

    /// Turns SIGTERM into a request, as wsmlab does.
    static func watch(_ interruption: Interruption) -> any DispatchSourceSignal {
        signal(SIGTERM, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGTERM)
        source.setEventHandler { interruption.request() }
        source.resume()
        return source
    }
}

/// The scenario as wsmlab's commands take it.
struct ScenarioArguments: ParsableArguments {
    @Argument var scenario: String
    @Option(name: .customLong("set")) var changes: [String] = []
    @Option var out: String

    var source: ScenarioSource {
        ScenarioSource(
            path: scenario,
            changes: changes.map { change in
                let parts = change.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                    String.init)
                return (key: parts[0], value: parts.count > 1 ? parts[1] : "")
            })
    }

    func load() -> Scenario {
        let loaded = source.load()
        guard let scenario = loaded.scenario else { Planted.fail("\(loaded.diagnostics)", .invalidData) }
        return scenario
    }
}

/// `wsmlab-planted run`: one run, into a run folder.
struct PlantedRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "run")

    @OptionGroup var arguments: ScenarioArguments
    @Flag var quiet = false

    func run() async throws {
        let plant = try Planted.plant()
        let scenario = arguments.load()
        let interruption = Interruption()
        let signals = Planted.watch(interruption)
        defer { signals.cancel() }
        var options = RunOptions(folder: arguments.out)
        var relays: [LossRelay] = []
        switch plant {
        case .loss(let every):
            let count = MessageCount()
            for _ in 0..<scenario.cluster.instances { relays.append(try await .start(every: every, count: count)) }
            options.clientPort = { [relays] instance, port in
                relays[instance].aim(at: port)
                return relays[instance].port
            }
        case .cpu, .delay: options.instanceProbe = { probe in plant.map { PlantedProbe(probe, $0) } ?? probe }
        case nil: break
        }
        let outcome = try await ScenarioRun.run(
            scenario: scenario, options: options, progress: { _ in }, interruption: interruption)
        for relay in relays { await relay.stop() }
        throw ArgumentParser.ExitCode(outcome.result.exitCode)
    }
}

/// `wsmlab-planted gate`: `wsmlab gate`, with this program as the new build.
struct PlantedGate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "gate")

    @OptionGroup var arguments: ScenarioArguments
    @Option var against: String?
    @Option var baseline: String?
    @Option var rounds = 3

    func validate() throws {
        guard (against == nil) != (baseline == nil) else { throw ValidationError("--against or --baseline") }
    }

    func run() async throws {
        _ = try Planted.plant()
        let interruption = Interruption()
        let signals = Planted.watch(interruption)
        defer { signals.cancel() }
        let (source, scenario) = (arguments.source, arguments.load())
        let result: GateResult
        if let against {
            let gate = try AgainstGate(
                program: against, source: source, scenario: scenario, rounds: rounds, folder: arguments.out)
            result = try await gate.perform(interruption: interruption) { _ in }.result
        } else {
            let gate = try BaselineGate(
                file: baseline ?? "", source: source, scenario: scenario, rounds: rounds, folder: arguments.out)
            result = try await gate.compare(interruption: interruption) { _ in }.result
        }
        throw ArgumentParser.ExitCode(result.exitCode)
    }
}
