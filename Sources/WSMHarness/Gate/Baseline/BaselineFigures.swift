internal import WSMRecord

/// A count that a baseline keeps, and how it is held against another run's.
struct BaselineCount: Sendable {
    enum Rule: Sendable {
        /// Drawn from the seed's plan: the same on every machine.
        case planned
        /// Messages that went wrong: more is worse.
        case mishap
        /// Work: more than the tolerance, and than the floor, is worse.
        case effort(tolerance: Double, floor: Double)
    }

    var path: String
    var rule: Rule
    /// Whether every cluster has it: a baseline without it is broken.
    var isAlwaysThere = true

    /// All of them, in the order in which they are shown.
    static let all: [BaselineCount] =
        [
            BaselineCount(path: "clients.planned", rule: .planned),
            BaselineCount(path: "delivery.published", rule: .planned),
            BaselineCount(path: "delivery.expected", rule: .planned),
            BaselineCount(path: "delivery.missedOffline", rule: .planned),
            BaselineCount(path: "delivery.lost", rule: .mishap),
            BaselineCount(path: "delivery.lostByCause.unexplained", rule: .mishap),
            BaselineCount(path: "delivery.duplicated", rule: .mishap),
            BaselineCount(path: "delivery.reordered", rule: .mishap),
            BaselineCount(path: "delivery.foreign", rule: .mishap),
        ]
        + [("commands", 50.0), ("bytesIn", 16384), ("bytesOut", 16384), ("connections", 2)].map { name, floor in
            BaselineCount(
                path: "resources.redis.\(name)", rule: .effort(tolerance: 0.1, floor: floor), isAlwaysThere: false)
        }

    static let paths = all.map(\.path)
}

/// A live figure as a ratio to what the load generator itself measured just before, on the same machine: it carries over to
/// another machine as far as that is faster or slower as a whole.
struct BaselineRatio: Sendable {
    var path: String
    /// How much larger it may become: wide, since two machines differ in more than their speed, and what it is held against was
    /// measured in a tenth of a second.
    var tolerance: Double
    private let figure: String
    private let reference: @Sendable (Calibration) -> Double?

    func value(in result: RunResult) -> Double? {
        guard let value = MetricLookup.value(at: figure, in: result),
            let base = result.calibration.flatMap(reference), base > 0, value > 0
        else { return nil }
        return value / base
    }

    static let all: [BaselineRatio] = [
        latency("latency.p50"), latency("latency.p99"),
        BaselineRatio(
            path: "resources.instances.cpuSecondsPerMillionDeliveries/calibration.cpuSecondsPerMillionDeliveries",
            tolerance: 1, figure: "resources.instances.cpuSecondsPerMillionDeliveries"
        ) { $0.cpuSecondsPerMillionDeliveries },
    ]

    static let paths = all.map(\.path)

    /// Against the median of a frame's way from an idle null server to an idle client.
    private static func latency(_ figure: String) -> BaselineRatio {
        BaselineRatio(path: "\(figure)/calibration.latencyFloor.p50", tolerance: 1, figure: figure) { calibration in
            calibration.latencyFloor.flatMap { $0.count > 0 ? Double($0.p50) : nil }
        }
    }

    private init(
        path: String, tolerance: Double, figure: String, reference: @escaping @Sendable (Calibration) -> Double?
    ) {
        self.path = path
        self.tolerance = tolerance
        self.figure = figure
        self.reference = reference
    }
}
