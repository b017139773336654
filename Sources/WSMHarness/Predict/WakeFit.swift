internal import WSMRecord
internal import WSMScenario

/// Finds how long a sleeping thread takes to wake: what no CPU time tells, and what latencies at low load consist of.
///
/// The steps with the smallest fan-outs, of those that left the machine mostly idle, are simulated with one value after the other, until the simulated medians are
/// in the middle those that were measured.
enum WakeFit {
    /// A step that used more of the cores than this shows queues, not wakes.
    private static let highestUtilisation = 0.5
    private static let mostRows = 4
    private static let seconds = 2
    private static let bound: Int64 = 4_000_000

    /// The value in nanoseconds; 0 where even that makes simulated latencies too long, or no step was quiet enough.
    static func fit(_ calibration: MachineCalibration, source: ScenarioSource) throws -> Int64 {
        let quiet = calibration.rows.filter {
            $0.validity != Validity.Verdict.invalid.rawValue && $0.latencyP50 > 0
                && $0.utilisation(cores: calibration.machine.cores) < highestUtilisation
        }.sorted { $0.load.fanOut < $1.load.fanOut }.prefix(mostRows)
        let scenarios = quiet.compactMap { row in
            source.setting(row.load.changes(seconds: seconds)).load().scenario.map { ($0, Double(row.latencyP50)) }
        }
        guard !scenarios.isEmpty else { return 0 }
        var (low, high) = (Int64(0), bound)
        var trial = calibration
        while high - low > max(500, low / 50) {
            let middle = (low + high) / 2
            trial[.wake].nanoseconds = middle
            var ratios: [Double] = []
            for (scenario, measured) in scenarios {
                let result = try SimulatedRun.predicted(scenario, calibration: trial)
                ratios.append(Double(result.latencyFromActualSend.p50) / measured)
            }
            if Quantile.median(ratios) ?? 0 > 1 { high = middle } else { low = middle }
        }
        return low
    }
}
