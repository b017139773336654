internal import Foundation
internal import WSMCore
internal import WSMRecord
internal import WSMScenario

/// Finds from latencies what no CPU time tells of waking threads: how much longer a wake-up takes than that of its core.
///
/// The quiet steps with the smallest fan-outs, whose latencies consist of wake-ups, are simulated with one value after the other,
/// until their medians are in the middle what was measured.
struct WakeFit {
    /// A step that used more of the cores than this shows queues, not wake-ups.
    private static let quietUtilisation = 0.1
    /// Messages that are rarer than this find everything cold, which tells of caches and not of cores.
    private static let lowestRate = 20
    private static let smallestRows = 6
    /// The measured window of a simulated step.
    private static let seconds = 1
    private static let longestWake: Int64 = 500_000

    private struct Step {
        let scenario: Scenario
        /// The measured median.
        let measured: Double
        let fanOut: Int
    }

    private let smallest: [Step]
    /// Once it is requested, all that follows ends soon and tells nothing.
    private let interruption: Interruption

    /// - Parameter calibration: Has the rows; those that tell nothing of wake-ups are left out.
    init(_ calibration: MachineCalibration, source: ScenarioSource, interruption: Interruption) {
        self.interruption = interruption
        let quiet = calibration.rows.compactMap { row -> Step? in
            let utilisation = row.utilisation(cores: calibration.machine.cores)
            guard row.validity != Validity.Verdict.invalid.rawValue, row.latencyP50 > 0,
                row.load.rate >= Self.lowestRate, utilisation < Self.quietUtilisation,
                let scenario = source.setting(row.load.changes(seconds: Self.seconds)).load().scenario
            else { return nil }
            return Step(scenario: scenario, measured: Double(row.latencyP50), fanOut: row.load.fanOut)
        }
        smallest = Array(quiet.sorted { $0.fanOut < $1.fanOut }.prefix(Self.smallestRows))
    }

    /// Sets ``MachineCalibration/Name/wakeCold``: 0 where even that makes simulated latencies too long.
    func fitWakeUps(of calibration: inout MachineCalibration) throws {
        guard !smallest.isEmpty else { return }
        var trial = calibration
        var (low, high) = (Int64(0), Self.longestWake)
        while high - low > max(500, low / 50), !interruption.isRequested {
            let middle = (low + high) / 2
            trial[.wakeCold].nanoseconds = middle
            if try Quantile.median(ratios(trial, smallest)) ?? 0 > 1 { high = middle } else { low = middle }
        }
        calibration[.wakeCold].nanoseconds = low
    }

    /// The steps' simulated medians, each as a part of the measured one.
    private func ratios(_ trial: MachineCalibration, _ steps: [Step]) throws -> [Double] {
        try steps.map { step in
            let result = try SimulatedRun.predicted(
                step.scenario, calibration: trial, interruption: interruption)
            return max(1e-6, Double(result.latency.p50)) / step.measured
        }
    }
}
