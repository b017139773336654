import Foundation
import Testing
import WSMRecord
import WSMScenario
import WSMVerify

@testable import WSMHarness

@Suite("Comparisons", .timeLimit(.minutes(3)))
struct ComparisonTests {
    static let environment = RunEnvironment(version: "1", swift: "6", kernel: "Linux 6", cores: 2, redis: "7")

    /// A run that lost `lost` of 1,000, with this p99 and this many connections at Redis.
    static func run(p99: Int64? = 1_000_000, lost: Int = 0, connections: Int = 2) -> RunResult {
        var result = RunResult(
            name: "sample", seed: 1, startedAt: "2026-01-01T00:00:00Z", durationNanoseconds: 1_000_000_000,
            environment: environment)
        result.delivery = DeliveryCounts(
            published: 10, expected: 1000, received: 1000 - lost, lost: lost,
            lostByCause: lost > 0 ? ["other-instance": lost] : [:], perSecond: Double(1000 - lost))
        if let p99 { result.latency = LatencySummary(count: 1000, p50: p99 / 2, p99: p99, max: p99 * 2) }
        result.resources.redis = RedisUsage(connections: connections)
        result.guarantees = [
            GuaranteeResult(
                id: "cross-instance-reach", promised: lost == 0, verdict: lost == 0 ? .holds : .violated, checked: 10,
                violations: lost, witness: lost == 0 ? nil : "client 3 never got 1:7")
        ]
        result.judge()
        return result
    }

    static func compare(_ a: [RunResult], _ b: [RunResult], interrupted: Bool = false) -> CompareResult {
        var result = CompareResult(
            name: "sample", startedAt: "2026-01-01T00:00:00Z", rounds: a.count,
            variants: [
                .init(name: "memory", results: a, folders: a.indices.map { "memory-\($0 + 1)" }),
                .init(name: "broadcast", results: b, folders: b.indices.map { "broadcast-\($0 + 1)" }),
            ], environment: environment)
        result.interrupted = interrupted
        Comparison.judge(&result, paired: true)
        return result
    }

    private func ratio(_ path: String, _ result: CompareResult) throws -> CompareResult.Ratio {
        try #require(result.metrics.first { $0.path == path }?.ratios.first)
    }

    private static let levels: [Double] = [1.00, 1.03, 0.98, 1.01, 0.99, 1.02]

    private func runs(_ scale: Double, noise: Double = 0) -> [RunResult] {
        Self.levels.enumerated().map { index, level in
            let wobble = 1 + noise * (index.isMultiple(of: 2) ? 1 : -1)
            return Self.run(p99: Int64(scale * level * wobble * 10_000_000))
        }
    }

    @Test(
        "A figure is better, worse, not different, or nothing is shown",
        arguments: [
            (0.5, 0.001, CompareResult.Verdict.better), (2, 0.001, .worse), (1, 0.001, .noDifference),
            (1.02, 0.001, .noDifference), (1.02, 0.3, .inconclusive), (1.5, 0.9, .inconclusive),
        ])
    func verdicts(scale: Double, noise: Double, verdict: CompareResult.Verdict) throws {
        let found = try ratio("latency.p99", Self.compare(runs(1), runs(scale, noise: noise)))
        #expect(found.verdict == verdict, "\(found)")
        let low = try #require(found.low)
        let high = try #require(found.high)
        #expect(low <= (found.ratio ?? 0) && (found.ratio ?? 0) <= high)
        #expect((found.reason != nil) == (verdict == .inconclusive))
    }

    @Test("What only one side loses is shown without a ratio, in every round or not at all")
    func zeros() throws {
        let clean = (0..<3).map { _ in Self.run() }
        let lossy = (0..<3).map { _ in Self.run(lost: 500) }
        let worse = try ratio("delivery.lost", Self.compare(clean, lossy))
        #expect(worse.verdict == .worse && worse.ratio == nil && worse.low == nil)
        let better = try ratio("delivery.lost", Self.compare(lossy, clean))
        #expect(better.verdict == .better && better.ratio == 0)
        #expect(try ratio("delivery.lost", Self.compare(clean, clean)).verdict == .noDifference)
        let mixed = [clean[0], lossy[0], clean[0]]
        #expect(try ratio("delivery.lost", Self.compare(clean, mixed)).verdict == .inconclusive)
    }

