import WSMRecord
import WSMVerify

@testable import WSMHarness

/// Results that no run has measured.
enum MadeUpRun {
    /// A run of 10 s with two instances, 100 clients, and all figures well within their bounds.
    static func result(_ change: (inout RunResult) -> Void = { _ in }) -> RunResult {
        var result = RunResult(
            name: "made up", seed: 1, startedAt: "2026-01-01T00:00:00Z", durationNanoseconds: 10_000_000_000,
            environment: RunEnvironment(version: "0", swift: "0", kernel: "0", cores: 2))
        result.setup = RunSetup(
            manager: "broadcast", profile: "hardened", instances: 2, placement: "in-process", transport: "websocket",
            warmupNanoseconds: 0)
        result.delivery = DeliveryCounts(
            published: 1000, expected: 100_000, received: 100_000, perSecond: 10_000)
        result.clients = ClientCounts(planned: 100, connected: 100)
        result.latency = latency(milliseconds: 5)
        result.stages.queue = latency(milliseconds: 1)
        result.stages.publish = latency(milliseconds: 1)
        result.stages.broker = latency(milliseconds: 1)
        result.stages.write = latency(milliseconds: 1)
        result.stages.wire = latency(milliseconds: 1)
        result.scheduleSlip = latency(milliseconds: 1)
        result.resources = Resources(
            instances: [usage(cpuSeconds: 1), usage(cpuSeconds: 1)],
            redis: RedisUsage(connections: 4, process: usage(cpuSeconds: 1)))
        result.generator = GeneratorFigures()
        result.generator?.cpu = CPUFigures(
            recordingLoop: LoopShares(busy: 0.2), instanceLoop: LoopShares(busy: 0.3), machineBusy: 0.5, steal: 0,
            allowedCPUs: 2)
        result.instances = [InstanceResult(index: 0), InstanceResult(index: 1)]
        result.guarantees = [
            GuaranteeResult(id: "completeness", promised: true, verdict: .holds, checked: 100_000),
            GuaranteeResult(id: "recovery", promised: false, expected: .holds, verdict: .unknown, checked: 0),
            GuaranteeResult(id: "isolation", promised: false, verdict: .violated, checked: 1, violations: 1),
        ]
        change(&result)
        return result
    }

    /// All percentiles at about `milliseconds`.
    static func latency(milliseconds: Int64) -> LatencySummary {
        let time = milliseconds * 1_000_000
        return LatencySummary(
            count: 1000, min: time / 2, mean: time / 2, p50: time / 2, p90: time, p99: time, p999: time, max: time)
    }

    static func usage(cpuSeconds: Double, bytes: Int64 = 50 << 20) -> ResourceUsage {
        ResourceUsage(pid: 1, cpuSeconds: cpuSeconds, deliveries: 100_000, rssBytes: bytes, peakRssBytes: bytes)
    }
}
