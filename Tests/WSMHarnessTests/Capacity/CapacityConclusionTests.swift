import Testing
import WSMCore
import WSMScenario

@testable import WSMHarness

@Suite("What follows from the runs of a capacity search")
struct CapacityConclusionTests {
    private func conclusion(_ change: (inout CapacitySearch.Options) -> Void = { _ in }) throws -> CapacityConclusion {
        var options = CapacitySearch.Options(limit: try Threshold.parse("latency.p99 < 100ms").get())
        change(&options)
        return CapacityConclusion(
            name: "made up", startedAt: "2026-01-01T00:00:00Z", options: options, obstacle: "more is not allowed")
    }

    private func run(
        _ outcome: StepOutcome, _ reason: String? = nil, _ change: (inout RunResult) -> Void = { _ in }
    ) -> CapacityConclusion.Run {
        .init(folder: "x", result: MadeUpRun.result(change), judgement: .init(outcome, reason))
    }

    private func slow(_ result: inout RunResult) { result.latency = MadeUpRun.latency(milliseconds: 200) }

    @Test("A narrow bracket has a knee, the curve its medians, and the missed load its reason")
    func found() throws {
        var conclusion = try conclusion()
        conclusion.add(run(.carried) { $0.delivery.perSecond = 100 }, at: 100)
        conclusion.add(run(.missed, "late") { $0.delivery.perSecond = 80 }, at: 100)
        conclusion.add(run(.carried) { $0.delivery.perSecond = 90 }, at: 100)
        for _ in 0..<2 {
            conclusion.add(
                run(.missed, "latency.p99 < 100ms is missed") {
                    slow(&$0)
                    $0.resources.redis?.cpuSeconds = 9
                    $0.delivery.lost = 3
                }, at: 104)
        }
        conclusion.end = .search(.found(carried: 100, missed: 104))
        let result = conclusion.result(carried: 100, missed: 104)
        #expect(result.verdict == .found && result.exitCode == 0 && !result.interrupted)
        #expect(result.knee == .init(load: 100, deliveriesPerSecond: 90))
        #expect(result.bracket == .init(carried: 100, missed: 104))
        #expect(result.exhausted == "redis" && result.evidence.first?.contains("90 %") == true)
        #expect(result.reason == "latency.p99 < 100ms is missed")
        #expect(result.points.map(\.load) == [100, 104])
        #expect(result.points.map(\.outcome) == [.carried, .missed])
        #expect(result.points.map(\.lost) == [0, 3])
        #expect(result.points.map(\.p99) == [5_000_000, 200_000_000])
        #expect(abs((result.points[0].cpu ?? 0) - 0.3) < 1e-9, "two instances and Redis, a second each of ten")
        #expect(result.warnings.contains { $0 == "the runs disagree at 100 messages/s" }, "\(result.warnings)")
        #expect(try CapacityResult(json: result.json()) == result)
    }

    @Test("Where the generator is exhausted no number is given, whether its runs are INVALID or only strained")
    func refused() throws {
        var invalid = try conclusion()
        invalid.add(run(.carried), at: 100)
        for _ in 0..<2 {
            invalid.add(
                run(.notJudged, "the loops were late") {
                    $0.validity = Validity(verdict: .invalid, reasons: ["the loops were late", "and full"])
                }, at: 104)
        }
        invalid.end = .search(.notJudged(load: 104))
        var strained = try conclusion()
        strained.add(run(.carried), at: 100)
        strained.add(
            run(.missed, "late") {
                slow(&$0)
                $0.scheduleSlip = MadeUpRun.latency(milliseconds: 50)
            }, at: 104)
        strained.end = .search(.found(carried: 100, missed: 104))
        for result in [invalid.result(carried: 100, missed: nil), strained.result(carried: 100, missed: 104)] {
            #expect(result.verdict == .refused && result.exitCode == ExitCode.inconclusive.rawValue)
            #expect(result.knee == nil)
            #expect(result.exhausted == "generator" && !result.evidence.isEmpty)
            #expect(!result.reason.isEmpty)
            #expect(result.bracket.carried == 100)
        }
    }