    @Test("Too few rounds, a missing figure or an INVALID run show nothing")
    func nothing() throws {
        let few = try ratio("latency.p99", Self.compare([Self.run()], [Self.run(p99: 9_000_000)]))
        #expect(few.verdict == .inconclusive && few.ratio == 9 && few.low == nil)
        #expect(few.reason?.contains("rounds") == true)
        let three = (0..<3).map { _ in Self.run() }
        let empty = try ratio("latency.p99", Self.compare(three, three.map { _ in Self.run(p99: nil) }))
        #expect(empty.verdict == .inconclusive && empty.reason?.contains("no samples") == true)
        var invalid = (0..<3).map { _ in Self.run(p99: 9_000_000) }
        invalid[1].validity = Validity(verdict: .invalid, reasons: ["the generator was late"])
        let result = Self.compare(three, invalid)
        #expect(try ratio("latency.p99", result).verdict == .inconclusive)
        #expect(result.exitCode == ExitCode.inconclusive.rawValue)
        #expect(result.warnings.contains { $0.contains("INVALID") && $0.contains("the generator was late") })
    }

    @Test("A difference that nobody feels is none, upwards and downwards")
    func floor() throws {
        let slow = (0..<3).map { _ in Self.run(p99: 36_000) }
        let fast = (0..<3).map { _ in Self.run(p99: 15_000) }
        #expect(try ratio("latency.p99", Self.compare(slow, fast)).verdict == .noDifference)
        #expect(try ratio("latency.p99", Self.compare(fast, slow)).verdict == .noDifference)
        let slower = (0..<3).map { _ in Self.run(p99: 136_000) }
        #expect(try ratio("latency.p99", Self.compare(slower, fast)).verdict == .better)
    }

    @Test("A figure that some rounds lack is paired with nothing")
    func holes() throws {
        let whole = (0..<6).map { _ in Self.run() }
        let holed = whole.indices.map { index in index == 2 ? Self.run(p99: nil) : Self.run(p99: 9_000_000) }
        let found = try ratio("latency.p99", Self.compare(whole, holed))
        #expect(found.verdict == .inconclusive && found.low == nil && found.reason?.contains("some runs") == true)
    }

    @Test("Without a Redis there are no connections to it, which is a figure too")
    func withoutRedis() throws {
        let memory = (0..<3).map { _ in
            var result = Self.run()
            result.resources.redis = nil
            result.setup.manager = "memory"
            return result
        }
        let found = try ratio("resources.redis.connections", Self.compare(memory, (0..<3).map { _ in Self.run() }))
        #expect(found.verdict == .worse && found.ratio == nil)
    }

    @Test("Guarantees stand side by side with the worst of the rounds, and a difference is no failure")
    func guarantees() throws {
        let clean = (0..<3).map { _ in Self.run() }
        let result = Self.compare([Self.run(lost: 5), clean[0], Self.run(lost: 7)], clean)
        let reach = try #require(result.guarantees.first)
        #expect(reach.findings["memory"]?.verdict == .violated)
        #expect(reach.findings["memory"]?.violations == 12)
        #expect(reach.findings["memory"]?.witness == "client 3 never got 1:7")
        #expect(reach.findings["broadcast"]?.verdict == .holds)
        #expect(result.exitCode == ExitCode.passed.rawValue)
        #expect(Self.compare(clean, clean, interrupted: true).exitCode == ExitCode.interrupted.rawValue)
        #expect(Self.compare([], []).exitCode == ExitCode.inconclusive.rawValue)
    }

    @Test("It is written and read back as it is")
    func roundTrip() throws {
        let result = Self.compare(runs(1), runs(2))
        let bytes = try result.json()
        #expect(try JSONDecoder().decode(CompareResult.self, from: bytes) == result)
        #expect(String(decoding: bytes, as: UTF8.self).contains("\"wsmlab.compare/1\""))
    }

