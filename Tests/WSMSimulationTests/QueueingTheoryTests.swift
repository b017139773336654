import Testing
import WSMCore

@testable import WSMSimulation

@Suite("The simulator against queueing theory")
struct QueueingTheoryTests {
    private static let mean = TimeSpan.microseconds(100)
    private static let count = 100_000

    /// One thread on one core, with Poisson arrivals: the mean wait in nanoseconds, and the account of what waited.
    ///
    /// - Parameters:
    ///   - load: ρ, the part of the time in which it works where each arrival is served alone.
    ///   - batch: The most that is served at once, in the time of one.
    private func wait(
        load: Double, batch: Int = 1, service: @escaping (inout CounterRNG) -> TimeSpan
    ) -> (mean: Double, account: QueueAccount, simulator: Simulator) {
        let simulator = Simulator()
        var machine = SharedMachine(
            cores: 1, clientLoops: 1, receive: .zero, receiveMore: .zero, receivePerKilobyte: .zero, pacing: .zero)
        machine.slice = .seconds(10)
        let processors = Processors(simulator, machine, seed: 1)
        let thread = processors.makeThread(.instance)
        var arrivals = CounterRNG(seed: 7, stream: .faults, entity: 0)
        var services = CounterRNG(seed: 7, stream: .faults, entity: 1)
        var waiting: [MonotonicInstant] = []
        var account = QueueAccount()
        var (waited, arrived, served, isBusy) = (0.0, 0, 0, false)
        func serve() {
            isBusy = true
            thread.submit(.timer) {
                let taken = min(batch, waiting.count)
                for instant in waiting.prefix(taken) { waited += Double((simulator.now - instant).nanoseconds) }
                waiting.removeFirst(taken)
                account.depart(taken, at: simulator.now)
                account.observe(length: waiting.count, at: simulator.now)
                served += taken
                return Work(
                    length: service(&services),
                    done: {
                        isBusy = false
                        if !waiting.isEmpty { serve() }
                    })
            }
        }
        func arrive() {
            waiting.append(simulator.now)
            account.arrive(at: simulator.now)
            account.observe(length: waiting.count, at: simulator.now)
            if !isBusy { serve() }
            arrived += 1
            guard arrived < Self.count else { return }
            let gap = Distribution.exponential(mean: Self.mean.scaled(by: 1 / load)).draw(from: &arrivals)
            simulator.after(gap, .load) { arrive() }
        }
        arrive()
        simulator.run(until: Simulator.origin + .seconds(10_000)) { served == Self.count }
        return (waited / Double(served), account, simulator)
    }

    @Test("M/G/1: the mean wait is that of Pollaczek and Khinchine, λ E[S²] / 2(1−ρ)", arguments: [0.3, 0.5, 0.7])
    func generalService(load: Double) {
        // Nine short ones and a long one in ten, with the same mean: 0.5 and 5.5 of it.
        let (short, long) = (0.5, 5.5)
        let result = wait(load: load) { Self.mean.scaled(by: $0.chance(0.1) ? long : short) }
        let secondMoment = 0.9 * short * short + 0.1 * long * long
        let expected = load * secondMoment / 2 / (1 - load) * Double(Self.mean.nanoseconds)
        #expect(abs(result.mean / expected - 1) < 0.08)
        #expect(result.account.imbalance(at: result.simulator.now) == nil)
    }

    @Test("Batch service, M/M[1,b]/1: the mean wait follows from the root of its equation", arguments: [2, 4])
    func batchService(batch: Int) {
        // Bailey's queue, "On queueing processes with bulk service" (1954), in its exponential form: a server that takes up to
        // b of those who wait when it is done, and whoever comes to an idle server at once. The number that waits while it is
        // busy is geometric with the root r of μ r^(b+1) − (λ + μ) r + λ = 0 in (0, 1).
        let load = 1.5
        let result = wait(load: load, batch: batch) { Distribution.exponential(mean: Self.mean).draw(from: &$0) }
        let r = root(load: load, batch: batch)
        // Balance: the idle server is left at rate λ and entered at rate μ from the busy one with nobody waiting.
        let busy = load / (load + (1 - r))
        let waiting = busy * r / (1 - r)
        let expected = waiting / load * Double(Self.mean.nanoseconds)
        #expect(abs(result.mean / expected - 1) < 0.08)
        #expect(result.account.imbalance(at: result.simulator.now) == nil)
    }

    /// The root in (0, 1) of r^(b+1) − (ρ + 1) r + ρ, by bisection; r = 1 is another.
    private func root(load: Double, batch: Int) -> Double {
        var (low, high) = (0.0, 1.0 - 1e-9)
        for _ in 0..<200 {
            let middle = (low + high) / 2
            var power = middle
            for _ in 0..<batch { power *= middle }
            if power - (load + 1) * middle + load > 0 { low = middle } else { high = middle }
        }
        return low
    }

    @Test("A spread is drawn along its quantiles, in whole numbers")
    func spread() {
        let spread = MeasuredSpread(points: [
            .init(perMillion: 0, perMille: 500), .init(perMillion: 500_000, perMille: 1000),
            .init(perMillion: 1_000_000, perMille: 3000),
        ])
        #expect(spread.perMille(at: 0) == 500)
        #expect(spread.perMille(at: 250_000) == 750)
        #expect(spread.perMille(at: 750_000) == 2000)
        #expect(MeasuredSpread().perMille(at: 5) == 1000)
        var draws = SpreadDraws(spread, seed: 1, entity: 2)
        let drawn = (0..<20_000).map { _ in draws.next() }.sorted()
        #expect(abs(drawn[10_000] - 1000) < 30 && drawn[0] >= 500 && drawn[19_999] <= 3000)
    }
}
