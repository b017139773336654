import WSMHarness
import WSMVerify

/// What gates found that never took place.
enum GateSample {
    static func regression() -> GateResult { against(.regression) }

    /// Against another build: a median that got worse, a message lost, a guarantee broken.
    static func against(_ verdict: GateResult.Verdict) -> GateResult {
        var result = GateResult(
            name: "gate", mode: .against, reference: "old/wsmlab", startedAt: "2026-01-01T00:00:00Z", scenario: "00",
            environment: RunEnvironment(version: "1", swift: "6", kernel: "Linux", cores: 2))
        result.verdict = verdict
        result.reasons = ["latency.p50 is 210 % worse (tolerated 37 %), and fresh rounds confirm it"]
        result.rounds = 5
        result.freshRounds = 2
        result.metrics = [
            GateMetric(
                path: "resources.instances.cpuSecondsPerMillionDeliveries", verdict: .within, tolerance: 0.05, old: 8.1,
                new: 8.2, ratio: 1.01, low: 0.99, high: 1.03),
            GateMetric(
                path: "latency.p50", verdict: .worse, tolerance: 0.37, old: 800e3, new: 2.5e6, ratio: 3.1, low: 2.8,
                high: 3.4),
            GateMetric(path: "latency.p99/calibration.latencyFloor.p50", verdict: .missing, tolerance: 1),
        ]
        result.control.metrics = [
            GateMetric(path: "latency.p50", verdict: .within, tolerance: 0.37, old: 1, new: 1, ratio: 1.002)
        ]
        result.counts = [
            GateCount(path: "delivery.published", verdict: .same, old: 500, new: 500),
            GateCount(path: "delivery.lostByCause.unexplained", verdict: .worse, old: 0, new: 10),
        ]
        result.guarantees = [
            GateGuarantee(
                id: "completeness", expected: .holds, old: .holds, new: .violated, witness: "client 3\u{1b}[2J | <b>")
        ]
        result.notes = ["a note"]
        return result
    }

    /// Against a file: nothing got worse.
    static func baseline() -> GateResult {
        var result = against(.pass)
        result.mode = .baseline
        result.reference = "Results/baselines/<b>.json"
        result.reasons = ["as the baseline has it"]
        result.metrics = [
            GateMetric(
                path: "latency.p50/calibration.latencyFloor.p50", verdict: .within, tolerance: 1, old: 12, new: 13,
                ratio: 13.0 / 12)
        ]
        result.control = GateControl()
        result.counts = []
        result.guarantees[0].new = .holds
        return result
    }
}