    // MARK: Stored runs

    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "wsmlab-compare-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func store(_ result: RunResult, scenario: String, at path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try result.json().write(to: URL(fileURLWithPath: "\(path)/result.json"))
        try scenario.write(toFile: "\(path)/scenario.yaml", atomically: true, encoding: .utf8)
    }

    @Test("Stored runs of one scenario are rounds of one variant, and what is not comparable is said")
    func stored() throws {
        try inFolder { folder in
            for round in 1...3 {
                try store(Self.run(), scenario: "name: sample\nseed: 1\nclients: 3\n", at: "\(folder)/a\(round)")
                var other = Self.run(p99: 2_000_000)
                other.environment.kernel = "Linux 5"
                other.environment.version = "2"
                other.interrupted = round == 2
                try store(other, scenario: "name: sample\nseed: 1\nclients: 9\n", at: "\(folder)/b\(round)")
            }
            let paths = (1...3).flatMap { ["\(folder)/a\($0)", "\(folder)/b\($0)"] }
            let result = try StoredComparison.read(paths)
            #expect(result.variants.map(\.name) == ["a1", "b1"])
            #expect(result.variants.map(\.results.count) == [3, 3])
            #expect(try ratio("latency.p99", result).verdict == .worse)
            #expect(result.rounds == nil)
            for word in ["another machine", "wsmlab 2", "clients: 9", "1 of 3 runs of b1: interrupted"] {
                #expect(result.warnings.contains { $0.contains(word) }, "\(word): \(result.warnings)")
            }
        }
    }

    @Test("A comparison's folder is read as it is, and what is none says so")
    func storedComparison() throws {
        try inFolder { folder in
            let result = Self.compare(runs(1), runs(2))
            try result.json().write(to: URL(fileURLWithPath: "\(folder)/compare.json"))
            #expect(try StoredComparison.read([folder]) == result)
            try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(folder)/compare.json"))
            #expect(throws: HarnessError.self) { try StoredComparison.read([folder]) }
            #expect(throws: HarnessError.self) { try StoredComparison.read(["\(folder)/nowhere", folder]) }
            try store(Self.run(), scenario: "a", at: "\(folder)/one")
            let alone = #expect(throws: HarnessError.self) {
                try StoredComparison.read(["\(folder)/one", "\(folder)/one"])
            }
            #expect(alone?.message.contains("nothing to compare") == true)
        }
    }

    // MARK: Live

    @Test("Two managers are compared on real runs: what each loses, and a folder with everything")
    func live() async throws {
        let folder = NSTemporaryDirectory() + "wsmlab-compare-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/scenario.yaml"
        try """
        name: two
        warmup: 100ms
        duration: 300ms
        cluster: {manager: broadcast, instances: 2}
        clients: {count: 4, transport: direct}
        workload:
          - {kind: broadcasts, rate: 50/s, publishers: 2}
        """.write(toFile: path, atomically: true, encoding: .utf8)
        let source = ScenarioSource(path: path)
        let combinations = Variation.combinations([try Variation(parsing: "cluster.manager=memory,broadcast")])
        let arms = try combinations.map { name, set in
            let varied = source.setting(set)
            return Arm(
                name: name, program: RunningProgram.path, source: varied, scenario: try #require(varied.load().scenario)
            )
        }
        let outcome = try await CompareRun(
            arms: arms, sets: [["cluster.manager": "memory"], ["cluster.manager": "broadcast"]], rounds: 3,
            folder: "\(folder)/out"
        ).perform(interruption: Interruption(), progress: { _ in })
        let result = outcome.result
        #expect(result.variants.map(\.results.count) == [3, 3])
        // Half of the clients are on the other instance; on a busy machine a run may be INVALID, and nothing is shown then.
        let memory = result.variants[0].results
        #expect(
            memory.allSatisfy { $0.delivery.lostByCause["other-instance"] == $0.delivery.lost && $0.delivery.lost > 0 })
        #expect(result.variants[1].results.allSatisfy { $0.delivery.lost == 0 })
        let reach = try #require(result.guarantees.first { $0.id == "cross-instance-reach" })
        #expect(reach.findings["memory"]?.verdict == .violated)
        #expect(reach.findings["broadcast"]?.verdict == .holds)
        let stored = try StoredComparison.read([outcome.folder])
        #expect(stored == result)
        #expect(FileManager.default.fileExists(atPath: "\(folder)/out/memory-3/result.json"))
    }
}
