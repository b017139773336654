import Testing
import WSMHarness
import WSMReport

@Suite("The report of a capacity search")
struct CapacityReportTests {
    /// What a search came to that found its knee.
    private func found(_ change: (inout CapacityResult) -> Void = { _ in }) -> CapacityResult {
        var result = CapacityResult(
            name: "made up", startedAt: "2026-01-01T00:00:00Z", vary: .rate, limit: "latency.p99 < 100ms",
            tolerance: 0.05, repeats: 3,
            environment: RunEnvironment(
                version: "1.2.3", swift: "6.3.1", kernel: "Linux 6.1", cores: 2, redis: "7.0.15"))
        result.verdict = .found
        result.exitCode = 0
        result.knee = .init(load: 4200, deliveriesPerSecond: 840_000)
        result.bracket = .init(carried: 4200, missed: 4400)
        result.exhausted = "broadcast-thread"
        result.evidence = ["the stage queue grew by 180 ms of the latency's 190 ms (p99)"]
        result.reason = "latency.p99 < 100ms is missed"
        result.points = [
            point(1000, .carried, 200_000, p99: 3), point(2000, .carried, 400_000, p99: 9),
            point(4200, .carried, 840_000, p99: 60), point(4400, .missed, 860_000, p99: 250, "too late"),
        ]
        change(&result)
        return result
    }

    private func point(
        _ load: Double, _ outcome: StepOutcome, _ rate: Double, p99: Int64?, _ reason: String? = nil
    ) -> CapacityPoint {
        var point = CapacityPoint(load: load, outcome: outcome, reason: reason, runs: [])
        point.deliveriesPerSecond = rate
        point.p50 = p99.map { $0 * 500_000 }
        point.p99 = p99.map { $0 * 1_000_000 }
        point.cpu = load / 4000
        return point
    }

    private func lines(_ result: CapacityResult, width: Int = 100) -> [String] {
        CapacityReport.text(result, folder: "Results/runs/x", width: width).split(separator: "\n").map(String.init)
    }

