import Testing
import WSMHarness
import WSMReport
import WSMVerify

@Suite("The report of a comparison")
struct CompareReportTests {
    private let hostile = "\u{1b}[31m|<img>\u{202e}"

    private func result(_ names: [String] = ["memory", "broadcast"]) -> CompareResult {
        let variants = names.enumerated().map { index, name in
            var run = RunResult(
                name: "sample", seed: 7, startedAt: "2026-01-01T00:00:00Z", durationNanoseconds: 1_000_000_000,
                environment: RunEnvironment(version: "0", swift: "6", kernel: "Linux", cores: 2))
            let lost = index == 0 ? 500 : 0
            run.delivery = DeliveryCounts(
                published: 10, expected: 1000, received: 1000 - lost, lost: lost, lostByCause: ["other-instance": lost])
            return CompareResult.Variant(name: name, results: [run, run, run], folders: ["1", "2", "3"])
        }
        var result = CompareResult(
            name: "sample", startedAt: "2026-01-01T00:00:00Z", rounds: 3, variants: variants,
            environment: variants[0].results[0].environment)
        let ratios = names.dropFirst().map {
            CompareResult.Ratio(a: names[0], b: $0, ratio: 2.1, low: 1.9, high: 2.4, verdict: .worse)
        }
        let medians = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, Double($0 + 1) * 1e6) })
        result.metrics = ["latency.p50", "latency.p99", "resources.instances.cpuSecondsPerMillionDeliveries"].map {
            CompareResult.Metric(path: $0, medians: medians, ratios: ratios)
        }
        result.guarantees = [
            .init(
                id: "cross-instance-reach",
                findings: Dictionary(
                    uniqueKeysWithValues: names.enumerated().map { index, name in
                        let verdict: Verdict = index == 0 ? .violated : .holds
                        return (name, .init(promised: index > 0, verdict: verdict, violations: index == 0 ? 5 : 0))
                    }))
        ]
        result.exitCode = ExitCode.passed.rawValue
        return result
    }

    @Test("The answer comes first, with what each loses and how much the times differ, and all fits a screen")
    func shape() {
        let lines = CompareReport.text(result()).split(separator: "\n", omittingEmptySubsequences: false).map(
            String.init)
        #expect(lines[0].hasPrefix("COMPARED  sample: memory delivers 50.00 %"))
        let answer = lines.prefix(4).joined(separator: " ").split(separator: " ").joined(separator: " ")
        #expect(answer.contains("other-instance") && answer.contains("broadcast loses nothing"))
        #expect(answer.contains("latency p99 2.10 ×"))
        #expect(lines.contains { $0.contains("latency p99") && $0.contains("1.90 – 2.40") && $0.hasSuffix("worse") })
        #expect(
            lines.contains { $0.contains("cross-instance-reach") && $0.contains("violated") && $0.contains("holds*") })
        #expect(lines.count <= 50 && lines.allSatisfy { $0.count <= 100 })
    }

    @Test("Many variants keep to a screen", arguments: [60, 80, 100])
    func many(width: Int) {
        let names = (1...16).map { "variant-with-a-long-name-\($0)" }
        let lines = CompareReport.text(result(names), width: width).split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= width })
    }

    @Test("What would steer a terminal, or be markup, is escaped")
    func hostileNames() {
        var result = result([hostile, "b"])
        result.name = hostile
        result.warnings = [hostile]
        for text in [CompareReport.text(result), CompareReport.markdown(result)] {
            #expect(!text.unicodeScalars.contains { $0 == "\u{1b}" || $0 == "\u{202e}" })
        }
        #expect(!CompareReport.markdown(result).contains("<img>"))
    }

    @Test("Markdown has every figure and says why nothing is shown")
    func markdown() {
        var result = result()
        result.metrics[1].ratios[0].verdict = .inconclusive
        result.metrics[1].ratios[0].reason = "the interval is too wide"
        let text = CompareReport.markdown(result)
        #expect(text.hasPrefix("# COMPARED: sample"))
        #expect(text.contains("inconclusive: the interval is too wide"))
        #expect(text.contains("| cross-instance-reach | violated | holds"))
    }
}
