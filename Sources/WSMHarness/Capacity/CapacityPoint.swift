/// One load on the curve.
package struct CapacityPoint: Codable, Equatable, Sendable {
    /// One run at it.
    package struct Run: Codable, Equatable, Sendable {
        /// The run folder, relative to the capacity's.
        package var folder: String
        package var outcome: StepOutcome
        /// Why it was not carried, or not judged; `nil` for one that was carried.
        package var reason: String?
        package var publishedPerSecond: Double
        package var deliveriesPerSecond: Double
        package var p50: Int64?
        package var p99: Int64?
        package var lost: Int
        package var cpu: Double?

        package init(
            folder: String, outcome: StepOutcome, reason: String? = nil, publishedPerSecond: Double,
            deliveriesPerSecond: Double, p50: Int64? = nil, p99: Int64? = nil, lost: Int = 0, cpu: Double? = nil
        ) {
            self.folder = folder
            self.outcome = outcome
            self.reason = reason
            self.publishedPerSecond = publishedPerSecond
            self.deliveriesPerSecond = deliveriesPerSecond
            self.p50 = p50
            self.p99 = p99
            self.lost = lost
            self.cpu = cpu
        }
    }

    package var load: Double
    /// What the majority of the runs says.
    package var outcome: StepOutcome
    /// The reason of the first run that says so; `nil` for a load that was carried.
    package var reason: String?
    /// Medians of the runs.
    package var deliveriesPerSecond: Double
    /// Latency from the intended instant; `nil` without samples.
    package var p50: Int64?
    package var p99: Int64?
    /// The most that a run lost.
    package var lost: Int
    /// Processors that the system under test kept busy: CPU seconds a second of instances, workers and Redis; `nil` where
    /// nobody sees them.
    package var cpu: Double?
    package var runs: [Run]

    package init(load: Double, outcome: StepOutcome, reason: String? = nil, runs: [Run]) {
        self.load = load
        self.outcome = outcome
        self.reason = reason
        self.runs = runs
        deliveriesPerSecond = Self.median(runs.map(\.deliveriesPerSecond)) ?? 0
        p50 = Self.median(runs.compactMap(\.p50).map(Double.init)).map { Int64($0) }
        p99 = Self.median(runs.compactMap(\.p99).map(Double.init)).map { Int64($0) }
        lost = runs.map(\.lost).max() ?? 0
        cpu = Self.median(runs.compactMap(\.cpu))
    }

    private static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
