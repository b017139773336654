import Testing

@testable import WSMHarness
@testable import WSMReport

@Suite("What many seeds show")
struct SeedsReportTests {
    private func result(failures: Int) throws -> SeedCampaignResult {
        var result = SeedCampaignResult(
            name: "seeds", command: "wsmlab simulate 'a b.yaml'", seeds: try SeedRange(parsing: "1..200"),
            startedAt: "2026-01-01T00:00:00Z",
            environment: RunEnvironment(version: "1", swift: "6", kernel: "Linux", cores: 2))
        for seed in 1...200 {
            var run = SampleRun.passed()
            if seed <= failures {
                run.verdict = .guarantee
                run.exitCode = 3
                run.reason = "publisher-order is violated\u{1b}[2J | <b>"
            }
            var finding = SeedCampaignResult.Finding(
                seed: UInt64(seed), run: JudgedRun(result: run))
            finding.isRepeated = seed.isMultiple(of: 16)
            result.take(finding)
        }
        result.conclude()
        return result
    }

    @Test("The answer first, then each failing seed and what replays it, within one screen", arguments: [0, 3, 150])
    func text(failures: Int) throws {
        let result = try result(failures: failures)
        let lines = SeedsReport.text(result, folder: "x").split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 51)
        #expect(lines.allSatisfy { $0.count <= 100 && !$0.contains("\u{1b}") })
        if failures == 0 {
            #expect(lines[0].hasPrefix("PASSED  seeds: all 200 of seeds 1 to 200 passed;"))
        } else {
            let head = "FAILED  seeds: \(failures) of 200 failed (guarantee \(failures)) of seeds 1 to 200;"
            #expect(lines[0].hasPrefix(head), "\(lines[0])")
            #expect(lines.contains { $0.hasPrefix("seed 2  guarantee: publisher-order is violated") })
            #expect(lines.contains("    wsmlab simulate 'a b.yaml' --seed 2"))
        }
        #expect(lines.contains { $0.contains("12 of 12 seeds that ran twice did the same") })
    }

    @Test("Markdown has every failing seed, and no reason becomes markup")
    func markdown() throws {
        let text = SeedsReport.markdown(try result(failures: 3))
        #expect(text.hasPrefix("## FAILED seeds\n"))
        #expect(text.contains("| 3 | guarantee |") && !text.contains("<b>"))
        #expect(text.contains("`wsmlab simulate 'a b.yaml' --seed 1`"))
    }
}
