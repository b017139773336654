import Foundation
import Testing
import WSMHarness
import WSMRecord
import WSMTestSupport

@Suite("latency.hlog, read by HdrHistogram's Python port", .timeLimit(.minutes(5)))
struct HistogramLogReaderTests {
    private static let scenario = """
        name: hlog
        warmup: 200ms
        duration: 1s
        cluster: {instances: 2, manager: memory}
        clients: {count: 10, connectRate: 500/s, slow: {count: 1, readRate: 1MiB/s}}
        workload:
          - {kind: broadcasts, rate: 200/s, publishers: 2}
          - {kind: processes, rate: 20/s, steps: 2, stepDuration: 1ms}
        """

    @Test("Counts, percentiles and lengths are those of result.json, for every stage")
    func sameFigures() async throws {
        let copy = NSTemporaryDirectory() + "wsmlab-hlog-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let result = try await TestRun.perform(
            text: Self.scenario,
            check: { folder, _ in try FileManager.default.copyItem(atPath: folder, toPath: copy) })
        #expect(result.latency.count > 0 && result.stages.queue.count > 0 && result.latencySlowReaders.count > 0)
        let answer = try await IndependentReader.python("hlog.py", [copy])
        #expect(answer.exitCode == 0, "\(answer.output)\(answer.errors)")
        #expect(answer.output.hasSuffix("hlog: the same\n"))

        // The same reader finds a figure that is not the log's.
        var changed = result
        changed.latency.p99 += 1_000_000
        try changed.json().write(to: URL(fileURLWithPath: "\(copy)/result.json"))
        let doubt = try await IndependentReader.python("hlog.py", [copy])
        #expect(doubt.exitCode == 1)
        #expect(doubt.output.contains("response: p99 is"))
    }
}