    @Test("Runs that show too little are no fault of the generator, and give no number either")
    func unknown() throws {
        var conclusion = try conclusion()
        conclusion.add(run(.notJudged, "completeness is unknown"), at: 100)
        conclusion.end = .search(.notJudged(load: 100))
        let result = conclusion.result(carried: nil, missed: nil)
        #expect(result.verdict == .refused && result.exhausted == nil && result.reason == "completeness is unknown")
    }

    @Test("What ends the search otherwise says so, and leaves no knee")
    func ends() throws {
        let ends: [(CapacityConclusion.End, CapacityResult.Verdict, Int32, String)] = [
            (.search(.ceiling(100)), .ceiling, 4, "more is not allowed"),
            (.ceiling("no memory"), .ceiling, 4, "no memory"),
            (.failed(HarnessError(.groundMissing, "no files")), .ceiling, 4, "no files"),
            (.failed(HarnessError(.childFailed, "it crashed")), .unsettled, 4, "it crashed"),
            (.outOfTime, .unsettled, 4, "1800 s"),
            (.search(.outOfRuns), .unsettled, 4, "1 runs"),
            (.interrupted, .unsettled, 130, "interrupted"),
        ]
        for (end, verdict, exitCode, words) in ends {
            var conclusion = try conclusion()
            conclusion.add(run(.carried), at: 100)
            conclusion.end = end
            let result = conclusion.result(carried: 100, missed: nil)
            #expect(result.verdict == verdict && result.exitCode == exitCode, "\(end)")
            #expect(result.reason.contains(words), "\(result.reason)")
            #expect(result.knee == nil && result.bracket.carried == 100)
            #expect(result.interrupted == (exitCode == 130))
        }
    }

    @Test("A lowest load that is missed is a threshold missed")
    func nothing() throws {
        var conclusion = try conclusion()
        conclusion.add(run(.missed, "latency.p99 < 100ms is missed", slow), at: 2)
        conclusion.end = .search(.nothing(missed: 2))
        let result = conclusion.result(carried: nil, missed: 2)
        #expect(result.verdict == .nothing && result.exitCode == ExitCode.thresholdMissed.rawValue)
        #expect(result.knee == nil && result.exhausted == "unknown")
    }

    @Test("Planned losses, doubtful runs, a shared process and a busy machine are told")
    func warnings() throws {
        var conclusion = try conclusion()
        conclusion.add(
            run(.carried) {
                $0.validity = Validity(verdict: .suspect, reasons: ["other machines took CPU"])
                $0.delivery.lostByCause = ["evicted": 3, "other-instance": 5]
                $0.delivery.lostBySlowReaders = 3
            }, at: 100)
        conclusion.add(run(.missed, "late") { $0.generator?.cpu?.machineBusy = 0.99 }, at: 104)
        conclusion.end = .search(.found(carried: 100, missed: 104))
        let text = conclusion.result(carried: 100, missed: 104).warnings.joined(separator: "\n")
        for words in [
            "SUSPECT: other machines took CPU", "99 % busy", "read slowly on purpose", "lost by design",
            "share their process",
        ] {
            #expect(text.contains(words), "\(text)")
        }
    }

    @Test("A load that the machine has no memory for is not run")
    func memory() {
        let result = MadeUpRun.result {
            $0.resources.instances = [1, 1, 2].map { pid in
                ResourceUsage(pid: pid, cpuSeconds: 1, deliveries: 1, rssBytes: 1, peakRssBytes: 100 << 20)
            }
            $0.resources.redis = nil
        }
        let free = Double(512 << 20)
        #expect(MemoryForecast.obstacle(2, last: result, at: 1, available: free) == nil)
        let obstacle = MemoryForecast.obstacle(4, last: result, at: 1, available: free)
        #expect(obstacle == "a run would need some 800 MiB of memory, and 512 MiB are free")
        #expect(MemoryForecast.obstacle(4, last: result, at: 1, available: nil) == nil)
    }
}
