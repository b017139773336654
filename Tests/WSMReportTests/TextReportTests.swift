import Testing
import WSMHarness
import WSMRecord
import WSMReport
import WSMVerify

@Suite("The summary of a run")
struct TextReportTests {
    func result() -> RunResult {
        var result = RunResult(
            name: "sample", seed: 7, startedAt: "2026-01-01T00:00:00Z", durationNanoseconds: 1_000_000_000,
            environment: RunEnvironment(version: "0", swift: "6", kernel: "Linux", cores: 2))
        result.delivery = DeliveryCounts(
            published: 10, expected: 100, received: 98, lost: 2, lostByCause: ["evicted": 2], perSecond: 98)
        result.guarantees = [
            GuaranteeResult(
                id: "completeness", promised: true, verdict: .violated, checked: 100, violations: 2,
                witness: "client 7 never got 3:41")
        ]
        return result
    }

    @Test("The answer comes first, and the whole fits a screen")
    func shape() {
        var result = result()
        result.judge()
        let lines = TextReport.summary(result, width: 100, color: false).split(
            separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.first?.hasPrefix("FAILED") == true)
        #expect(lines.count <= 40)
        #expect(lines.allSatisfy { $0.count <= 100 })
        #expect(lines.contains { $0.contains("evicted") })
        #expect(lines.contains { $0.contains("client 7 never got 3:41") })
    }

    @Test("A violated promise decides over a missed threshold, and an invalid run over both")
    func precedence() {
        var result = result()
        result.thresholds = [ThresholdResult(expression: "delivery.lost == 0", actual: 2, passed: false)]
        result.judge()
        #expect(result.exitCode == ExitCode.guaranteeViolated.rawValue)
        result.guarantees[0].expected = .any
        result.judge()
        #expect(result.exitCode == ExitCode.thresholdMissed.rawValue)
        result.validity = Validity(verdict: .invalid, reasons: ["late"])
        result.judge()
        #expect(result.exitCode == ExitCode.inconclusive.rawValue)
        #expect(result.verdict == .inconclusive)
    }

    @Test("An INVALID run says above its times that they are the generator's, and voids its thresholds")
    func invalid() {
        var result = result()
        result.thresholds = [ThresholdResult(expression: "latency.p99 < 1s", actual: 5, passed: true)]
        result.latency = LatencySummary(count: 98, p50: 5, max: 9)
        let plain = "the load generator's own delays, not the system's"
        result.judge()
        #expect(!TextReport.summary(result).contains(plain))
        #expect(!MarkdownReport.text(result).contains(plain))
        result.validity = Validity(verdict: .invalid, reasons: ["late"])
        result.judge()
        let lines = TextReport.summary(result).split(separator: "\n").map(String.init)
        #expect(lines.first?.hasPrefix("INVALID") == true)
        let warning = lines.firstIndex { $0.contains(plain) }
        let table = lines.firstIndex { $0.hasPrefix("Latency") }
        #expect(warning != nil && table == warning.map { $0 + 1 })
        #expect(lines.contains { $0.hasPrefix("Void") } && !lines.contains { $0.hasPrefix("Met") })
        #expect(MarkdownReport.text(result).contains(plain))
    }

    @Test("The generator has a line of its own: what it can take, or why nobody asked")
    func generator() {
        var result = result()
        #expect(!TextReport.summary(result).contains("Generator"))
        var figures = GeneratorFigures()
        figures.notCalibrated = "the plan asks for 12 deliveries a second, under 5000"
        result.generator = figures
        #expect(TextReport.summary(result).contains("Generator   not calibrated: the plan asks for 12"))
        figures.cpu = CPUFigures(
            recordingLoop: LoopShares(busy: 0.3, waiting: 0.1), machineBusy: 0.5, steal: 0, allowedCPUs: 2)
        result.generator = figures
        result.calibration = Calibration(
            deliveriesPerSecond: 290_000, bulkDeliveriesPerSecond: 3.8e6, cpuSecondsPerMillionDeliveries: 3.4,
            latencyFloor: LatencySummary(count: 60, p50: 45_000), pacing: LatencySummary(count: 100, p99: 80_000))
        let line = TextReport.summary(result).split(separator: "\n").first { $0.hasPrefix("Generator") }
        #expect(
            line == "Generator   can take 290k/s here; floor p50 45.0 µs; pace p99 80.0 µs; 25 % short of CPU")
        #expect(MarkdownReport.text(result).contains("floor p50 45.0 µs"))
    }

    @Test("A result is the same after it was written and read")
    func roundTrip() throws {
        #expect(try RunResult(json: result().json()) == result())
    }

    @Test("Every metric that a threshold may name is found in a result, or has no samples")
    func metrics() {
        #expect(MetricLookup.value(at: "delivery.lost", in: result()) == 2)
        #expect(MetricLookup.value(at: "delivery.lostByCause.evicted", in: result()) == 2)
        #expect(MetricLookup.value(at: "delivery.lostByCause.unexplained", in: result()) == 0)
        #expect(MetricLookup.value(at: "latency.p99", in: result()) == nil)
        #expect(MetricLookup.value(at: "latency.nonsense", in: result()) == nil)
    }
}
