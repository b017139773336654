import Testing
import WSMCore

@testable import WSMHarness

@Suite("The CPU time of the load's threads")
struct LoadThreadUseTests {
    /// Keeps this thread busy for so much CPU time of its own.
    private func work(_ span: TimeSpan) throws {
        let until = try #require(ThreadCPUTime.ofCurrentThread()) + span
        while try #require(ThreadCPUTime.ofCurrentThread()) < until {}
    }

    /// What is reported of a thread that works for 5, 20 and 40 ms before instants of a window of 1 s behind 1 s of warm-up.
    private func reported(_ instants: [TimeSpan], thenWork rest: TimeSpan = .milliseconds(40)) throws -> TimeSpan {
        let tally = LoadTally()
        let clock = LoadClock(start: .now(), warmup: .seconds(1), duration: .seconds(1))
        var use = LoadThreadUse(clock, tally)
        for (instant, busy) in zip(instants, [5, 20, 40] as [Int64]) {
            try work(.milliseconds(busy))
            use.note(clock.start + instant)
        }
        try work(rest)
        use.end()
        use.end()
        return tally.figures.cpu
    }

    @Test("What they use in the warm-up is not counted, and what follows is, to their end")
    func warmUp() throws {
        let used = try reported([.milliseconds(500), .milliseconds(1500)], thenWork: .milliseconds(10))
        #expect(used >= .milliseconds(10) && used < .milliseconds(15), "\(used)")
    }

    @Test("A thread that is late and works on behind the window is not counted for that")
    func late() throws {
        let used = try reported([.milliseconds(1500), .milliseconds(2001)])
        #expect(used >= .milliseconds(20) && used < .milliseconds(30), "\(used)")
    }

    @Test("A thread that ends before the window has used nothing in it")
    func early() throws {
        #expect(try reported([.milliseconds(500)]) == .zero)
    }
}
