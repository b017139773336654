import Testing
import WSMCore

@testable import WSMSimulation

@Suite("The agenda of a simulation")
struct EventQueueTests {
    @Test("Entries come by time, then priority, then the order of their adding")
    func order() {
        var queue = EventQueue<Int>()
        queue.push(3, at: 20)
        queue.push(2, at: 10, priority: 1)
        queue.push(0, at: 10)
        queue.push(1, at: 10)
        var taken: [Int] = []
        while let entry = queue.pop() { taken.append(entry.element) }
        #expect(taken == [0, 1, 2, 3])
    }

    @Test("Many entries come out sorted, whatever the order of their adding")
    func manyEntries() {
        var random = CounterRNG(seed: 1, stream: .faults, entity: 0)
        var queue = EventQueue<Int64>()
        for _ in 0..<5000 {
            let time = Int64(random.below(700))
            queue.push(time, at: time)
        }
        var taken: [Int64] = []
        while let entry = queue.pop() { taken.append(entry.element) }
        #expect(taken.count == 5000)
        #expect(taken == taken.sorted())
    }

    @Test("Waiting times of M/M/1 and M/D/1 are those of Pollaczek and Khinchine", arguments: [true, false])
    func queueingTheory(isExponential: Bool) {
        // One server, half busy: ρ = ½, service 100 µs; the mean wait is ρ/(1−ρ) services, and half of that if they are constant.
        let service = 100_000.0
        var random = CounterRNG(seed: 7, stream: .faults, entity: 0)
        let simulator = Simulator()
        var freeAt = Simulator.origin
        var waited: Double = 0
        let count = 200_000
        var arrivals = 0
        func arrive() {
            let begin = max(simulator.now, freeAt)
            waited += Double((begin - simulator.now).nanoseconds)
            let mean = TimeSpan(nanoseconds: Int64(service))
            freeAt = begin + (isExponential ? Distribution.exponential(mean: mean).draw(from: &random) : mean)
            arrivals += 1
            guard arrivals < count else { return }
            let gap = Distribution.exponential(mean: mean.scaled(by: 2)).draw(from: &random)
            simulator.after(gap, .load) { arrive() }
        }
        arrive()
        simulator.run(until: Simulator.origin + .seconds(1000)) { arrivals == count }
        let expected = isExponential ? service : service / 2
        #expect(abs(waited / Double(count) / expected - 1) < 0.03)
    }
}
