import Testing
import WSMHarness

@testable import WSMReport

@Suite("What a gate shows")
struct GateReportTests {
    private func result(_ verdict: GateResult.Verdict) -> GateResult { GateSample.against(verdict) }

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
