internal import WSMCore
package import WSMScenario

/// A measured figure that a gate judges, and how much worse is too much.
///
/// Few of them: each more makes a false alarm likelier, and a gate slower.
package struct GateFigure: Hashable, Sendable {
    /// The metric's path; of all of them more is worse.
    package var path: String
    /// How much worse it may become, as a part of the old value.
    package var tolerance: Double
    /// What nobody feels or pays for, however large a part of a small value it is; in the unit of the result.
    package var floor: Double
    /// Whether the scenario names it: a figure that somebody asked for must have samples.
    package var isNamed: Bool

    package init(path: String, tolerance: Double, floor: Double = 0, isNamed: Bool = false) {
        self.path = path
        self.tolerance = tolerance
        self.floor = floor
        self.isNamed = isNamed
    }

    /// The part of `value` that it may grow by.
    package func margin(of value: Double) -> Double { value > 0 ? max(tolerance, floor / value) : tolerance }

    /// What a gate judges without a word in the scenario.
    ///
    /// Coarser than what a comparison points out (``ComparedFigure``): a gate stops somebody's work.
    /// The tail of the latency rests on few messages and is the noisiest of them, so its tolerance is wide; the median and the
    /// CPU find what it cannot.
    private static let standard: [GateFigure] = [
        GateFigure(path: "latency.p50", tolerance: 0.1, floor: 300e3),
        GateFigure(path: "latency.p99", tolerance: 0.5, floor: 2e6),
        GateFigure(path: "resources.instances.cpuSecondsPerMillionDeliveries", tolerance: 0.05),
        GateFigure(path: "resources.instances.peakRssBytes", tolerance: 0.1, floor: 8 * 1024 * 1024),
        GateFigure(path: "resources.redis.cpuSecondsPerMillionDeliveries", tolerance: 0.15, floor: 0.1),
    ]

    /// The figures of a scenario: the standard ones, with the tolerances that it names, and those that it adds.
    package static func of(_ scenario: Scenario) -> [GateFigure] {
        var figures = standard
        for path in MetricCatalogue.gated {
            guard let tolerance = scenario.expect.tolerances[path]?.fraction else { continue }
            // Who names a tolerance means it: no floor widens it.
            let named = GateFigure(path: path, tolerance: tolerance, isNamed: true)
            if let index = figures.firstIndex(where: { $0.path == path }) {
                figures[index] = named
            } else {
                figures.append(named)
            }
        }
        return figures
    }
}
