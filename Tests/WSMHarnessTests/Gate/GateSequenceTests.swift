import Testing
import WSMCore
import WSMRecord
import WSMScenario
import WSMVerify

@testable import WSMHarness

@Suite("What a gate decides", .timeLimit(.minutes(5)))
struct GateSequenceTests {
    static let cpuBesideClients =
        "resources.instances.cpuSecondsPerMillionDeliveries/resources.clients.cpuSecondsPerMillionDeliveries"

    // MARK: Tables

    @Test("Identical builds without noise pass with the first rounds")
    func identical() {
        var world = GateWorld()
        let (verdict, reasons, sequence) = world.gate()
        #expect(verdict == .pass, "\(reasons)")
        #expect(sequence.rounds.count == 3 && sequence.freshRounds.isEmpty)
    }

    @Test(
        "A shift beyond its tolerance is a regression that names the figure, one within it passes",
        arguments: [
            ("latency.p50", 2.8e6, 3e6, 8.0, 60e6), ("latency.p99", 800e3, 8e6, 8.0, 60e6),
            (Self.cpuBesideClients, 800e3, 3e6, 8.8, 60e6),
            ("resources.instances.peakRssBytes", 800e3, 3e6, 8.0, 90e6),
            ("", 900e3, 4e6, 8.2, 62e6), ("", 400e3, 1e6, 4, 30e6),
        ] as [(String, Double, Double, Double, Double)])
    func shifts(path: String, p50: Double, p99: Double, cpu: Double, memory: Double) {
        var world = GateWorld()
        world.new = GateWorld.Build(p50: p50, p99: p99, cpu: cpu, memory: memory)
        let (verdict, reasons, sequence) = world.gate()
        #expect(verdict == (path.isEmpty ? .pass : .regression), "\(reasons)")
        if !path.isEmpty {
            #expect(reasons.first?.hasPrefix(path) == true, "\(reasons)")
            #expect(sequence.convicted == [path])
            #expect(sequence.freshRounds.count == sequence.plan.fresh)
        }
    }

    @Test("A machine that treats the same build differently decides nothing")
    func controlFires() {
        var world = GateWorld()
        world.new.cpu = 9
        let (verdict, reasons, sequence) = world.gate { _, round in
            // The second run of the old build is always dearer.
            round.again.resources.instances[0].cpuSecondsPerMillionDeliveries = 9.5
            round.again.resources.instances[0].cpuSeconds = 0.95
        }
        #expect(verdict == .inconclusive)
        #expect(reasons.first?.contains("differs from itself") == true, "\(reasons)")
        #expect(sequence.all.count == sequence.plan.limit)
    }

    @Test("A suspicion that fresh rounds do not show again is no regression")
    func dismissed() {
        var world = GateWorld()
        let (verdict, reasons, sequence) = world.gate { number, round in
            if number <= 3 { round.new.resources.instances[0].cpuSeconds = 0.9 }
        }
        #expect(verdict != .regression, "\(reasons)")
        #expect(sequence.dismissed == [Self.cpuBesideClients])
        #expect(sequence.convicted.isEmpty)
    }

    @Test("Samples that are missing decide nothing, unless no run has them and nobody asked for them")
    func missing() {
        var world = GateWorld()
        let one = world.gate { number, round in if number == 2 { round.new.latency = .init() } }
        #expect(one.verdict == .inconclusive)
        #expect(one.reasons.first?.contains("latency.p50 has no samples") == true, "\(one.reasons)")
        let none = world.gate { _, round in
            round.old.resources.redis = nil
            round.new.resources.redis = nil
            round.again.resources.redis = nil
        }
        #expect(none.verdict == .pass, "\(none.reasons)")
        let named = world.gate(figures: [GateFigure(path: "stages.queue.p99", tolerance: 0.1, isNamed: true)])
        #expect(named.verdict == .inconclusive)
        let nothing = world.gate(figures: [])
        #expect(nothing.verdict == .inconclusive, "\(nothing.reasons)")
    }

