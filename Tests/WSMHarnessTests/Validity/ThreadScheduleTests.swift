import Testing
import WSMCore

@testable import WSMHarness

@Suite("What /proc tells of threads and CPUs")
struct ThreadScheduleTests {
    @Test("A thread's schedule is three numbers, and the shares are of the time between two readings")
    func schedule() throws {
        let start = MonotonicInstant(nanoseconds: 1_000_000_000)
        let before = try #require(ThreadSchedule.parse("100000000 50000000 10\n", at: start))
        let after = try #require(ThreadSchedule.parse("400000000 150000000 60\n", at: start + .seconds(1)))
        let shares = after.shares(since: before)
        #expect(shares == LoopShares(busy: 0.3, waiting: 0.1, waitPerWake: 2_000_000))
        #expect(before.shares(since: before) == LoopShares())
    }

    @Test("Damaged text is no schedule", arguments: ["", "1", "a b c", "-", "1 x 3"])
    func damaged(_ text: String) {
        #expect(ThreadSchedule.parse(text, at: .now()) == nil)
    }

    @Test("The calling thread's own schedule grows with its work")
    func own() throws {
        let before = try #require(ThreadSchedule.ofCurrentThread())
        var sum = 0
        while MonotonicInstant.now() - before.at < .milliseconds(5) { sum &+= 1 }
        let after = try #require(ThreadSchedule.ofCurrentThread())
        #expect(after.ran > before.ran, "\(sum)")
    }

    @Test("The machine's time is used, idle or stolen")
    func machine() throws {
        let before = try #require(MachineTime.parse("cpu  10 0 10 70 10 0 0 0 0 0\ncpu0 1 2 3"))
        let after = try #require(MachineTime.parse("cpu  40 0 20 110 10 0 0 20 0 0"))
        #expect(before == MachineTime(total: 100, idle: 80, steal: 0))
        let shares = after.shares(since: before)
        #expect(shares.busy == 0.6 && shares.steal == 0.2)
        for text in ["", "cpu 1 2 3", "intr 1 2 3 4 5 6 7 8", "cpu  a b c d e f g h"] {
            #expect(MachineTime.parse(text) == nil, "\(text)")
        }
    }

    @Test("A list of CPUs is counted", arguments: [("0\n", 1), ("\t0-1\n", 2), ("0-3,8,10-11", 7), ("", 0), ("x", 0)])
    func allowed(list: String, count: Int) {
        #expect(AllowedCPUs.count(ofList: list) == count)
    }
}
