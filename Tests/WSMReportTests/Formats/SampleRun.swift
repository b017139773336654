import WSMHarness
import WSMRecord
import WSMReport
import WSMScenario
import WSMVerify

/// A text that every format must carry without harm: markup of all formats, forbidden characters, and other alphabets.
let hostileText =
    "=cmd|' /C calc'!A0 <b>&amp;</b> \"quoted\" 'single' `code` ]]> | pipe, comma; 100% \\back {brace} #hash @you "
    + "::error::x\u{1b}[31m \u{7}\u{0}\u{fffe}\u{202e} line\nbreak\r\ttab ünïcödé 漢字 🙂"

/// Results for the tests of formats.
enum SampleRun {
    /// A run of everything: what passed, what failed, what is not known, and what nothing was expected of.
    static func failed(name: String = "sample") -> RunResult {
        var result = RunResult(
            name: name, seed: 7, startedAt: "2026-01-02T03:04:05Z", durationNanoseconds: 1_500_000_000,
            environment: RunEnvironment(version: "0.1.0", swift: "6", kernel: "Linux", cores: 2, redis: "7.0"))
        result.setup = RunSetup(
            manager: "broadcast", profile: "hardened", instances: 2, placement: "in-process", transport: "websocket",
            warmupNanoseconds: 0)
        result.delivery = DeliveryCounts(
            published: 10, expected: 1000, received: 990, lost: 8, duplicated: 1, indeterminate: 2,
            lostByCause: ["evicted": 8], perSecond: 660.5)
        result.latency = LatencySummary(
            count: 990, min: 1_000, mean: 2_000_000, p50: 1_500_000, p90: 3_000_000, p99: 61_000_000,
            p999: 62_000_000, max: 63_000_000)
        result.stages.queue = LatencySummary(count: 10, min: 1, mean: 5, p50: 5, p90: 6, p99: 7, p999: 8, max: 9)
        result.resources.instances = [
            ResourceUsage(pid: 4, cpuSeconds: 0.5, deliveries: 990, rssBytes: 1024, peakRssBytes: 2048)
        ]
        result.thresholds = [
            ThresholdResult(expression: "latency.p99 < 50ms", actual: 61_000_000, passed: false),
            ThresholdResult(expression: "delivery.received > 10", actual: 990, passed: true),
            ThresholdResult(expression: "stages.broker.p99 < 1s", actual: nil, passed: false),
        ]
        result.guarantees = [
            GuaranteeResult(id: "integrity", promised: true, verdict: .holds, checked: 990),
            GuaranteeResult(
                id: "completeness", promised: true, verdict: .violated, checked: 1000, violations: 8,
                witness: "client 7 never got 3:41"),
            GuaranteeResult(id: "recovery", promised: true, verdict: .unknown, checked: 0, witness: "no fault"),
            GuaranteeResult(id: "isolation", promised: false, verdict: .unknown, checked: 0),
            GuaranteeResult(id: "total-order", promised: false, verdict: .violated, checked: 5, violations: 1),
            GuaranteeResult(
                id: "no-gap", promised: true, expected: .violated, verdict: .violated, checked: 5, violations: 1),
        ]
        result.judge()
        return result
    }

    /// A run that shows all that it should.
    static func passed(name: String = "sample") -> RunResult {
        var result = failed(name: name)
        result.delivery.lost = 0
        result.delivery.received = 998
        result.delivery.lostByCause = [:]
        result.thresholds.removeAll { !$0.passed }
        result.guarantees.removeAll { $0.expected == .holds && $0.verdict != .holds }
        result.judge()
        return result
    }

    /// A run that the load generator spoiled.
    static func invalid() -> RunResult {
        var result = failed()
        result.validity = Validity(verdict: .invalid, reasons: ["the generator was late"])
        result.judge()
        return result
    }

    /// A run all of whose texts come from somebody who means harm.
    static func hostile() -> RunResult {
        var result = failed(name: hostileText)
        result.guarantees[1].witness = hostileText
        result.guarantees[1].id = hostileText
        result.thresholds[0].expression = hostileText
        result.validity = Validity(verdict: .suspect, reasons: [hostileText])
        result.setup.manager = hostileText
        result.startedAt = hostileText
        result.environment.version = hostileText
        result.delivery.lostByCause = [hostileText: 8]
        result.judge()
        return result
    }

    /// Every kind of run there is.
    static let all: [RunResult] = {
        var empty = failed()
        (empty.guarantees, empty.thresholds, empty.delivery) = ([], [], DeliveryCounts())
        empty.latency = LatencySummary()
        empty.judge()
        var interrupted = passed()
        interrupted.interrupted = true
        interrupted.judge()
        var intruded = passed()
        var refused = RefusedClients()
        refused.admitted = 1
        intruded.clients.refused = refused
        intruded.judge()
        return [failed(), passed(), invalid(), hostile(), empty, interrupted, intruded]
    }()
}
