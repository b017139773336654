import Testing
import WSMHarness
import WSMScenario

@testable import WSMReport

@Suite("JUnit XML, read by junitparser", .timeLimit(.minutes(5)))
struct JUnitReportTests {
    struct Document: Decodable {
        struct Counts: Decodable, Equatable {
            var tests: Int
            var failures: Int
            var errors: Int
            var skipped: Int
        }

        struct Outcome: Decodable {
            var kind: String
            var message: String?
        }

        struct Case: Decodable {
            var name: String
            var `class`: String
            var time: Double?
            var file: String?
            var line: String?
            var results: [Outcome]
        }

        struct Suite: Decodable {
            var name: String
            var time: Double
            var timestamp: String
            var told: Counts
            var counted: Counts
            var countedTime: Double
            var properties: [String: String]
            var cases: [Case]
        }

        var told: Counts
        var suites: [Suite]
    }

    private func read(_ runs: [ReportedRun]) async throws -> Document {
        try await Reading.python("junit.py", JUnitReport.text(runs), as: Document.self)
    }

    @Test("Each check is a case, with failure, error or skipped as the run decided")
    func cases() async throws {
        let places = ScenarioPlaces.parse(
            text: "name: a\nexpect:\n  thresholds:\n    - latency.p99<50ms\n", file: "Scenarios/a.yaml")
        let document = try await read([ReportedRun(SampleRun.failed(), folder: "runs/a", places: places)])
        let suite = try #require(document.suites.first)
        let kinds = suite.cases.map { "\($0.name): \($0.results.first?.kind ?? "passed")" }
        #expect(
            kinds == [
                "validity: passed", "latency.p99 < 50ms: failure", "delivery.received > 10: passed",
                "stages.broker.p99 < 1s: failure", "integrity: passed", "completeness: failure", "recovery: error",
                "isolation: skipped", "total-order: skipped", "no-gap: passed",
            ])
        try #require(kinds.count == 10)
        #expect(suite.told == suite.counted && document.told == suite.told)
        #expect(suite.time == 1.5 && suite.countedTime == 1.5)
        #expect(suite.timestamp == "2026-01-02T03:04:05")
        #expect(suite.cases[1].results.first?.message == "the run had 61.0 ms")
        #expect(suite.cases[1].class == "wsmlab.sample.thresholds")
        #expect(suite.cases[1].file == "Scenarios/a.yaml" && suite.cases[1].line == "4")
        #expect(suite.cases[5].line == "2")
        #expect(suite.cases[5].results.first?.message?.contains("client 7 never got 3:41") == true)
        #expect(suite.properties["runFolder"] == "runs/a")
    }

    @Test("A suite is red if, and only if, the run's exit code is not 0")
    func colour() async throws {
        let document = try await read(SampleRun.all.map { ReportedRun($0) })
        #expect(document.suites.count == SampleRun.all.count)
        for (suite, result) in zip(document.suites, SampleRun.all) {
            let isRed = suite.counted.failures + suite.counted.errors > 0
            #expect(isRed == (result.exitCode != 0), "\(suite.name): \(result.reason)")
            #expect(suite.told == suite.counted)
        }
        #expect(Set(document.suites.map(\.name)).count == document.suites.count)
    }

    @Test("Of an INVALID run the validity is an error, and nothing else passed or failed")
    func invalid() async throws {
        let document = try await read([ReportedRun(SampleRun.invalid())])
        let suite = try #require(document.suites.first)
        #expect(suite.cases[0].results.first?.kind == "error")
        #expect(suite.cases.dropFirst().allSatisfy { $0.results.first?.kind == "skipped" })
    }

    @Test("Hostile texts arrive as they are, but for characters that XML forbids")
    func hostile() async throws {
        let document = try await read([ReportedRun(SampleRun.hostile(), folder: hostileText)])
        let suite = try #require(document.suites.first)
        let printable = hostileText.replacing("\u{1b}", with: "\\u{1b}").replacing("\u{7}", with: "\\u{7}")
            .replacing("\u{0}", with: "\\u{0}").replacing("\u{fffe}", with: "\\u{fffe}")
        #expect(suite.properties["runFolder"] == printable)
        #expect(suite.cases[1].name == printable)
        #expect(suite.cases.contains { $0.results.first?.message?.contains(printable) == true })
    }
}
