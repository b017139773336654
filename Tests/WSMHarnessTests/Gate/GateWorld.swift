import WSMCore
import WSMRecord
import WSMScenario
import WSMVerify

@testable import WSMHarness

/// Runs of two builds that never took place: a build's true figures, and the noise of each run.
struct GateWorld {
    /// A build's true figures.
    struct Build {
        var p50 = 800e3
        var p99 = 3e6
        /// CPU seconds a million deliveries, of the instances and of the load generator.
        var cpu = 8.0
        var clientsCPU = 5.0
        var memory = 60e6
        var lostEach = 0
    }

    /// Standard deviations of the logarithms, by run; a round's own moves its three runs alike.
    struct Noise {
        var p50 = 0.08
        var p99 = 0.2
        /// Of the instances' CPU and of the clients', each by itself; and of the machine's speed, which moves both.
        var cpu = 0.015
        var speed = 0.07
        var memory = 0.01
        var redis = 0.05
        var round = 0.1
        /// How many runs something else on the machine spoils, and by how much.
        var spoiled = 0.0
        var spoiling = 1.25

        static let none = Noise(p50: 0, p99: 0, cpu: 0, speed: 0, memory: 0, redis: 0, round: 0)
        static let wild = Noise(p50: 0.4, p99: 0.6, cpu: 0.3, speed: 0.2, memory: 0.1, redis: 0.4, round: 0.3)
    }

    var old = Build()
    var new = Build()
    var noise = Noise()
    private var random: CounterRNG

    init(seed: UInt64 = 1, noise: Noise = .none) {
        random = CounterRNG(seed: seed, stream: .payload, entity: 91)
        self.noise = noise
    }

    static let scenario = Scenario(name: "gate", duration: .seconds(2))

    mutating func round() -> GateRound {
        let level = factor(noise.round)
        return GateRound(old: run(old, level), new: run(new, level), again: run(old, level))
    }

    /// Runs a gate to its end.
    mutating func gate(
        rounds: Int = 3, figures: [GateFigure] = GateFigure.of(GateWorld.scenario),
        change: (Int, inout GateRound) -> Void = { _, _ in }
    ) -> (verdict: GateResult.Verdict, reasons: [String], sequence: GateSequence) {
        var sequence = GateSequence(figures: figures, plan: .init(rounds: rounds))
        var step = sequence.next(after: nil)
        var number = 0
        while true {
            switch step {
            case .decided(let verdict, let reasons): return (verdict, reasons, sequence)
            case .measure:
                var round = round()
                number += 1
                change(number, &round)
                step = sequence.next(after: round)
            }
        }
    }

    /// A run that passes, with 100,000 deliveries.
    mutating func run(_ build: Build, _ level: Double = 1) -> RunResult {
        var result = RunResult(
            name: "gate", seed: 1, startedAt: "2026-01-01T00:00:00Z", durationNanoseconds: 2_000_000_000,
            environment: RunEnvironment(version: "1", swift: "6", kernel: "Linux", cores: 2))
        let expected = 100_000
        let level = noise.spoiled > 0 && random.unit() < noise.spoiled ? level * noise.spoiling : level
        result.delivery = DeliveryCounts(
            published: 500, expected: expected, received: expected - build.lostEach, lost: build.lostEach,
            lostByCause: build.lostEach > 0 ? ["unexplained": build.lostEach] : [:], perSecond: 50_000)
        result.latency = LatencySummary(
            count: 100_000, p50: Int64(build.p50 * level * factor(noise.p50)),
            p99: Int64(build.p99 * level * factor(noise.p99)))
        let speed = factor(noise.speed)
        result.resources.instances = [
            ResourceUsage(
                pid: 1, cpuSeconds: build.cpu / 10 * level * speed * factor(noise.cpu), deliveries: expected,
                rssBytes: 1, peakRssBytes: Int64(build.memory * factor(noise.memory)))
        ]
        result.resources.clients = [
            ResourceUsage(
                pid: 3, cpuSeconds: build.clientsCPU / 10 * level * speed * factor(noise.cpu), deliveries: expected,
                rssBytes: 1, peakRssBytes: 1)
        ]
        let redis = ResourceUsage(
            pid: 2, cpuSeconds: 0.04 * level * factor(noise.redis), deliveries: expected, rssBytes: 1,
            peakRssBytes: 1)
        result.resources.redis = RedisUsage(connections: 6, process: redis)
        result.resources.redis?.commands = 510
        result.resources.redis?.bytesIn = 150_000
        result.resources.redis?.bytesOut = 300_000
        result.clients = ClientCounts(planned: 200, connected: 200)
        result.guarantees = [
            GuaranteeResult(id: "completeness", promised: true, verdict: .holds, checked: expected),
            GuaranteeResult(id: "isolation", promised: true, verdict: .holds, checked: expected),
            GuaranteeResult(id: "bounded-lag", promised: false, verdict: .unknown, checked: 0),
        ]
        result.calibration = Calibration(
            deliveriesPerSecond: 200_000, bulkDeliveriesPerSecond: 900_000, cpuSecondsPerMillionDeliveries: 5,
            latencyFloor: LatencySummary(count: 60, p50: 60_000, p99: 90_000), pacing: LatencySummary())
        result.judge()
        return result
    }

    /// A draw from the lognormal distribution whose median is 1.
    private mutating func factor(_ sigma: Double) -> Double {
        guard sigma > 0 else { return 1 }
        return Distribution.lognormal(median: .seconds(1), sigma: sigma).draw(from: &random).seconds
    }
}

extension RunResult {
    mutating func set(_ verdict: GuaranteeResult.Verdict, of id: String) {
        for index in guarantees.indices where guarantees[index].id == id { guarantees[index].verdict = verdict }
    }

    mutating func lose(_ count: Int, to cause: String) {
        delivery.lost += count
        delivery.received -= count
        delivery.lostByCause[cause, default: 0] += count
    }
}
