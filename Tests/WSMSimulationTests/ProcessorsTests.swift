import Testing
import WSMCore

@testable import WSMSimulation

@Suite("The cores of a simulated machine")
struct ProcessorsTests {
    /// Two cores, or as many as it says, with what a test changes.
    private func machine(cores: Int = 2, _ change: (inout SharedMachine) -> Void = { _ in }) -> SharedMachine {
        var machine = SharedMachine(
            cores: cores, clientLoops: 1, receive: .zero, receiveMore: .zero, receivePerKilobyte: .zero, pacing: .zero)
        change(&machine)
        return machine
    }

    private func processors(_ machine: SharedMachine) -> Processors {
        Processors(Simulator(), machine, seed: 1)
    }

    private func microseconds(_ processors: Processors) -> Int64 {
        (processors.simulator.now - Simulator.origin).nanoseconds / 1000
    }

    private func run(_ processors: Processors, for span: TimeSpan = .seconds(1)) {
        processors.simulator.run(until: processors.simulator.now + span)
        #expect(processors.queue.imbalance(at: processors.simulator.now) == nil)
    }

    @Test("Threads that want one core take turns of a slice, and each gets all of its time")
    func slices() {
        let processors = processors(machine(cores: 1) { $0.slice = .milliseconds(1) })
        var ends: [Int64] = []
        for _ in 0..<2 {
            processors.makeThread(.instance).submit(.timer) {
                Work(length: .milliseconds(3), done: { ends.append(microseconds(processors)) })
            }
        }
        run(processors)
        #expect(ends == [5000, 6000])
        #expect(processors.use.instances == .milliseconds(6))
    }

    @Test("A core that falls asleep takes a thread that has waited long for another")
    func stealing() {
        let processors = processors(machine { $0.balance = .seconds(100) })
        var ends: [Int64] = []
        // The third shares a core with the first.
        for length in [20, 4, 20] as [Int64] {
            processors.makeThread(.instance).submit(.timer) {
                Work(length: .milliseconds(length), done: { ends.append(microseconds(processors)) })
            }
        }
        run(processors)
        // 44 ms of work: both cores are busy until the last two milliseconds at most.
        #expect(ends.count == 3 && ends[0] >= 4000)
        #expect((ends.last ?? 0) < 24_500, "\(ends)")
    }

    /// When a reader is done that a writer wakes at the beginning of its work, 10 ms after the begin, in microseconds.
    ///
    /// - Parameter wakingOthers: Whether both have woken others before, the writer more often.
    private func readersEnd(
        writing length: TimeSpan, wakingOthers: Bool = false, on machine: SharedMachine
    ) -> Int64 {
        let processors = processors(machine)
        let (writer, reader) = (processors.makeThread(.instance), processors.makeThread(.clients))
        var end: Int64 = 0
        if wakingOthers {
            let others = (0..<2).map { _ in processors.makeThread(.publisher) }
            // As much CPU time for both, so that neither interrupts the other.
            for (waker, count, length) in [(writer, 8, 5), (reader, 3, 20)] as [(SimulatedThread, Int, Int64)] {
                for round in 0..<count {
                    processors.simulator.after(.microseconds(Int64(200 * round)), .call) {
                        waker.submit(.timer) {
                            Work(
                                length: .microseconds(length),
                                done: { others[round % 2].submit(.byThread) { Work(length: .zero) } })
                        }
                    }
                }
            }
        }
        processors.simulator.after(.milliseconds(10), .call) {
            writer.submit(.timer) {
                Work(
                    length: length,
                    slice: { part, _ in
                        guard part.lowerBound == 0 else { return }
                        reader.submit(.byThread) {
                            Work(length: .microseconds(10), done: { end = microseconds(processors) })
                        }
                    })
            }
        }
        run(processors)
        return end
    }

    @Test("A thread that waits is moved to a core that sleeps after a while")
    func balance() {
        func end(_ balance: TimeSpan) -> Int64 {
            readersEnd(
                writing: .milliseconds(50),
                on: machine {
                    $0.balance = balance
                    $0.slice = .seconds(1)
                    $0.wakes.forgottenAfter = .nanoseconds(1)
                })
        }
        #expect((10_020..<40_000).contains(end(.milliseconds(1))))
        #expect(end(.seconds(1000)) == 60_010)
    }