    @Test("A change that makes instances and clients dearer alike shows in the CPU by itself")
    func dearerAlike() {
        var world = GateWorld()
        world.new.cpu *= 1.2
        world.new.clientsCPU *= 1.2
        let (verdict, reasons, sequence) = world.gate()
        #expect(verdict == .regression, "\(reasons)")
        #expect(sequence.convicted == ["resources.instances.cpuSecondsPerMillionDeliveries"])
    }

    @Test("A tolerance of the CPU is that beside the clients', and three times as much by itself")
    func namedCPU() {
        var scenario = GateWorld.scenario
        let path = "resources.instances.cpuSecondsPerMillionDeliveries"
        scenario.expect.tolerances = [path: Share(millionths: 80_000)]
        let figures = GateFigure.of(scenario).filter { $0.metric == path }
        #expect(figures.map(\.path) == [Self.cpuBesideClients, path])
        let tolerances = figures.map { ($0.tolerance * 1000).rounded() }
        #expect(tolerances == [80, 240])
        #expect(figures.allSatisfy { $0.isNamed })
        #expect(GateFigure.of(scenario).count == GateFigure.of(GateWorld.scenario).count)
    }

    @Test("A tolerance of the scenario takes the place of the gate's own, floor and all")
    func named() {
        var scenario = GateWorld.scenario
        scenario.expect.tolerances = ["latency.p50": Share(millionths: 50_000), "fanOutSkew.p99": Share(millionths: 1)]
        let figures = GateFigure.of(scenario)
        #expect(figures.count == GateFigure.of(GateWorld.scenario).count + 1)
        #expect(figures.first == GateFigure(path: "latency.p50", tolerance: 0.05, isNamed: true))
        var world = GateWorld()
        world.new.p50 = 900e3
        #expect(world.gate(figures: [figures[0]]).verdict == .regression)
    }

    // MARK: Counts

    @Test("A loss without an explanation is a regression after one round, however small")
    func loss() {
        var world = GateWorld(noise: .wild)
        let (verdict, reasons, sequence) = world.gate { _, round in round.new.lose(1, to: "unexplained") }
        #expect(verdict == .regression)
        #expect(reasons.first?.contains("lost 1 of 100000 deliveries (unexplained)") == true, "\(reasons)")
        #expect(sequence.all.count == 1)
    }

    @Test("A loss with a cause has to come again, and one that came once lets nothing pass")
    func explainedLoss() {
        var world = GateWorld()
        let again = world.gate { _, round in round.new.lose(3, to: "evicted") }
        #expect(again.verdict == .regression)
        #expect(again.sequence.freshRounds.count == 2)
        let once = world.gate { number, round in if number == 1 { round.new.lose(3, to: "evicted") } }
        #expect(once.verdict == .inconclusive, "\(once.reasons)")
        let both = world.gate { _, round in
            round.old.lose(5, to: "broker-gap")
            round.new.lose(4, to: "broker-gap")
            round.again.lose(3, to: "broker-gap")
        }
        #expect(both.verdict == .pass, "\(both.reasons)")
        let more = world.gate { _, round in
            round.old.lose(5, to: "broker-gap")
            round.new.lose(9, to: "broker-gap")
            round.again.lose(6, to: "broker-gap")
        }
        #expect(more.verdict == .regression, "\(more.reasons)")
    }

    @Test(
        "A guarantee that held and is violated is a regression: at once, or when a busy machine could do it, if it is again",
        arguments: [("completeness", 1), ("isolation", 5)])
    func guarantees(id: String, rounds: Int) {
        var world = GateWorld()
        let (verdict, reasons, sequence) = world.gate { _, round in round.new.set(.violated, of: id) }
        #expect(verdict == .regression)
        #expect(reasons.first?.contains("violates \(id)") == true, "\(reasons)")
        #expect(sequence.all.count == rounds)
        let both = world.gate { _, round in
            for path in [\GateRound.old, \.new, \.again] { round[keyPath: path].set(.violated, of: id) }
        }
        #expect(both.verdict == .pass, "what was violated before is no news: \(both.reasons)")
        let unknown = world.gate { _, round in round.new.set(.unknown, of: id) }
        #expect(unknown.verdict == .inconclusive)
    }

