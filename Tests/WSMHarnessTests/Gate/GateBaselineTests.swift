import Foundation
import Testing
import WSMRecord
import WSMScenario
import WSMTestSupport
import WSMVerify

@testable import WSMHarness

@Suite("A stored baseline")
struct GateBaselineTests {
    private let scenario = GateWorld.scenario

    private func runs(
        _ count: Int = 3, seed: UInt64 = 1, _ change: (inout RunResult) -> Void = { _ in }
    ) -> [RunResult] {
        var world = GateWorld(seed: seed, noise: .init())
        return (0..<count).map { _ in
            var run = world.run(world.old)
            change(&run)
            run.judge()
            return run
        }
    }

    private func inFolder(_ body: (_ path: String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "wsmlab-baseline-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body("\(folder)/deep/baseline.json")
    }

    private func baseline(_ runs: [RunResult], keepsTimes: Bool = false) throws -> GateBaseline {
        try GateBaseline(runs, scenario: scenario, earlier: nil, keepsTimes: keepsTimes)
    }

    private func compare(
        _ baseline: GateBaseline, _ runs: [RunResult], scenario: Scenario? = nil
    ) -> BaselineComparison {
        BaselineComparison(baseline, runs: runs, scenario: scenario ?? self.scenario)
    }

    // MARK: The file

    @Test("It reads back as it was written, and measuring again leaves every byte as it was")
    func stable() throws {
        try inFolder { path in
            let first = try baseline(runs(seed: 1), keepsTimes: true)
            #expect(try first.write(path))
            #expect(try GateBaseline.read(path) == first)
            for seed in 2...20 {
                let again = try GateBaseline(
                    runs(seed: UInt64(seed)) { $0.resources.redis?.commands = 510 + seed }, scenario: scenario,
                    earlier: GateBaseline.read(path), keepsTimes: true)
                #expect(try !again.write(path), "seed \(seed)")
            }
            let faster = try GateBaseline(
                runs { $0.latency.p50 /= 5 }, scenario: scenario, earlier: GateBaseline.read(path), keepsTimes: true)
            #expect(try faster.write(path))
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(!text.contains("2026") && !text.contains("startedAt"), "nothing in it tells the time")
        }
    }

    @Test("Its figures have three digits and its keys are in order")
    func reviewable() throws {
        let made = try baseline(runs(), keepsTimes: true)
        for figure in made.ratios.values + (made.machine?.times.values.map { $0 } ?? []) {
            let digits = "\(figure)".filter(\.isNumber).drop { $0 == "0" }.reversed().drop { $0 == "0" }
            #expect(digits.count <= 3, "\(figure)")
        }
        #expect(made.ratios.count == BaselineRatio.paths.count)
        #expect(try baseline(runs()).machine == nil)
    }

    @Test(
        "A file that is broken, or from which something was taken away, is an error and no pass",
        arguments: [
            ("{", "no baseline"), ("[]", "no baseline"), ("", "no baseline"),
            ("\"delivery.published\" : 500", "lacks the count delivery.published"),
            ("\"completeness\" : \"holds\"", "no guarantee \"completness\""),
            ("latency.p50/calibration", "no ratio \"latency.p5/calibration"),
            ("\"delivery.expected\" : 100000", "cannot be measured"),
        ])
    func tampered(what: String, message: String) throws {
        try inFolder { path in
            _ = try baseline(runs()).write(path)
            var text = try String(contentsOfFile: path, encoding: .utf8)
            switch what {
            case "{", "[]", "": text = what
            case "\"delivery.published\" : 500": text = text.replacingOccurrences(of: "\(what),", with: "")
            case "latency.p50/calibration":
                text = text.replacingOccurrences(of: what, with: "latency.p5/calibration")
            case "\"delivery.expected\" : 100000":
                text = text.replacingOccurrences(of: what, with: "\"delivery.expected\" : -1")
            default: text = text.replacingOccurrences(of: "\"completeness\"", with: "\"completness\"")
            }
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            #expect {
                _ = try GateBaseline.read(path)
            } throws: { error in
                (error as? HarnessError)?.code == .invalidData && "\(error)".contains(message)
                    && "\(error)".contains(path)
            }
        }
    }