    @Test("Who is woken by a write runs beside the writer, or after it where threads are drawn to who wakes them")
    func drawn() {
        func end(_ forgottenAfter: TimeSpan?) -> Int64 {
            readersEnd(writing: .microseconds(300), on: machine { $0.wakes.forgottenAfter = forgottenAfter })
        }
        #expect(end(nil) == 10_010)
        #expect(end(.nanoseconds(1)) == 10_310)
        // A writer that wakes nobody else has its reader beside it for no other reason.
        #expect(end(.seconds(1000)) == 10_310)
    }

    @Test("Two that both wake many others are kept apart, until the one that is woken has slept for long")
    func keptApart() {
        func end(_ forgottenAfter: TimeSpan) -> Int64 {
            readersEnd(
                writing: .microseconds(300), wakingOthers: true,
                on: machine { $0.wakes.forgottenAfter = forgottenAfter })
        }
        #expect(end(.seconds(1000)) == 10_010)
        #expect(end(.nanoseconds(1)) == 10_310)
    }

    @Test("A thread that has used less CPU time interrupts the one that runs")
    func interruption() {
        let processors = processors(machine(cores: 1) { $0.slice = .milliseconds(100) })
        let (busy, light) = (processors.makeThread(.instance), processors.makeThread(.publisher))
        var ends: [String: Int64] = [:]
        busy.submit(.timer) { Work(length: .milliseconds(5), done: { ends["busy"] = microseconds(processors) }) }
        processors.simulator.after(.milliseconds(2), .call) {
            light.submit(.byThread) {
                Work(length: .microseconds(50), done: { ends["light"] = microseconds(processors) })
            }
        }
        run(processors)
        #expect(ends == ["light": 2050, "busy": 5050])
    }

    @Test("Waking a core takes longer the longer it has slept, and costs the waker too")
    func waking() {
        let curve = WakeCurve(steps: [
            .init(idle: .milliseconds(1), latency: .microseconds(20), waker: .microseconds(6), woken: .zero),
            .init(
                idle: .milliseconds(3), latency: .microseconds(40), waker: .microseconds(8), woken: .microseconds(10)),
        ])
        #expect(curve.after(.zero).latency == .microseconds(20))
        #expect(curve.after(.milliseconds(2)).latency == .microseconds(30))
        #expect(curve.after(.milliseconds(2)).woken == .microseconds(5))
        #expect(curve.after(.seconds(1)).waker == .microseconds(8))
        #expect(WakeCurve().after(.seconds(1)).latency == .zero)

        let processors = processors(machine { $0.wakes = curve })
        let (waker, woken) = (processors.makeThread(.instance), processors.makeThread(.redis))
        var end: Int64 = 0
        processors.simulator.after(.milliseconds(3), .call) {
            waker.submit(.timer) {
                Work(
                    length: .microseconds(20),
                    done: {
                        woken.submit(.byThread) {
                            Work(length: .microseconds(5), done: { end = microseconds(processors) })
                        }
                    })
            }
        }
        run(processors)
        #expect(end == 3065)
        #expect(processors.use.instances == .microseconds(28))
        #expect(processors.use.redis == .microseconds(15))
        #expect(processors.use.instancesWaking == .microseconds(8))
    }

    @Test("Each doubling of a rest makes caches as much colder as the one before, up to a bound")
    func coldness() {
        func doublings(_ milliseconds: Int64) -> Double { Coldness(after: .milliseconds(milliseconds)).doublings }
        #expect([0, 1, 3, 7, 15].map(doublings) == [0, 1, 2, 3, 4])
        #expect(doublings(2) == 1.5)
        #expect(doublings(1000) == doublings(60_000))
        #expect(Coldness(after: .milliseconds(-5)) == .zero)
        #expect(Coldness(after: .milliseconds(3)).cost(.microseconds(7)) == .microseconds(14))
    }

    @Test("The first work after a sleep costs more for each doubling of it")
    func cold() {
        func spent(afterMilliseconds sleep: Int64) -> TimeSpan {
            let processors = processors(machine { $0.redisCold = .microseconds(2) })
            let thread = processors.makeThread(.redis)
            processors.simulator.after(.milliseconds(sleep), .call) {
                thread.submit(.timer) { Work(length: .microseconds(10)) }
            }
            run(processors)
            return processors.use.redis
        }
        #expect(spent(afterMilliseconds: 0) == .microseconds(10))
        #expect(spent(afterMilliseconds: 3) == .microseconds(14))
        #expect(spent(afterMilliseconds: 15) == .microseconds(18))
    }
}