    @Test("A guarantee that nobody promises, or that holds again, is no regression")
    func unpromised() {
        var world = GateWorld()
        #expect(world.gate { _, round in round.new.set(.violated, of: "bounded-lag") }.verdict == .pass)
        #expect(
            world.gate { _, round in
                round.old.set(.violated, of: "completeness")
                round.again.set(.violated, of: "completeness")
            }.verdict == .pass)
    }

    @Test("Publishing less is a regression, publishing more another load, and more commands have to come again")
    func work() {
        var world = GateWorld()
        let less = world.gate { _, round in round.new.delivery.published = 499 }
        #expect(less.verdict == .regression)
        #expect(less.sequence.all.count == 1)
        #expect(world.gate { _, round in round.new.delivery.published = 501 }.verdict == .inconclusive)
        let chatty = world.gate { _, round in round.new.resources.redis?.commands = 1010 }
        #expect(chatty.verdict == .regression)
        #expect(chatty.reasons.first?.contains("1010 Redis commands") == true, "\(chatty.reasons)")
        #expect(world.gate { _, round in round.new.resources.redis?.commands = 515 }.verdict == .pass)
    }

    // MARK: Rates

    private func outcomes(
        _ gates: Int, seed: UInt64, noise: GateWorld.Noise = .init(), new: GateWorld.Build = .init()
    ) -> [GateResult.Verdict: Int] {
        var counts: [GateResult.Verdict: Int] = [:]
        for index in 0..<gates {
            var world = GateWorld(seed: seed + UInt64(index), noise: noise)
            world.new = new
            counts[world.gate().verdict, default: 0] += 1
        }
        return counts
    }

    @Test("Of 400 gates between identical builds under lognormal noise hardly any is not green, and none is red")
    func falseAlarms() {
        let counts = outcomes(400, seed: 1000)
        #expect(counts[.regression, default: 0] == 0, "\(counts)")
        #expect(counts[.pass, default: 0] >= 390, "\(counts)")
        var noise = GateWorld.Noise()
        noise.spoiled = 0.03
        let spoiled = outcomes(200, seed: 7000, noise: noise)
        #expect(spoiled[.regression, default: 0] == 0, "\(spoiled)")
        #expect(spoiled[.pass, default: 0] >= 190, "\(spoiled)")
    }

    @Test("Under noise that drowns every tolerance a gate says so, and cries wolf no more often than it may")
    func wildNoise() {
        let counts = outcomes(400, seed: 5000, noise: .wild)
        // One in 100 is its level: more than nine of 400 come by chance once in a hundred times.
        #expect(counts[.regression, default: 0] <= 9, "\(counts)")
        #expect(counts[.pass, default: 0] <= 40, "\(counts)")
    }

    @Test("Of 100 gates nearly all find 10 % more CPU a delivery, and 2 ms more delay")
    func power() {
        let cpu = outcomes(100, seed: 2000, new: GateWorld.Build(cpu: 8.8))
        #expect(cpu[.regression, default: 0] >= 95, "\(cpu)")
        let delay = outcomes(100, seed: 3000, new: GateWorld.Build(p50: 2.8e6, p99: 5e6))
        #expect(delay[.regression, default: 0] >= 95, "\(delay)")
        #expect(cpu[.pass, default: 0] + delay[.pass, default: 0] == 0)
        var noise = GateWorld.Noise()
        noise.cpu = 0.03
        noise.spoiled = 0.02
        let noisy = outcomes(100, seed: 4000, noise: noise, new: GateWorld.Build(cpu: 8.8))
        #expect(noisy[.regression, default: 0] >= 90, "\(noisy)")
    }
}