    @Test("The answer stands first, then the curve with what was carried and missed")
    func answer() {
        let lines = lines(found())
        let head = lines.prefix(2).joined(separator: " ").split(separator: " ").joined(separator: " ")
        #expect(
            head == "CARRIES 4,200 messages/s (840,000 deliveries/s) within latency.p99 < 100ms; at 4,400 messages/s "
                + "the broadcast thread is exhausted")
        let rows = lines.filter { $0.hasSuffix("carried") || $0.hasSuffix("MISSED") }
        #expect(rows.count == 4)
        #expect(
            rows[2].split(separator: " ").prefix(7).map(String.init) == [
                "4,200", "840,000", "30.0", "ms", "60.0", "ms", "0",
            ])
        #expect(lines.contains { $0.hasPrefix("Exhausted   broadcast thread; the stage queue grew by 180 ms") })
        #expect(lines.last == "Folder      Results/runs/x")
    }

    @Test("Bars grow with the p99, and the limit is marked between the last carried and the first missed")
    func plot() throws {
        let rows = lines(found()).filter { $0.hasSuffix("carried") || $0.hasSuffix("MISSED") }
        let bars = rows.map { $0.count(where: { $0 == "#" }) }
        #expect(bars == bars.sorted() && Set(bars).count == 4 && bars[0] > 0)
        #expect(rows.map { $0.contains("|") } == [true, true, true, false])
        let without = lines(found { $0.limit = "delivery.perSecond > 5/s" })
        #expect(!without.contains { $0.contains("|") })
    }

    @Test(
        "Every end has its word and its sentence",
        arguments: [
            (CapacityResult.Verdict.ceiling, false, "AT LEAST  4,200 messages/s within", "more cannot be tried: late"),
            (.nothing, false, "MISSED  not even 4,400 messages/s", ": late"),
            (
                .refused, false, "NO NUMBER  at 4,400 messages/s the load generator is exhausted: late",
                "4,200 messages/s are carried"
            ),
            (.unsettled, false, "NO NUMBER  late", "4,400 messages/s are not"),
            (.unsettled, true, "INTERRUPTED  late", "4,200 messages/s are carried"),
        ])
    func ends(verdict: CapacityResult.Verdict, interrupted: Bool, start: String, end: String) {
        let result = found {
            $0.verdict = verdict
            $0.interrupted = interrupted
            $0.knee = nil
            $0.reason = "late"
            $0.points[3].reason = "late"
            $0.exhausted = verdict == .refused ? "generator" : "redis"
        }
        let head = lines(result).prefix(4).joined(separator: " ").split(separator: " ").joined(separator: " ")
        #expect(head.contains(start.split(separator: " ").joined(separator: " ")), "\(head)")
        #expect(head.contains(end), "\(head)")
    }

    @Test("Every resource has its clause")
    func resources() {
        let clauses = CapacityResource.allCases.map { resource in
            CapacityWords.exhausted(found { $0.exhausted = resource.rawValue })
        }
        #expect(Set(clauses).count == CapacityResource.allCases.count)
        #expect(CapacityWords.exhausted(found { $0.exhausted = "of a later version" }).contains("no figure tells"))
    }

    @Test("Costs have units, their error, and what cannot be told apart")
    func costs() {
        let result = found {
            $0.costs = [
                CostModel(
                    quantity: .instanceCPU,
                    terms: [.init(per: .fixed, value: 0.05), .init(per: .delivery, value: 11.2e-6)],
                    inseparable: [.init(driver: .publish, from: [.delivery]), .init(driver: .client, from: [.fixed])],
                    observations: 6, relativeError: 0.031, leaveOneOutError: 0.12),
                CostModel(
                    quantity: .memory, terms: [.init(per: .fixed, value: 1_048_576), .init(per: .client, value: 2048)],
                    inseparable: [.init(driver: .delivery, from: [.publish])], observations: 6, relativeError: 0.01,
                    leaveOneOutError: 0.02),
                CostModel(
                    quantity: .redisCPU, terms: [.init(per: .fixed, value: 1)], inseparable: [], observations: 3,
                    relativeError: 1, leaveOneOutError: 1.1),
            ]
        }
        let text = lines(result).joined(separator: " ").split(separator: " ").joined(separator: " ")
        #expect(text.contains("Instances' CPU: 50.0 ms/s fixed + 11.2 µs a delivery; off by 3.1 %, by 12 % where"))
        #expect(text.contains("Memory: 1.00 MiB fixed + 2.00 KiB a client; off by 1.0 %"))
        #expect(text.contains("Redis' CPU: too little of it, or too uneven, for a sum (off by 110 %)"))
        #expect(
            text.contains(
                "Not told apart: a client: in the fixed part, since their number was the same; a delivery from a message: "
                    + "they rose together"), "\(text)")
    }

    @Test("One screen, however much there is to say, at any width", arguments: [40, 60, 80, 100, 200])
    func size(width: Int) {
        let result = found {
            $0.points = (1...40).map { point(Double($0) * 100, .carried, 1e6, p99: Int64($0)) }
            $0.warnings = (1...20).map { "warning \($0) " + String(repeating: "word ", count: 40) }
            $0.reason = String(repeating: "reason ", count: 80)
            $0.verdict = .unsettled
        }
        let lines = CapacityReport.text(result, folder: "x", width: width).split(
            separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= TextReport.lineLimit + 1)
        #expect(lines.allSatisfy { $0.count <= max(60, min(width, 100)) })
    }

    @Test("What comes from outside steers no terminal and no Markdown")
    func hostile() {
        let result = found {
            $0.name = "a\u{1b}[31m|b<script>"
            $0.warnings = ["\u{1b}]0;x\u{7}<b>"]
            $0.points[3].reason = "x|y\u{1b}"
        }
        let text = CapacityReport.text(result, folder: "f\u{1b}")
        #expect(!text.unicodeScalars.contains { $0.value == 0x1b || $0.value == 7 })
        let markdown = CapacityReport.markdown(result, folder: "f\u{1b}")
        #expect(!markdown.unicodeScalars.contains { $0.value == 0x1b || $0.value == 7 })
        #expect(!markdown.contains("<script>") && markdown.contains("x\\|y"))
        #expect(markdown.hasPrefix("# CARRIES: 4,200 messages/s"))
    }

    @Test("No point at all is a report too")
    func empty() {
        let result = found {
            $0.points = []
            $0.verdict = .unsettled
            $0.interrupted = true
            $0.bracket = .init()
            $0.exhausted = nil
            $0.reason = "interrupted"
        }
        #expect(lines(result).first == "INTERRUPTED  interrupted; no load was carried")
    }
}
