internal import Foundation
package import WSMScenario

extension GateBaseline {
    /// Why runs make no baseline.
    package struct Unfit: Error, Hashable {
        package var reason: String
    }

    /// The baseline that runs of one build make.
    ///
    /// - Parameters:
    ///   - runs: At least one, none of them INVALID.
    ///   - earlier: The file as it was; what has not changed beyond its tolerance keeps its figure, so that measuring again
    ///     gives the same file.
    ///   - keepsTimes: Whether it also keeps the times of this machine.
    /// - Throws: ``Unfit`` when the runs do not pass by themselves, or do not agree.
    package init(
        _ runs: [RunResult], scenario: Scenario, earlier: GateBaseline?, keepsTimes: Bool
    ) throws {
        if let failed = runs.first(where: { $0.verdict == .guarantee || $0.verdict == .inconclusive }) {
            throw Unfit(
                reason: "a run did not pass by itself (\(failed.reason)): a baseline of it would excuse that for ever")
        }
        let hash = ScenarioHash.of(scenario)
        let kept = earlier?.scenario == hash ? earlier : nil
        self.init(
            name: scenario.name, scenario: hash, counts: try Self.counts(runs, kept, scenario),
            guarantees: [:], ratios: Self.ratios(runs, kept), machine: nil, traceHash: runs.first?.traceHash)
        for result in runs.first?.guarantees ?? [] {
            guarantees[result.id] = GuaranteeTally.worst(result.id, in: runs)
        }
        if keepsTimes, let id = MachineIdentity.current {
            let before = kept?.machine?.id == id ? kept?.machine?.times : nil
            machine = Machine(id: id, times: Self.times(runs, before, scenario))
        } else if !keepsTimes {
            machine = kept?.machine
        }
    }

    private static func counts(
        _ runs: [RunResult], _ kept: GateBaseline?, _ scenario: Scenario
    ) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for count in BaselineCount.all {
            let values = runs.compactMap { MetricLookup.value(at: count.path, in: $0) }
            guard values.count == runs.count, let median = Quantile.median(values) else { continue }
            let value = Int(median.rounded())
            switch count.rule {
            case .planned where !scenario.isDisturbed:
                guard Set(values).count == 1 else {
                    throw Unfit(
                        reason: "\(count.path) differs between runs of the same build (\(values.map { Int($0) })): a "
                            + "baseline needs a scenario whose plan alone decides it")
                }
                counts[count.path] = value
            case .planned, .mishap:
                counts[count.path] = value
            case .effort(let tolerance, let floor):
                let before = kept?.counts[count.path]
                let isSame = before.map { abs(Double($0 - value)) <= max(Double($0) * tolerance, floor) } ?? false
                counts[count.path] = isSame ? before : Int(rounded(Double(value)))
            }
        }
        return counts
    }

    private static func ratios(_ runs: [RunResult], _ kept: GateBaseline?) -> [String: Double] {
        var ratios: [String: Double] = [:]
        for ratio in BaselineRatio.all {
            let values = runs.compactMap { ratio.value(in: $0) }
            guard values.count == runs.count, let median = Quantile.median(values) else { continue }
            ratios[ratio.path] = settled(median, before: kept?.ratios[ratio.path], tolerance: ratio.tolerance)
        }
        return ratios
    }

    private static func times(_ runs: [RunResult], _ kept: [String: Double]?, _ scenario: Scenario) -> [String: Double]
    {
        var times: [String: Double] = [:]
        for figure in GateFigure.of(scenario) where figure.reference == nil {
            let values = runs.compactMap { figure.value(in: $0) }
            guard values.count == runs.count, let median = Quantile.median(values), median > 0 else { continue }
            times[figure.path] = settled(
                median, before: kept?[figure.path], tolerance: BaselineComparison.margin(figure, median))
        }
        return times
    }

    /// The figure as it was, where it has not changed by more than is tolerated; else the new one, to three digits.
    private static func settled(_ value: Double, before: Double?, tolerance: Double) -> Double {
        guard let before, value <= before * (1 + tolerance), value >= before / (1 + tolerance) else {
            return rounded(value)
        }
        return before
    }

    /// To three significant digits.
    private static func rounded(_ value: Double) -> Double {
        guard value > 0 else { return 0 }
        let digits = Int(floor(log10(value))) - 2
        // A whole power either way, so that the result is the decimal nearest to it.
        let scale = pow(10, Double(abs(digits)))
        return digits >= 0 ? (value / scale).rounded() * scale : (value * scale).rounded() / scale
    }
}

extension Scenario {
    /// Whether clients come and go while the load lasts: who is there for a message is then a matter of time, too.
    var isDisturbed: Bool {
        clients.churn.perSecond > 0 || !faults.isEmpty || clients.slow.count > 0 || clients.pongTimeout != nil
    }
}
