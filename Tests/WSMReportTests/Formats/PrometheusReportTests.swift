import Testing
import WSMHarness

@testable import WSMReport

@Suite("Prometheus text, read by prometheus_client", .timeLimit(.minutes(5)))
struct PrometheusReportTests {
    struct Document: Decodable {
        struct Sample: Decodable {
            var name: String
            var labels: [String: String]
            var value: Double
        }

        struct Family: Decodable {
            var name: String
            var kind: String
            var help: String
            var samples: [Sample]
        }

        var families: [Family]
        var repeated: Int

        func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
            let samples = families.flatMap(\.samples).filter { sample in
                sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
            }
            return samples.count == 1 ? samples[0].value : nil
        }
    }

    private func read(_ results: [RunResult]) async throws -> Document {
        try await Reading.python(
            "prometheus.py", PrometheusReport.text(results.map { ReportedRun($0) }), as: Document.self)
    }

    @Test("Base units, types and helps; what has no samples is left out")
    func values() async throws {
        let document = try await read([SampleRun.failed()])
        #expect(document.families.allSatisfy { !$0.help.isEmpty && ["gauge", "summary"].contains($0.kind) })
        #expect(document.value("wsmlab_latency_seconds", ["kind": "response", "quantile": "0.99"]) == 0.061)
        #expect(document.value("wsmlab_latency_seconds_count", ["kind": "response"]) == 990)
        #expect(document.value("wsmlab_latency_seconds_sum", ["kind": "response"]) == 1.98)
        #expect(document.value("wsmlab_latency_seconds_count", ["kind": "service"]) == nil)
        #expect(document.value("wsmlab_stage_seconds", ["stage": "queue", "quantile": "0.5"]) == 5e-9)
        #expect(document.value("wsmlab_peak_resident_memory_bytes", ["part": "instances"]) == 2048)
        #expect(document.value("wsmlab_peak_resident_memory_bytes", ["part": "redis"]) == nil)
        #expect(document.value("wsmlab_guarantee_holds", ["guarantee": "completeness"]) == 0)
        #expect(document.value("wsmlab_guarantee_holds", ["guarantee": "recovery"]) == nil)
        #expect(document.value("wsmlab_run_verdict", ["verdict": "guarantee"]) == 1)
        #expect(document.value("wsmlab_run_verdict", ["verdict": "passed"]) == 0)
    }

    @Test("No series stands twice, whatever runs there are, and each family once")
    func series() async throws {
        let document = try await read(SampleRun.all)
        #expect(document.repeated == 0)
        #expect(Set(document.families.map(\.name)).count == document.families.count)
        #expect(document.families.flatMap(\.samples).allSatisfy { $0.labels["scenario"] != nil })
    }

    @Test("An INVALID run has a verdict and no latencies")
    func invalid() async throws {
        let document = try await read([SampleRun.invalid()])
        #expect(document.value("wsmlab_run_validity", ["validity": "invalid"]) == 1)
        #expect(!document.families.contains { $0.name.contains("latency") || $0.name.contains("stage") })
        #expect(!document.families.contains { $0.name == "wsmlab_threshold_met" })
    }

    @Test("Hostile texts are label values and nothing else")
    func hostile() async throws {
        let document = try await read([SampleRun.hostile()])
        let printable = PlainText.printable(hostileText)
        #expect(document.value("wsmlab_run_info", ["manager": printable, "scenario": printable]) == 1)
        #expect(document.value("wsmlab_lost_deliveries", ["cause": printable]) == 8)
        #expect(document.value("wsmlab_guarantee_holds", ["guarantee": printable]) == 0)
    }
}
