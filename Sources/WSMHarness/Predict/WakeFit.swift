internal import Foundation
internal import WSMCore
internal import WSMRecord
internal import WSMScenario

/// Finds from latencies what no CPU time tells of waking threads: how much longer a wake-up takes than that of its core.
///
/// The quiet steps, whose latencies consist of wake-ups and cold caches, are simulated with one value after the other. The least is kept
/// with which their medians come about as near to what was measured as with any: where threads are woken behind their wakers, there
/// is little to be told.
struct WakeFit {
    /// A step that used more of the cores than this shows queues, not wake-ups.
    private static let quietUtilisation = 0.1
    /// Messages that are rarer than this find everything cold, which tells of caches and not of cores.
    private static let lowestRate = 20
    /// How much worse than the best the value that is kept may be.
    private static let tolerance = 1.1
    /// The measured window of a simulated step.
    private static let seconds = 1
    /// Nanoseconds for each doubling of the thread's sleep.
    private static let trials: [Int64] = [0, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000]

    private struct Step {
        let scenario: Scenario
        /// The measured median.
        let measured: Double
    }

    private let quiet: [Step]
    /// Once it is requested, all that follows ends soon and tells nothing.
    private let interruption: Interruption

    /// - Parameter calibration: Has the rows; those that tell nothing of wake-ups are left out.
    init(_ calibration: MachineCalibration, source: ScenarioSource, interruption: Interruption) {
        self.interruption = interruption
        quiet = calibration.rows.compactMap { row in
            let utilisation = row.utilisation(cores: calibration.machine.cores)
            guard row.validity != Validity.Verdict.invalid.rawValue, row.latencyP50 > 0,
                row.load.rate >= Self.lowestRate, utilisation < Self.quietUtilisation,
                let scenario = source.setting(row.load.changes(seconds: Self.seconds)).load().scenario
            else { return nil }
            return Step(scenario: scenario, measured: Double(row.latencyP50))
        }
    }

    /// Sets ``MachineCalibration/Name/wakeCold``; it stays as it is where no step tells.
    func fitWakeUps(of calibration: inout MachineCalibration) throws {
        var trial = calibration
        var tried: [(wakeCold: Int64, error: Double)] = []
        for wakeCold in Self.trials where !quiet.isEmpty && !interruption.isRequested {
            trial[.wakeCold].nanoseconds = wakeCold
            let error = try quiet.reduce(0.0) { sum, step in
                let result = try SimulatedRun.predicted(
                    step.scenario, calibration: trial, interruption: interruption)
                return sum + abs(log(max(1, Double(result.latency.p50)) / step.measured))
            }
            tried.append((wakeCold, error))
        }
        let least = tried.map(\.error).min() ?? 0
        if let kept = tried.first(where: { $0.error <= least * Self.tolerance }) {
            calibration[.wakeCold].nanoseconds = kept.wakeCold
        }
    }
}