    @Test("No file, and another schema, are told apart from a broken one")
    func absent() throws {
        try inFolder { path in
            #expect(throws: GateBaseline.Absence.noFile) { _ = try GateBaseline.read(path) }
            var other = try baseline(runs())
            other.schema = "wsmlab.baseline/2"
            _ = try other.write(path)
            #expect(throws: GateBaseline.Absence.otherSchema("wsmlab.baseline/2")) { _ = try GateBaseline.read(path) }
        }
    }

    @Test("Runs that do not pass, or do not agree, make none")
    func unfit() {
        #expect(throws: GateBaseline.Unfit.self) {
            _ = try baseline(runs { $0.set(.violated, of: "completeness") })
        }
        #expect(throws: GateBaseline.Unfit.self) { _ = try baseline(runs { $0.validity.verdict = .invalid }) }
        var published = 499
        #expect(throws: GateBaseline.Unfit.self) {
            _ = try baseline(
                runs {
                    published += 1
                    $0.delivery.published = published
                })
        }
    }

    // MARK: Comparing

    @Test("The same build is within, whatever noise a run has")
    func same() throws {
        let made = try baseline(runs(), keepsTimes: true)
        for seed in 2...30 {
            let comparison = compare(made, runs(seed: UInt64(seed)))
            #expect(comparison.certain.isEmpty && comparison.suspicious.isEmpty && comparison.obstacles.isEmpty)
            #expect(comparison.metrics.allSatisfy { $0.verdict == .within })
        }
    }

    @Test("What the plan decides, unexplained losses and broken guarantees are certain at once")
    func certain() throws {
        let made = try baseline(runs())
        #expect(compare(made, runs { $0.delivery.published = 499 }).certain.map(\.subject) == ["delivery.published"])
        #expect(compare(made, runs { $0.delivery.published = 501 }).certain.map(\.subject) == ["delivery.published"])
        let lost = compare(made, runs { $0.lose(1, to: "unexplained") })
        #expect(lost.certain.map(\.subject) == ["delivery.lostByCause.unexplained"])
        let broken = compare(made, runs { $0.set(.violated, of: "completeness") })
        #expect(broken.certain.map(\.subject) == ["completeness"])
        #expect(compare(made, runs { $0.set(.violated, of: "isolation") }).suspicious.map(\.subject) == ["isolation"])
        #expect(!compare(made, runs { $0.set(.unknown, of: "completeness") }).obstacles.isEmpty)
    }

    @Test("Ratios, commands and connections that grew beyond their tolerance are suspicious, and less is a note")
    func suspicious() throws {
        let made = try baseline(runs())
        #expect(compare(made, runs { $0.latency.p50 *= 3 }).suspicious.count == 1)
        let cpu = compare(
            made,
            runs {
                $0.resources.instances = [
                    ResourceUsage(pid: 1, cpuSeconds: 1.8, deliveries: 100_000, rssBytes: 1, peakRssBytes: 1)
                ]
            })
        #expect(cpu.suspicious.map(\.subject) == [BaselineRatio.paths[2]])
        #expect(
            compare(made, runs { $0.resources.redis?.connections = 206 }).suspicious.map(\.subject)
                == ["resources.redis.connections"])
        let fewer = compare(made, runs { $0.resources.redis?.commands = 100 })
        #expect(fewer.suspicious.isEmpty && !fewer.notes.isEmpty)
        #expect(!compare(made, runs { $0.calibration = nil }).obstacles.isEmpty)
        #expect(!compare(made, runs { $0.resources.redis = nil }).obstacles.isEmpty)
        #expect(!compare(made, []).obstacles.isEmpty)
    }

    @Test("A slower machine as a whole is no regression, and another machine's times are not looked at")
    func otherMachine() throws {
        var made = try baseline(runs(), keepsTimes: true)
        let slow: (inout RunResult) -> Void = { run in
            run.latency.p50 *= 4
            run.latency.p99 *= 4
            run.resources.instances = [
                ResourceUsage(pid: 1, cpuSeconds: 3.2, deliveries: 100_000, rssBytes: 1, peakRssBytes: 60_000_000)
            ]
            run.calibration?.cpuSecondsPerMillionDeliveries *= 4
            run.calibration?.latencyFloor?.p50 *= 4
        }
        let here = compare(made, runs(3, seed: 1, slow))
        #expect(!here.suspicious.isEmpty)
        made.machine?.id = "another"
        let there = compare(made, runs(3, seed: 1, slow))
        #expect(there.suspicious.isEmpty && there.certain.isEmpty, "\(there.suspicious)")
        #expect(there.notes.contains { $0.contains("another machine") })
    }

    @Test("With churn or faults, who was there for a message is a matter of time: only what went wrong newly counts")
    func disturbed() throws {
        var scenario = self.scenario
        scenario.clients.churn = Rate(perSecond: 5)
        let made = try GateBaseline(
            runs { $0.lose(10, to: "evicted") }, scenario: scenario, earlier: nil, keepsTimes: false)
        let shifted = runs { run in
            run.delivery.expected -= 30
            run.delivery.received -= 30
            run.delivery.missedOffline += 30
            run.lose(15, to: "evicted")
        }
        let comparison = compare(made, shifted, scenario: scenario)
        #expect(comparison.certain.isEmpty && comparison.suspicious.isEmpty, "\(comparison.suspicious)")
        #expect(!compare(made, runs { $0.lose(40, to: "evicted") }, scenario: scenario).suspicious.isEmpty)
        // 15 sessions end, and 62.5 messages are published in 250 ms.
        let away = { (count: Int) in runs { $0.delivery.expected -= count } }
        #expect(compare(made, away(930), scenario: scenario).suspicious.isEmpty)
        #expect(compare(made, away(940), scenario: scenario).suspicious.map(\.subject) == ["delivery.expected"])
        #expect(!compare(made, runs { $0.lose(1, to: "unexplained") }, scenario: scenario).certain.isEmpty)
    }

    @Test("A simulation's trace is the same or not")
    func trace() throws {
        let made = try baseline(runs { $0.traceHash = "aa" })
        #expect(compare(made, runs { $0.traceHash = "aa" }).certain.isEmpty)
        #expect(compare(made, runs { $0.traceHash = "bb" }).certain.map(\.subject) == ["traceHash"])
        #expect(!compare(made, runs()).obstacles.isEmpty)
    }

    /// Those that `make gate` compares with; `make gate-update` writes them.
    private static let kept: [String] = {
        let folder = "\(IndependentReader.root)/Results/baselines"
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.filter { $0.hasSuffix(".json") }.map { "\(folder)/\($0)" }
    }()

    @Test(
        "Each baseline in git reads, keeps no times of a machine, and is of the gate's scenario as it is",
        arguments: kept)
    func repository(path: String) throws {
        let baseline = try GateBaseline.read(path)
        let file = "\(IndependentReader.root)/Scenarios/gate.yaml"
        let memory = [("cluster.manager", "memory"), ("cluster.instances", "1")]
        let known = [[], memory].compactMap {
            ScenarioFile.load(path: file, overrides: $0).scenario.map(ScenarioHash.of)
        }
        #expect(known.count == 2)
        #expect(known.contains(baseline.scenario), "make gate-update")
        #expect(baseline.machine == nil)
    }

    @Test("The hash of a scenario is of what runs, not of what is expected or said of it")
    func hash() {
        var other = scenario
        other.description = "words"
        other.expect.tolerances = ["latency.p50": Share(millionths: 1)]
        #expect(ScenarioHash.of(other) == ScenarioHash.of(scenario))
        other.clients.count += 1
        #expect(ScenarioHash.of(other) != ScenarioHash.of(scenario))
        #expect(ScenarioHash.of(scenario).count == 16)
    }
}
