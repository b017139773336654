import Foundation
import Testing
import WSMHarness

@testable import WSMReport

@Suite("JSON for services that follow figures, held against their documented schemas", .timeLimit(.minutes(5)))
struct BenchmarkReportTests {
    struct Entry: Decodable {
        var name: String
        var unit: String
        var value: Double
    }

    private static let withFigures = [SampleRun.failed(), SampleRun.passed(), SampleRun.hostile()]

    @Test("github-action-benchmark's array")
    func githubAction() async throws {
        let text = BenchmarkReport.githubAction(Self.withFigures.map { ReportedRun($0) })
        let (isValid, words) = try await Reading.isValid(text, schema: "github-benchmark.schema.json")
        #expect(isValid, "\(words)")
        let entries = try JSONDecoder().decode([Entry].self, from: Data(text.utf8))
        #expect(entries.contains { $0.name == "sample: latency.p99" && $0.unit == "ns" && $0.value == 61_000_000 })
        #expect(entries.contains { $0.name == "sample #2: delivery.lostPerMillion" && $0.value == 0 })
        #expect(entries.contains { $0.name == "sample: delivery.lostPerMillion" && $0.value == 8000 })
        #expect(!entries.contains { $0.name.hasSuffix("stages.broker.p99") })
        #expect(entries.contains { $0.name.hasPrefix(PlainText.printable(hostileText)) })
        #expect(Set(entries.map(\.name)).count == entries.count)
    }

    @Test("Bencher Metric Format")
    func bencher() async throws {
        let text = BenchmarkReport.bencher(Self.withFigures.map { ReportedRun($0) })
        let (isValid, words) = try await Reading.isValid(text, schema: "bencher.schema.json")
        #expect(isValid, "\(words)")
        let document = try JSONDecoder().decode([String: [String: [String: Double]]].self, from: Data(text.utf8))
        #expect(document["sample: latency.p99"] == ["latency": ["value": 61_000_000]])
        #expect(document["sample: resources.instances.peakRssBytes"] == ["peak-memory-bytes": ["value": 2048]])
        #expect(document["sample: fanOutSkew.p99"] == nil)
        #expect(document.count == 3 * TrackedFigure.all(of: SampleRun.failed()).count)
    }

    @Test("An INVALID run has no figures, so that it becomes no baseline")
    func invalid() {
        let runs = [ReportedRun(SampleRun.invalid())]
        #expect(BenchmarkReport.githubAction(runs) == "[]\n")
        #expect(BenchmarkReport.bencher(runs) == "{}\n")
    }
}
