import Testing
import WSMHarness
import WSMVerify

@testable import WSMReport

@Suite("What a gate shows")
struct GateReportTests {
    private func result(_ verdict: GateResult.Verdict) -> GateResult {
        var result = GateResult(
            name: "gate", mode: .against, reference: "old/wsmlab", startedAt: "2026-01-01T00:00:00Z", scenario: "00",
            environment: RunEnvironment(version: "1", swift: "6", kernel: "Linux", cores: 2))
        result.verdict = verdict
        result.reasons = ["latency.p50 is 210 % worse (tolerated 37 %), and fresh rounds confirm it"]
        result.rounds = 5
        result.freshRounds = 2
        result.metrics = [
            GateMetric(
                path: "resources.instances.cpuSecondsPerMillionDeliveries", verdict: .within, tolerance: 0.05, old: 8.1,
                new: 8.2, ratio: 1.01, low: 0.99, high: 1.03),
            GateMetric(
                path: "latency.p50", verdict: .worse, tolerance: 0.37, old: 800e3, new: 2.5e6, ratio: 3.1, low: 2.8,
                high: 3.4),
            GateMetric(path: "latency.p99/calibration.latencyFloor.p50", verdict: .missing, tolerance: 1),
        ]
        result.control.metrics = [
            GateMetric(path: "latency.p50", verdict: .within, tolerance: 0.37, old: 1, new: 1, ratio: 1.002)
        ]
        result.counts = [
            GateCount(path: "delivery.published", verdict: .same, old: 500, new: 500),
            GateCount(path: "delivery.lostByCause.unexplained", verdict: .worse, old: 0, new: 10),
        ]
        result.guarantees = [
            GateGuarantee(
                id: "completeness", expected: .holds, old: .holds, new: .violated, witness: "client 3\u{1b}[2J | <b>")
        ]
        result.notes = ["a note"]
        return result
    }

    @Test("The verdict and its reason come first, the worst figures next, all within one screen", arguments: [60, 100])
    func text(width: Int) {
        let lines = GateReport.text(result(.regression), folder: "Results/x", width: width)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines[0].hasPrefix("REGRESSION  gate: latency.p50 is 210 % worse"))
        #expect(lines.count <= TextReport.lineLimit)
        #expect(lines.allSatisfy { $0.count <= width })
        let text = lines.joined(separator: "\n")
        #expect(!text.contains("\u{1b}"))
        let worse = text.firstRange(of: "WORSE")
        let within = text.firstRange(of: "within")
        #expect(worse.map { first in within.map { first.lowerBound < $0.lowerBound } ?? false } == true)
        #expect(text.contains("VIOLATED: completeness"))
        #expect(text.replacing("\n", with: " ").contains("5 rounds, 2 of them to confirm"))
    }

    @Test("Each verdict has its word, an interruption its own")
    func words() {
        #expect(GateReport.text(result(.pass)).hasPrefix("PASS  "))
        #expect(GateReport.text(result(.inconclusive)).hasPrefix("INCONCLUSIVE  "))
        var interrupted = result(.inconclusive)
        interrupted.interrupted = true
        #expect(GateReport.text(interrupted, color: true).hasPrefix("\u{1b}[1;33mINTERRUPTED"))
    }

    @Test("Many reasons and figures still fit one screen")
    func crowded() {
        var many = result(.inconclusive)
        many.reasons = (0..<50).map {
            "reason \($0) is a sentence that is rather long, so that it has to be broken somewhere"
        }
        many.notes = many.reasons
        many.metrics = (0..<60).map { GateMetric(path: "latency.p\($0)", verdict: .undecided, tolerance: 0.1) }
        many.counts = (0..<60).map { GateCount(path: "count.\($0)", verdict: .worse, old: 1, new: 2) }
        #expect(GateReport.text(many).split(separator: "\n").count <= TextReport.lineLimit)
    }

    @Test("Markdown has every figure, and no text of a witness becomes markup")
    func markdown() {
        let text = GateMarkdown.text(result(.regression), folder: "Results/x")
        #expect(text.hasPrefix("## REGRESSION: gate\n"))
        #expect(text.contains("| latency.p50 | 800 µs | 2.50 ms | 3.100 | 2.800 to 3.400 | +37 % | WORSE |"))
        #expect(text.contains("A/A control (quiet)"))
        #expect(!text.contains("<b>") && !text.contains("\u{1b}"))
        #expect(text.contains("\\| \\<b\\>"))
    }
}
