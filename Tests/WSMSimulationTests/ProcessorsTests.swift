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

    /// A piece of work that wakes somebody when it begins.
    private func work(_ length: TimeSpan, waking wake: @escaping () -> Void) -> Work {
        Work(length: length, slice: { part, _ in if part.lowerBound == 0 { wake() } })
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
        let processors = processors(machine { $0.tick = .seconds(100) })
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

    @Test("One that has just run is taken too, once two ticks found none that had waited long")
    func eagerness() {
        func last(secondCoreBusyFor span: Int64, tick: TimeSpan) -> Int64 {
            // Those that share the first core take turns of a tenth of a millisecond: none waits for long.
            let processors = processors(
                machine {
                    $0.tick = tick
                    $0.slice = .microseconds(100)
                })
            var end: Int64 = 0
            for length in [40, span, 40] {
                processors.makeThread(.instance).submit(.timer) {
                    Work(length: .milliseconds(length), done: { end = microseconds(processors) })
                }
            }
            run(processors)
            return end
        }
        #expect((79_900...80_100).contains(last(secondCoreBusyFor: 1, tick: .seconds(100))))
        // The other core sleeps from 1 ms on. Ticks fail at 2 and 6 ms, that of 10 ms moves one; what is left of the 80 ms is shared.
        #expect((44_900...45_100).contains(last(secondCoreBusyFor: 1, tick: .milliseconds(4))))
    }

    @Test("A core looks for work as often as it lately found some")
    func searchOdds() {
        var odds = SearchOdds()
        func looks(_ draw: Int64) -> Bool { odds.looks(draw) }
        #expect(looks(512))
        #expect(!looks(514))
        for _ in 0..<3000 where looks(0) { odds.note(found: false) }
        // It never found any; it looks once in a while all the same.
        #expect(looks(1))
        #expect(!looks(2))
        for _ in 0..<6000 where looks(0) { odds.note(found: true) }
        #expect(looks(1023))
    }

    /// When readers are done that a writer wakes at the beginning of its work, 10 ms after the begin, in microseconds.
    ///
    /// - Parameter busy: What another thread has worked before.
    private func readersEnd(
        _ readers: Int = 1, writing length: TimeSpan, after busy: TimeSpan = .zero,
        on machine: SharedMachine
    ) -> [Int64] {
        let processors = processors(machine)
        let writer = processors.makeThread(.instance)
        let threads = (0..<readers).map { _ in processors.makeThread(.clients) }
        var ends: [Int64] = []
        if busy > .zero { processors.makeThread(.redis).submit(.timer) { Work(length: busy) } }
        processors.simulator.after(.milliseconds(10), .call) {
            writer.submit(.timer) {
                work(length) {
                    for reader in threads {
                        reader.submit(.byThread) {
                            Work(length: .microseconds(10), done: { ends.append(microseconds(processors)) })
                        }
                    }
                }
            }
        }
        run(processors)
        return ends
    }

    @Test("A thread that waits is moved to a core that sleeps at the next tick")
    func balance() throws {
        func end(_ tick: TimeSpan) throws -> Int64 {
            let ends = readersEnd(
                writing: .milliseconds(50),
                on: machine {
                    $0.tick = tick
                    $0.slice = .seconds(1)
                    $0.wakes.packedBelow = 500
                })
            return try #require(ends.first)
        }
        #expect(try (10_020..<40_000).contains(end(.milliseconds(1))))
        #expect(try end(.seconds(1000)) == 60_010)
    }

    /// A machine whose system leaves cores asleep while less than this of one is used, wherever the woken thread sleeps.
    private func packing(below use: Int64) -> SharedMachine {
        machine {
            $0.tick = .seconds(1000)
            $0.wakes.packedBelow = use
            $0.wakes.keptBelow = use
        }
    }

    @Test("Who is woken runs beside its waker, or after it where the system leaves cores asleep")
    func packed() {
        func ends(_ readers: Int, below use: Int64) -> [Int64] {
            readersEnd(readers, writing: .microseconds(300), on: packing(below: use))
        }
        #expect(ends(1, below: 0) == [10_010])
        #expect(ends(1, below: 500) == [10_310])
        // Where one waits already, the next one gets the core that sleeps, which then takes the first one too.
        #expect(ends(2, below: 500) == [10_010, 10_020])
    }

    /// When a reader is done whose last core is its waker's, 100 ms after the begin, in microseconds.
    ///
    /// - Parameter busy: What two threads have worked before, one on each core.
    private func neighbourEnds(after busy: TimeSpan, on machine: SharedMachine) -> Int64 {
        let processors = processors(machine)
        // Threads get cores in turn.
        let (writer, other) = (processors.makeThread(.instance), processors.makeThread(.redis))
        let reader = processors.makeThread(.clients)
        var end: Int64 = 0
        for thread in [writer, other] { thread.submit(.timer) { Work(length: busy) } }
        processors.simulator.after(.milliseconds(100), .call) {
            writer.submit(.timer) {
                work(.microseconds(300)) {
                    reader.submit(.byThread) {
                        Work(length: .microseconds(10), done: { end = microseconds(processors) })
                    }
                }
            }
        }
        run(processors)
        return end
    }

    @Test("A thread that ran last where its waker runs is kept there longer than another is fetched")
    func kept() {
        func end(fetchedBelow fetched: Int64, keptBelow kept: Int64) -> Int64 {
            var machine = packing(below: fetched)
            machine.wakes.keptBelow = kept
            // 20 ms of 100, which were 80 ms ago: 6 % are left, but the writer is expected to use the 34 % again that it had then.
            return neighbourEnds(after: .milliseconds(20), on: machine)
        }
        #expect(end(fetchedBelow: 10, keptBelow: 500) == 100_310)
        #expect(end(fetchedBelow: 500, keptBelow: 10) == 100_010)
    }

    @Test("No core that sleeps is looked for where cores hardly ever sleep")
    func busyCores() {
        #expect(neighbourEnds(after: .milliseconds(20), on: packing(below: 0)) == 100_010)
        #expect(neighbourEnds(after: .milliseconds(99), on: packing(below: 0)) == 100_310)
    }

    @Test("A thread is expected to use what it used last, and less only bit by bit unless it had to wait")
    func expectedUse() {
        var expected = ExpectedUse()
        func after(_ used: Int64, wanted: Int64) -> Int64 {
            expected.note(used: used, wanted: wanted)
            return expected.thousandths
        }
        #expect(after(300, wanted: 300) == 300)
        #expect(after(100, wanted: 109) == 250)
        #expect(after(100, wanted: 111) == 250)
        #expect(after(241, wanted: 241) == 250)
        #expect(after(260, wanted: 500) == 260)
    }

    @Test("What a thread is expected to use keeps it from its waker's core, though it has slept since")
    func expectation() {
        func end(readerBusyFor busy: TimeSpan) -> Int64 {
            let processors = processors(packing(below: 500))
            let (writer, reader) = (processors.makeThread(.instance), processors.makeThread(.clients))
            var end: Int64 = 0
            reader.submit(.timer) { Work(length: busy) }
            // Of what it used a sixteenth is left.
            let wakes = busy + .nanoseconds(4 * 32 << 20)
            processors.simulator.after(wakes, .call) {
                writer.submit(.timer) {
                    work(.microseconds(300)) {
                        reader.submit(.byThread) {
                            Work(length: .microseconds(10), done: { end = microseconds(processors) })
                        }
                    }
                }
            }
            run(processors)
            return end - wakes.nanoseconds / 1000
        }
        #expect(end(readerBusyFor: .milliseconds(20)) == 310)
        #expect(end(readerBusyFor: .milliseconds(60)) == 10)
    }

    @Test("Threads of one process that do the same keep their caches warm for each other")
    func warmth() {
        func spent(_ warmth: [Warmth]) -> TimeSpan {
            let processors = processors(machine { $0.publisherCold = .microseconds(2) })
            for (place, warmth) in warmth.enumerated() {
                let thread = processors.makeThread(.publisher, warmth: warmth)
                processors.simulator.after(.milliseconds(15 + Int64(place)), .call) {
                    thread.submit(.timer) { Work(length: .zero) }
                }
            }
            run(processors)
            return processors.use.clients
        }
        let shared = Warmth()
        #expect(spent([Warmth(), Warmth()]) > .microseconds(16))
        #expect((TimeSpan.microseconds(8) ..< .microseconds(11)).contains(spent([shared, shared])))
    }

    @Test("Cores are left asleep only while little of one is used")
    func packedBelow() {
        func end(_ use: Int64) -> [Int64] {
            // 9 ms of the last 49 or so: a sixth of a core.
            readersEnd(writing: .microseconds(300), after: .milliseconds(9), on: packing(below: use))
        }
        #expect(end(100) == [10_010])
        #expect(end(250) == [10_310])
    }

    @Test("What was used is forgotten by halves, every 33 ms")
    func recentUse() {
        func thousandths(after rest: TimeSpan) -> Int64 {
            var use = RecentUse()
            var now = Simulator.origin
            for _ in 0..<500 {
                now = now + .milliseconds(1)
                use.add(.milliseconds(1), at: now)
            }
            return use.thousandths(at: now + rest)
        }
        #expect((980...1010).contains(thousandths(after: .zero)))
        #expect((480...520).contains(thousandths(after: .nanoseconds(32 << 20))))
        #expect((240...260).contains(thousandths(after: .nanoseconds(64 << 20))))
        #expect(thousandths(after: .seconds(5)) == 0)
    }

    @Test("What a thread used goes with it from core to core")
    func movingUse() {
        let now = Simulator.origin + .milliseconds(50)
        var (one, both, other) = (RecentUse(), RecentUse(), RecentUse())
        one.add(.milliseconds(5), at: Simulator.origin)
        both.add(.milliseconds(5), at: Simulator.origin)
        both.add(.milliseconds(10), at: now)
        let before = both.thousandths(at: now)
        both.part(from: one, at: now)
        other.join(one, at: now)
        #expect(other.thousandths(at: now) == one.thousandths(at: now))
        #expect(one.thousandths(at: now) > 0)
        #expect(abs(both.thousandths(at: now) + other.thousandths(at: now) - before) <= 1)
        other.part(from: both, at: now)
        #expect(other.thousandths(at: now) == 0)
    }

    @Test("Of those that are woken while their core wakes up the last runs first")
    func lastFirst() {
        let processors = processors(
            machine {
                $0.wakes.steps = [
                    .init(idle: .zero, latency: .microseconds(50), waker: .zero, woken: .zero)
                ]
            })
        let waker = processors.makeThread(.instance)
        // Threads get cores in turn: both of these have the one beside the waker's.
        let first = processors.makeThread(.publisher)
        _ = processors.makeThread(.redis)
        let second = processors.makeThread(.clients)
        var ends: [String] = []
        waker.submit(.timer) {
            work(.milliseconds(1)) {
                first.submit(.byThread) { Work(length: .microseconds(5), done: { ends.append("first") }) }
                second.submit(.byThread) { Work(length: .microseconds(5), done: { ends.append("second") }) }
            }
        }
        run(processors)
        #expect(ends == ["second", "first"])
    }

    @Test("A thread that is owed nothing waits until the one that runs has had its slice")
    func protection() {
        let processors = processors(machine(cores: 1) { $0.slice = .milliseconds(1) })
        let (busy, light) = (processors.makeThread(.instance), processors.makeThread(.publisher))
        var ends: [String: Int64] = [:]
        busy.submit(.timer) { Work(length: .milliseconds(5), done: { ends["busy"] = microseconds(processors) }) }
        processors.simulator.after(.microseconds(2500), .call) {
            light.submit(.byThread) {
                Work(length: .microseconds(50), done: { ends["light"] = microseconds(processors) })
            }
        }
        run(processors)
        #expect(ends == ["light": 3050, "busy": 5050])
    }

    /// In which order two threads of one core end: the first wakes the second after 10 µs of its 20, which wakes it again.
    private func order(wakingAfter span: TimeSpan) -> [String] {
        let processors = processors(machine(cores: 1))
        let (first, second) = (processors.makeThread(.publisher), processors.makeThread(.instance))
        var ends: [String] = []
        func later(_ span: TimeSpan, _ body: @escaping () -> Void) {
            processors.simulator.after(span, .call, 0, body)
        }
        first.submit(.timer) {
            later(.microseconds(10)) {
                second.submit(.byThread) {
                    later(span) {
                        first.submit(.byThread) { Work(length: .microseconds(5), done: { ends.append("first") }) }
                    }
                    return Work(length: .microseconds(100), done: { ends.append("second") })
                }
            }
            return Work(length: .microseconds(20))
        }
        run(processors)
        return ends
    }

    @Test("A thread that slept interrupts the one that runs once that has had more than it")
    func interruption() {
        // When the second begins, it is level with where the first was after 10 µs.
        #expect(order(wakingAfter: .microseconds(5)) == ["second", "first"])
        #expect(order(wakingAfter: .microseconds(15)) == ["first", "second"])
    }

    @Test("A part of a piece of work ends where it may wake somebody, who then may take the core")
    func firstWake() {
        let processors = processors(machine(cores: 1))
        var parts: [Range<Int64>] = []
        processors.makeThread(.instance).submit(.timer) {
            Work(
                length: .microseconds(50), slice: { part, _ in parts.append(part) },
                firstWake: { $0.contains(24_000) ? 25_000 : nil })
        }
        run(processors)
        #expect(parts == [0..<20_000, 20_000..<25_000, 25_000..<45_000, 45_000..<50_000])
    }

    @Test("A publisher of the load pays for each sleep until something is due, and for no other")
    func timedWaits() {
        func spent(_ call: WakeUp) -> [Int64] {
            let processors = processors(machine { $0.timedWait = .microseconds(3) })
            processors.makeThread(.publisher).submit(call) { Work(length: .microseconds(10)) }
            run(processors)
            return [processors.use.clients.nanoseconds / 1000, processors.use.timedWaits]
        }
        #expect(spent(.timer) == [13, 1])
        #expect(spent(.byThread) == [10, 0])
    }

    @Test("What a thread used goes with it when it is put behind its waker")
    func usedElsewhere() {
        let processors = processors(packing(below: 500))
        let (writer, reader) = (processors.makeThread(.instance), processors.makeThread(.clients))
        let there = reader.core
        reader.submit(.timer) { Work(length: .milliseconds(10)) }
        processors.simulator.after(.milliseconds(12), .call) {
            writer.submit(.timer) {
                work(.microseconds(300)) { reader.submit(.byThread) { Work(length: .zero) } }
            }
        }
        run(processors, for: .milliseconds(13))
        #expect(reader.core === writer.core && there !== writer.core)
        #expect(there.use.thousandths(at: processors.simulator.now) == 0)
        #expect(writer.core.use.thousandths(at: processors.simulator.now) > 150)
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
