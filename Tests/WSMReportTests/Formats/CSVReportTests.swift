import Testing
import WSMHarness
import WSMScenario

@testable import WSMReport

@Suite("CSV, read by Python's csv", .timeLimit(.minutes(5)))
struct CSVReportTests {
    private func read(_ runs: [ReportedRun]) async throws -> [[String: String]] {
        try await Reading.python("table.py", CSVReport.text(runs), as: [[String: String]].self)
    }

    @Test("A row a run, every metric a column with its unit, and empty cells without samples")
    func rows() async throws {
        let rows = try await read([ReportedRun(SampleRun.failed(), folder: "runs/a"), ReportedRun(SampleRun.passed())])
        #expect(rows.count == 2)
        let row = try #require(rows.first)
        #expect(row["run"] == "runs/a" && row["name"] == "sample" && row["exitCode"] == "3")
        #expect(row["latency.p99Nanoseconds"] == "61000000")
        #expect(row["latencyFromActualSend.p99Nanoseconds"] == "")
        #expect(row["delivery.perSecond"] == "660.5")
        #expect(row["resources.instances.peakRssBytes"] == "2048")
        #expect(row["resources.redis.peakRssBytes"] == "")
        #expect(row["guarantees.completeness"] == "violated" && row["guarantees.session-bounds"] == "")
        #expect(row["thresholdsMissed"] == "2" && row["thresholdsMet"] == "1")
        #expect(row.count == 19 + MetricCatalogue.metrics.count + 15)
        #expect(rows[1]["verdict"] == "passed")
    }

    @Test("Every line ends with CR LF, also the last")
    func lineEnds() {
        let text = CSVReport.text([ReportedRun(SampleRun.failed())])
        #expect(text.hasSuffix("\r\n"))
        #expect(text.utf8.count { $0 == 10 } == 2 && text.utf8.count { $0 == 13 } == 2)
    }

    @Test("Hostile texts arrive as they are, and none begins like a formula")
    func hostile() async throws {
        let rows = try await read([ReportedRun(SampleRun.hostile(), folder: "@SUM(1)")])
        let row = try #require(rows.first)
        #expect(row["name"] == "'" + hostileText)
        #expect(row["manager"] == "'" + hostileText)
        #expect(row["run"] == "'@SUM(1)")
        #expect(rows.flatMap(\.values).allSatisfy { !"=+-@\t\r\n＝＋－＠".contains($0.first ?? "x") })
    }
}
