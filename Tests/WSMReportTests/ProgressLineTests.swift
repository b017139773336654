import Testing
import WSMCore
import WSMHarness
import WSMRecord

@testable import WSMReport

@Suite("The lines of a run's progress")
struct ProgressLineTests {
    private func progress() -> RunProgress {
        var stages = StageHistograms()
        for span in [1, 3] as [Int64] { stages.worker.record(.milliseconds(span)) }
        stages.wire.record(.microseconds(40))
        var others = StageHistograms()
        others.wire.record(.microseconds(10), count: 2)
        var means = StageMeans(stages)
        means.add(StageMeans(others))
        var progress = RunProgress(
            phase: .measuring, elapsed: .seconds(1), total: .seconds(4), clientsConnected: 1200, clientsPlanned: 1200,
            published: 5, received: 6000, ratePerSecond: 6000, p50: .milliseconds(1), p99: .milliseconds(9))
        progress.stages = means
        return progress
    }

    @Test("The waterfall shows the mean of each stage that has samples, merged over loops by their counts")
    func waterfall() {
        let lines = ProgressLine.live(progress(), width: 100)
        #expect(lines.count == 3)
        #expect(lines[0] == "measuring [##########------------------------------]  3.00 s left")
        #expect(lines[1] == "1,200/1,200 clients  6.00k/s  p50 1.00 ms  p99 9.00 ms  lost 0")
        #expect(lines[2] == "mean: worker 2.00 ms > wire 20.0 µs")
    }

    @Test("No line is wider than the terminal", arguments: [20, 37, 60, 200])
    func width(columns: Int) {
        #expect(ProgressLine.live(progress(), width: columns).allSatisfy { $0.count <= columns })
    }
}
