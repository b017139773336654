internal import WSMCore
package import WSMScenario

/// A measured figure that a gate judges, and how much worse is too much.
///
/// Few of them: each more makes a false alarm likelier, and a gate slower.
package struct GateFigure: Hashable, Sendable {
    /// The metric's path; of all of them more is worse.
    package var metric: String
    /// The path of what the metric is divided by in each run; `nil` for the metric by itself.
    package var reference: String?
    /// How much worse it may become, as a part of the old value.
    package var tolerance: Double
    /// What nobody feels or pays for, however large a part of a small value it is; in the unit of the result.
    package var floor: Double
    /// Whether the scenario names it: a figure that somebody asked for must have samples.
    package var isNamed: Bool

    package init(
        path metric: String, over reference: String? = nil, tolerance: Double, floor: Double = 0, isNamed: Bool = false
    ) {
        self.metric = metric
        self.reference = reference
        self.tolerance = tolerance
        self.floor = floor
        self.isNamed = isNamed
    }

    /// What it is called: the metric's path, and that of what it is divided by after a slash.
    package var path: String { reference.map { "\(metric)/\($0)" } ?? metric }

    /// Its value in a run; `nil` where the run does not have it.
    package func value(in result: RunResult) -> Double? {
        guard let value = MetricLookup.value(at: metric, in: result) else { return nil }
        guard let reference else { return value }
        guard let base = MetricLookup.value(at: reference, in: result), base > 0 else { return nil }
        return value / base
    }

    /// The part of `value` that it may grow by.
    package func margin(of value: Double) -> Double { value > 0 ? max(tolerance, floor / value) : tolerance }

    private static let cpu = "resources.instances.cpuSecondsPerMillionDeliveries"
    /// How much wider the instances' CPU by itself is tolerated than beside the load generator's.
    private static let wider = 3.0

    /// The instances' CPU, in two ways.
    ///
    /// The speed of a machine that shares its cores with others moves by a tenth from one run to the next, and the instances'
    /// and the load generator's CPU move with it alike: their ratio is several times steadier than either. A change that makes
    /// both dearer alike shows in the CPU by itself only.
    private static func cpu(_ tolerance: Double, isNamed: Bool = false) -> [GateFigure] {
        [
            GateFigure(
                path: cpu, over: "resources.clients.cpuSecondsPerMillionDeliveries", tolerance: tolerance,
                isNamed: isNamed),
            GateFigure(path: cpu, tolerance: wider * tolerance, isNamed: isNamed),
        ]
    }

    /// What a gate judges without a word in the scenario.
    ///
    /// Coarser than what a comparison points out (``ComparedFigure``): a gate stops somebody's work.
    /// The tail of the latency rests on few messages and is the noisiest of them, so its tolerance is wide; the median and the
    /// CPU find what it cannot.
    private static let standard: [GateFigure] =
        [
            GateFigure(path: "latency.p50", tolerance: 0.1, floor: 300e3),
            GateFigure(path: "latency.p99", tolerance: 0.5, floor: 2e6),
        ] + cpu(0.05) + [
            GateFigure(path: "resources.instances.peakRssBytes", tolerance: 0.1, floor: 8 * 1024 * 1024),
            GateFigure(path: "resources.redis.cpuSecondsPerMillionDeliveries", tolerance: 0.15, floor: 0.1),
        ]

    /// The figures of a scenario: the standard ones, with the tolerances that it names, and those that it adds.
    package static func of(_ scenario: Scenario) -> [GateFigure] {
        var figures = standard
        for path in MetricCatalogue.gated {
            guard let tolerance = scenario.expect.tolerances[path]?.fraction else { continue }
            // Who names a tolerance means it: no floor widens it.
            let named =
                path == cpu
                ? cpu(tolerance, isNamed: true) : [GateFigure(path: path, tolerance: tolerance, isNamed: true)]
            let place = figures.firstIndex { $0.metric == path } ?? figures.endIndex
            figures.removeAll { $0.metric == path }
            figures.insert(contentsOf: named, at: place)
        }
        return figures
    }
}
