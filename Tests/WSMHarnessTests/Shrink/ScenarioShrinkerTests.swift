import Testing
import WSMCore
import WSMScenario
import WSMVerify

@testable import WSMHarness

@Suite("Shrinking by a predicate")
struct ScenarioShrinkerTests {
    /// Six faults, two streams, 40 clients on five instances.
    private func large() -> Scenario {
        var scenario = Scenario(name: "large", duration: .seconds(20))
        scenario.cluster.instances = 5
        scenario.cluster.brokerLoss = .resubscribeSilently
        scenario.clients = ClientsSpec(count: 40)
        scenario.clients.churn = Rate(perSecond: 5)
        scenario.clients.slow = SlowReadersSpec(count: 3)
        var broadcasts = BroadcastsSpec(rate: Rate(perSecond: 80))
        broadcasts.publishers = 7
        scenario.workload = [.processes(ProcessesSpec(rate: Rate(perSecond: 20))), .broadcasts(broadcasts)]
        scenario.faults = (0..<6).map { place in
            var fault = FaultSpec(
                action: place == 3 ? .redisRestart : .instanceKill,
                schedule: .at(.milliseconds(Int64(2000 * place + 500))))
            fault.target = place == 3 ? nil : place % 5
            if place == 3 { fault.downtime = .milliseconds(700) } else { fault.restartAfter = .milliseconds(300) }
            return fault
        }
        return scenario
    }

    private func shrink(
        _ scenario: Scenario, budget: Int = 400, fails: (Scenario) -> Bool
    ) -> ScenarioShrinker.Outcome {
        #expect(SeedShrinker.isRunnable(scenario) && fails(scenario))
        let outcome = ScenarioShrinker(budget: budget, isValid: SeedShrinker.isRunnable).shrink(scenario, fails: fails)
        #expect(fails(outcome.scenario) && SeedShrinker.isRunnable(outcome.scenario))
        return outcome
    }

    @Test("What always fails becomes one instance without clients, one stream and nothing else")
    func everything() {
        let outcome = shrink(large()) { _ in true }
        let size = PlanSize(outcome.scenario)
        #expect(outcome.isMinimal && size.faults == 0 && size.instances == 1 && size.clients == 0)
        #expect(size.items == 2 && size.loadNanoseconds == TimeSpan.milliseconds(50).nanoseconds)
        #expect(outcome.scenario.cluster.brokerLoss == .resubscribeMarked)
    }

    @Test("What the failure needs stays, to the last number, and everything else goes")
    func needed() {
        let outcome = shrink(large()) { scenario in
            scenario.faults.contains { $0.action == .redisRestart } && scenario.clients.count >= 7
                && scenario.cluster.instances >= 3 && scenario.cluster.brokerLoss == .resubscribeSilently
                && scenario.workload.contains {
                    if case .broadcasts(let spec) = $0 { spec.publishers >= 2 } else { false }
                }
        }
        let size = PlanSize(outcome.scenario)
        #expect(outcome.isMinimal)
        #expect(size.faults == 1 && size.instances == 3 && size.clients == 7)
        #expect(size.publishers == 2 && size.streams == 1)
        #expect(size.items == 14)
        #expect(outcome.scenario.faults[0].schedule == .at(.zero))
        #expect(outcome.scenario.clients.slow.count == 0 && outcome.scenario.clients.churn.perSecond == 0)
    }

    @Test("Two of six faults that are needed together are both found")
    func pairs() {
        for (first, second) in [(0, 5), (1, 2), (2, 4)] {
            let needed = [first, second].map { Int64(2000 * $0 + 500) }
            let outcome = shrink(large()) { scenario in
                needed.allSatisfy { at in scenario.faults.contains { $0.schedule == .at(.milliseconds(at)) } }
            }
            #expect(outcome.scenario.faults.count == 2, "\(first) and \(second)")
        }
    }

    @Test("A fault that comes again and again becomes the one occurrence that matters")
    func explicit() {
        var scenario = large()
        var fault = FaultSpec(action: .redisPause, schedule: .every(.seconds(3)))
        fault.duration = .milliseconds(200)
        scenario.faults = [fault]
        let outcome = shrink(scenario) { scenario in
            FaultPlan(scenario).faults.contains { $0.at >= .seconds(9) }
        }
        #expect(outcome.scenario.faults.map(\.schedule) == [.at(.seconds(9))])
    }

    @Test("It never tries a scenario twice, and none that could not be run")
    func trials() {
        var seen: Set<Scenario> = []
        var trials = 0
        let outcome = shrink(large()) { scenario in
            seen.insert(scenario)
            trials += 1
            return scenario.clients.count >= 3 && scenario.faults.count >= 1
        }
        // The first and the last were asked about by this test too.
        #expect(outcome.trials <= seen.count && trials == outcome.trials + 2)
    }

    @Test("It ends when the trials are used up, with the best so far", arguments: [0, 1, 7, 20])
    func budget(_ budget: Int) {
        var trials = -2
        let outcome = shrink(large(), budget: budget) { scenario in
            trials += 1
            return scenario.clients.count >= 3
        }
        #expect(trials == budget && outcome.trials == budget && !outcome.isMinimal)
    }

    @Test("A number is found in logarithmically many steps")
    func halving() {
        #expect(Halving.numbers(below: 8, from: 0) == [0, 4, 6, 7])
        #expect(Halving.numbers(below: 1, from: 1).isEmpty && Halving.numbers(below: 2, from: 1) == [1])
        #expect(Halving.numbers(below: 1000, from: 100, step: 100) == [100, 600, 800, 900])
        #expect(Halving.numbers(below: 130, from: 100, step: 100) == [100])
        #expect(Halving.sublists(of: [1, 2, 3]) == [[], [1, 2], [1, 3], [2, 3]])
        for least in Int64(0)...100 {
            var value: Int64 = 100
            while let next = Halving.numbers(below: value, from: 0).first(where: { $0 >= least }) { value = next }
            #expect(value == least)
        }
    }
}

@Suite("Ways of failing")
struct FailureKindTests {
    private func result(_ violated: [String], thresholds: [String] = []) -> RunResult {
        var result = RunResult(name: "x", seed: 1, startedAt: "", durationNanoseconds: 1, environment: .current())
        result.delivery = DeliveryCounts(published: 1, expected: 1, received: 1)
        result.guarantees = ["integrity", "no-gap", "completeness"].map {
            GuaranteeResult(id: $0, promised: true, verdict: violated.contains($0) ? .violated : .holds, checked: 1)
        }
        result.thresholds = thresholds.map { ThresholdResult(expression: $0, actual: 1, passed: false) }
        result.judge()
        return result
    }

    @Test("The first that is not as expected names the way, and no other may come to it")
    func ways() throws {
        #expect(FailureKind(result([])) == nil)
        let kind = try #require(FailureKind(result(["no-gap", "completeness"])))
        #expect(kind.condition == "no-gap")
        #expect(kind.isRepeated(by: result(["no-gap"])) && kind.isRepeated(by: result(["no-gap", "completeness"])))
        #expect(!kind.isRepeated(by: result(["completeness"])) && !kind.isRepeated(by: result([])))
        #expect(!kind.isRepeated(by: result(["integrity", "no-gap"])))
        let missed = try #require(FailureKind(result([], thresholds: ["latency.p99 < 1ms"])))
        #expect(missed.condition == "latency.p99 < 1ms" && !missed.isRepeated(by: result(["no-gap"])))
    }
}
