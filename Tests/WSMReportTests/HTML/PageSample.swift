import WSMCore
import WSMHarness
import WSMRecord
import WSMReport
import WSMVerify

/// Runs with all that a page can show.
enum PageSample {
    static func records(_ result: RunResult = SampleRun.failed()) -> RunRecords {
        var records = RunRecords(result: result)
        records.folder = "Results/runs/it's one"
        var histogram = LatencyHistogram()
        for value in 1...2000 { histogram.record(.microseconds(Int64(value * value) / 10)) }
        for tag in ["response", "service", "worker", "queue", "publish", "broker", "write", "wire"] {
            records.histograms[tag] = histogram
        }
        for index in 0..<600 {
            var moment = RunRecords.Moment(from: Int64(index) * 2_500_000)
            (moment.published, moment.received, moment.lost, moment.openSessions) = (3, 300, index % 7, 100)
            (moment.p50, moment.p99, moment.lag) = (1_000_000, 5_000_000, 9_000_000)
            records.moments.append(moment)
        }
        var cells: [LatencyHeatmap.Cell] = []
        for bucket: Int64 in 0..<600 {
            for step: Int64 in 0..<130 {
                cells.append(.init(from: bucket * 2_500_000, latency: 1000 << (step / 4), count: step + 1))
            }
        }
        records.heatmap = LatencyHeatmap(cells: cells)
        records.scenario = "name: sample\n# </pre><script>alert(1)</script>\nduration: 1s\n"
        return records
    }

    /// A run with faults and a witness that can be drawn.
    static func eventful() -> RunResult {
        var result = SampleRun.failed()
        var fault = FaultResult(action: "redis.restart", at: 500_000_000, healedAt: 900_000_000, lost: 8)
        fault.lateNanoseconds = 1000
        result.faults = [fault]
        result.guarantees[1].witnessEvents = [
            WitnessEvent(.published, who: "publisher 3", instance: 0, message: "3:41", atNanoseconds: 1_204_000_000),
            WitnessEvent(.received, who: "client 2", instance: 0, message: "3:41"),
            WitnessEvent(.missed, who: "client 7", instance: 1, message: "3:41"),
        ]
        return result
    }
}
