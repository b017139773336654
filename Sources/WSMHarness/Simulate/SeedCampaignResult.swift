package import Foundation

/// What many seeds of one scenario gave: `seeds.json`, schema `wsmlab.seeds/1`.
package struct SeedCampaignResult: Codable, Equatable, Sendable {
    package static let schemaName = "wsmlab.seeds/1"
    /// A swarm in which more than one seed of so many shows nothing has shown nothing itself.
    static let decidedOf = 10
    /// Failing seeds that are kept; all are counted.
    package static let kept = 10_000

    /// A seed whose run did not pass.
    package struct Failure: Codable, Hashable, Sendable {
        package var seed: UInt64
        package var verdict: RunResult.Verdict
        package var exitCode: Int32
        /// Why, in a sentence.
        package var reason: String
        package var traceHash: String?
        /// The guarantee or threshold that decided; `nil` where nothing was shown.
        package var condition: String?
    }

    /// A failing seed that became a scenario file of its own.
    package struct Shrunken: Codable, Hashable, Sendable {
        package var seed: UInt64
        /// The guarantee or threshold that fails still.
        package var condition: String
        /// The file's name in the folder.
        package var file: String
        package var before: PlanSize
        package var size: PlanSize
        /// How many scenarios were simulated for it, and whether nothing can be taken from it any more.
        package var trials: Int
        package var isMinimal: Bool
        /// Of the file's run.
        package var traceHash: String?

        init(_ shrunk: ShrunkSeed, file: String) {
            seed = shrunk.seed
            condition = shrunk.kind.condition
            self.file = file
            before = shrunk.before
            size = shrunk.size
            trials = shrunk.trials
            isMinimal = shrunk.isMinimal
            traceHash = shrunk.result.traceHash
        }
    }

    /// A seed that did something else the second time.
    package struct Divergence: Codable, Hashable, Sendable {
        package var seed: UInt64
        /// Between which steps the two runs parted.
        package var parting: String
    }

    package var schema = SeedCampaignResult.schemaName
    package var name: String
    /// What simulates one seed, but for `--seed N`.
    package var command: String
    package var firstSeed: UInt64
    package var lastSeed: UInt64
    package var startedAt: String
    /// Whether each seed drew a scenario of its own.
    package var isSwarm: Bool
    /// Seeds that were simulated, by their verdict.
    package var done = 0
    package var byVerdict: [String: Int] = [:]
    /// Seeds whose run missed what was expected or promised; where all run the same scenario, also those that show nothing.
    package var failed = 0
    /// In the order of the seeds.
    package var failures: [Failure] = []
    /// Seeds that were simulated twice, and those of them that were not the same.
    package var repeated = 0
    package var divergences: [Divergence] = []
    /// What was shrunk, where that was asked for.
    package var shrunken: [Shrunken]?
    package var deliveries = 0
    /// How many seeds of a swarm came by what is rare; zero is said of what none came by.
    package var probes: [String: Int] = [:]
    package var interrupted = false
    package var exitCode: Int32 = ExitCode.inconclusive.rawValue
    package var environment: RunEnvironment

    init(
        name: String, command: String, seeds: SeedRange, probes: [SwarmProbe]? = nil, startedAt: String,
        environment: RunEnvironment
    ) {
        self.name = name
        self.command = command
        self.firstSeed = seeds.first
        self.lastSeed = seeds.last
        self.startedAt = startedAt
        self.environment = environment
        isSwarm = probes != nil
        for probe in probes ?? [] { self.probes[probe.rawValue] = 0 }
    }

    /// What came of one seed.
    struct Finding {
        var seed: UInt64
        var run: JudgedRun
        var isRepeated = false
        /// Where its second run parted from the first; `nil` where they were the same.
        var parting: String?

        init(seed: UInt64, run: JudgedRun) {
            self.seed = seed
            self.run = run
        }
    }

    /// Seeds whose run shows nothing.
    package var undecided: Int { byVerdict[RunResult.Verdict.inconclusive.rawValue] ?? 0 }

    mutating func take(_ finding: Finding) {
        let result = finding.run.result
        done += 1
        byVerdict[result.verdict.rawValue, default: 0] += 1
        deliveries += result.delivery.received
        for probe in SwarmProbe.allCases where probes[probe.rawValue] != nil && probe.isReached(by: finding.run) {
            probes[probe.rawValue, default: 0] += 1
        }
        if finding.isRepeated { repeated += 1 }
        if let parting = finding.parting {
            divergences.append(Divergence(seed: finding.seed, parting: parting))
        }
        // A drawn cluster may leave nothing to tell by: a client with a message that nobody can say it should have got.
        guard result.verdict != .passed, !isSwarm || result.verdict != .inconclusive else { return }
        failed += 1
        guard failures.count < Self.kept else { return }
        failures.append(
            Failure(
                seed: finding.seed, verdict: result.verdict, exitCode: result.exitCode, reason: result.reason,
                traceHash: result.traceHash, condition: FailureKind(result)?.condition))
    }

    /// Orders what the workers found, and sets the exit code: that of the worst seed.
    mutating func conclude() {
        failures.sort { $0.seed < $1.seed }
        divergences.sort { $0.seed < $1.seed }
        exitCode = code.rawValue
    }

    private var code: ExitCode {
        if !divergences.isEmpty { return .internalError }
        if interrupted { return .interrupted }
        func has(_ verdict: RunResult.Verdict) -> Bool { byVerdict[verdict.rawValue] != nil }
        if has(.guarantee) { return .guaranteeViolated }
        if has(.threshold) { return .thresholdMissed }
        let isOpen = isSwarm ? undecided * Self.decidedOf > done : undecided > 0
        return isOpen ? .inconclusive : .passed
    }

    /// The bytes of `seeds.json`: sorted keys, two spaces, a line feed at the end.
    package func json() throws -> Data { try documentJSON() }
}
