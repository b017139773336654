internal import WSMScenario

/// A figure that a comparison judges: which way is better, and how large a difference matters.
package struct ComparedFigure: Hashable, Sendable {
    /// The metric's path in the result.
    package var path: String
    package var lessIsBetter: Bool
    /// The part by which it must differ before anybody cares.
    package var relevance: Double
    /// And the least difference, in the unit of the result.
    package var floor: Double

    private init(_ path: String, lessIsBetter: Bool = true, relevance: Double = 0.05, floor: Double = 0) {
        self.path = path
        self.lessIsBetter = lessIsBetter
        self.relevance = relevance
        self.floor = floor
    }

    /// The ratios to `value` of what differs too little from it to matter, upwards and downwards.
    package func irrelevantRatios(around value: Double) -> ClosedRange<Double> {
        let most = 1 + relevance
        let part = value > 0 ? floor / value : 0
        return min(1 / most, max(0, 1 - part))...max(most, 1 + part)
    }

    /// Nobody feels a twentieth of a millisecond, and machines do not measure it.
    private static let leastTime = 50e3

    /// All of them, in the order of tables: what arrives, when, and what it costs.
    package static let all: [ComparedFigure] = deliveries + times + costs

    private static let deliveries = [
        ComparedFigure("delivery.perSecond", lessIsBetter: false, relevance: 0.01),
        // A single lost message is one too many.
        ComparedFigure("delivery.lost", relevance: 0),
        ComparedFigure("delivery.duplicated", relevance: 0),
        ComparedFigure("delivery.reordered", relevance: 0),
        ComparedFigure("delivery.missedOffline"),
    ]

    private static let times: [ComparedFigure] = {
        let stages = ["worker", "queue", "publish", "broker", "write", "wire"].flatMap { stage in
            ["stages.\(stage).p50", "stages.\(stage).p99"]
        }
        let latencies = ["p50", "p90", "p99", "p999", "max"].map { "latency.\($0)" }
        let others = ["latencyFromActualSend.p99", "fanOutSkew.p50", "fanOutSkew.p99"]
        return (latencies + others + stages).map { ComparedFigure($0, floor: leastTime) }
    }()

    private static let costs: [ComparedFigure] = {
        let parts = ["instances", "clients", "redis"].map { "resources.\($0)" }
        let cpu = parts.map { ComparedFigure("\($0).cpuSecondsPerMillionDeliveries") }
        let memory = parts.map { ComparedFigure("\($0).peakRssBytes", floor: 1024 * 1024) }
        return cpu + memory + [ComparedFigure("resources.redis.connections", relevance: 0)]
    }()
}
