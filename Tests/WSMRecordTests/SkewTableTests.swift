import Testing
import WSMCore

@testable import WSMRecord

@Suite("The fan-out skew")
struct SkewTableTests {
    private func instant(_ nanoseconds: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: nanoseconds) }

    @Test("It is the time from first to last receiver of messages that two or more received")
    func skew() {
        var table = SkewTable(publisherCount: 2)
        table.record(publisher: 0, sequence: 5, at: instant(100))
        table.record(publisher: 0, sequence: 5, at: instant(90))
        table.record(publisher: 0, sequence: 5, at: instant(130))
        table.record(publisher: 1, sequence: 5, at: instant(7000))
        let summary = table.skew().summary
        #expect(summary.count == 1)
        #expect(summary.max == 40)
    }

    @Test("Tables of several loops merge exactly", arguments: UInt64(1)...5)
    func merging(seed: UInt64) {
        var random = CounterRNG(seed: seed, stream: .payload, entity: 1)
        var whole = SkewTable(publisherCount: 3)
        var loops = [SkewTable(publisherCount: 3), SkewTable(publisherCount: 3)]
        for _ in 0..<5000 {
            let publisher = random.below(3)
            let sequence = 4000 + random.below(700) - random.below(3500)
            let at = instant(Int64(random.below(1_000_000)))
            whole.record(publisher: publisher, sequence: sequence, at: at)
            loops[random.below(2)].record(publisher: publisher, sequence: sequence, at: at)
        }
        var merged = SkewTable(publisherCount: 3)
        for loop in loops { merged.add(loop) }
        #expect(merged.skew().summary == whole.skew().summary)
        #expect(whole.skew().summary.count > 500)
    }

    @Test("A forged number takes no memory and is counted")
    func forged() {
        var table = SkewTable(publisherCount: 1)
        table.record(publisher: 0, sequence: 1, at: instant(1))
        table.record(publisher: 0, sequence: 1 << 39, at: instant(1))
        table.record(publisher: 7, sequence: 1, at: instant(1))
        #expect(table.untracked == 2)
        #expect(table.skew().summary.count == 0)
    }
}
