internal import WSMCore
internal import WSMRecord
internal import WSMScenario

/// Finds from latencies what no CPU time tells of waking threads.
///
/// Steps are simulated with one value after the other, until the simulated medians are in the middle those that were measured:
/// - the time that a wake-up takes beside that of its core, from the smallest fan-outs, whose latencies consist of wake-ups;
/// - how soon a thread that sleeps loses its own core, from the largest fan-outs: until then the readers run beside the writer,
///   and from then on behind it, which doubles their median.
enum WakeFit {
    /// A step that used more of the cores than this shows queues, not wake-ups.
    private static let highestUtilisation = 0.1
    /// Messages that are rarer than this find everything cold, which tells of caches and not of cores.
    private static let lowestRate = 20
    private static let mostRows = 6
    private static let seconds = 2
    private static let longestWake: Int64 = 4_000_000
    private static let memory: ClosedRange<Int64> = 10_000...1_000_000_000

    /// Sets both in `calibration`; what no step was quiet enough for stays as it is.
    static func fit(_ calibration: inout MachineCalibration, source: ScenarioSource) throws {
        let quiet = calibration.rows.filter {
            $0.validity != Validity.Verdict.invalid.rawValue && $0.latencyP50 > 0 && $0.load.rate >= lowestRate
                && $0.utilisation(cores: calibration.machine.cores) < highestUtilisation
        }.sorted { $0.load.fanOut < $1.load.fanOut }
        let smallest = steps(quiet.prefix(mostRows), source)
        let largest = steps(quiet.suffix(mostRows), source)
        guard !smallest.isEmpty else { return }
        if calibration.machine.cores > 1 {
            calibration.waking.forgottenAfter = try forgottenAfter(calibration, largest)
        }
        calibration[.wake].nanoseconds = try wake(calibration, smallest)
    }

    private typealias Step = (scenario: Scenario, measured: Double)

    private static func steps(_ rows: ArraySlice<CalibrationRow>, _ source: ScenarioSource) -> [Step] {
        rows.compactMap { row in
            source.setting(row.load.changes(seconds: seconds)).load().scenario.map { ($0, Double(row.latencyP50)) }
        }
    }

    /// Nanoseconds; the longest within a twentieth with which simulated latencies are too long, or the bounds.
    private static func forgottenAfter(_ calibration: MachineCalibration, _ steps: [Step]) throws -> Int64 {
        var trial = calibration
        var (low, high) = (memory.lowerBound, memory.upperBound)
        while high > low + low / 20 {
            // Halfway between them as factors: the bounds are five powers of ten apart.
            let middle = Int64((Double(low) * Double(high)).squareRoot())
            trial.waking.forgottenAfter = middle
            if try ratio(trial, steps) > 1 { low = middle } else { high = middle }
        }
        return low
    }

    /// Nanoseconds; 0 where even that makes simulated latencies too long.
    private static func wake(_ calibration: MachineCalibration, _ steps: [Step]) throws -> Int64 {
        var trial = calibration
        var (low, high) = (Int64(0), longestWake)
        while high - low > max(500, low / 50) {
            let middle = (low + high) / 2
            trial[.wake].nanoseconds = middle
            if try ratio(trial, steps) > 1 { high = middle } else { low = middle }
        }
        return low
    }

    /// The middle of the steps' simulated medians, each as a part of the measured one.
    private static func ratio(_ trial: MachineCalibration, _ steps: [Step]) throws -> Double {
        let ratios = try steps.map { step in
            let result = try SimulatedRun.predicted(step.scenario, calibration: trial)
            return Double(result.latencyFromActualSend.p50) / step.measured
        }
        return Quantile.median(ratios) ?? 0
    }
}
