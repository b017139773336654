package import WSMCore
package import WSMHarness

/// What a run's curves have been so far, in a bounded number of points however long it lasts.
///
/// When it is full, points are merged in pairs and every later one stands for twice as long. Of latencies the worst stays,
/// so that no peak is lost; of rates the mean.
package struct LiveHistory: Hashable, Sendable {
    /// The figures over one step.
    package struct Point: Hashable, Sendable {
        /// Which step since the run's start.
        fileprivate var step: Int64
        /// How many readings it merges.
        fileprivate var readings: Int
        package fileprivate(set) var p50: TimeSpan?
        package fileprivate(set) var p99: TimeSpan?
        package fileprivate(set) var publishedPerSecond: Double
        package fileprivate(set) var receivedPerSecond: Double

        fileprivate mutating func merge(_ other: Point) {
            p50 = [p50, other.p50].compactMap { $0 }.max()
            p99 = [p99, other.p99].compactMap { $0 }.max()
            let weight = Double(other.readings) / Double(readings + other.readings)
            publishedPerSecond += (other.publishedPerSecond - publishedPerSecond) * weight
            receivedPerSecond += (other.receivedPerSecond - receivedPerSecond) * weight
            readings += other.readings
        }
    }

    /// The most points that it holds.
    package static let limit = 600

    package private(set) var points: [Point] = []
    /// How long a point stands for.
    package private(set) var step = TimeSpan.milliseconds(200)

    package init() {}

    /// Since the run's start, when `point` began.
    package func start(of point: Point) -> TimeSpan { TimeSpan(nanoseconds: point.step * step.nanoseconds) }

    /// Takes in a reading; `age` is how long the run lasts by now.
    package mutating func note(_ progress: RunProgress, age: TimeSpan) {
        add(
            Point(
                step: max(0, age.nanoseconds) / step.nanoseconds, readings: 1, p50: progress.recentP50,
                p99: progress.recentP99, publishedPerSecond: progress.publishedPerSecond,
                receivedPerSecond: progress.receivedPerSecond))
        while points.count > Self.limit { halve() }
    }

    /// A reading that is older than the last one counts as of the same step: threads may overtake each other.
    private mutating func add(_ point: Point) {
        if let last = points.last, point.step <= last.step {
            points[points.count - 1].merge(point)
        } else {
            points.append(point)
        }
    }

    private mutating func halve() {
        let old = points
        points.removeAll(keepingCapacity: true)
        step = TimeSpan(nanoseconds: step.nanoseconds * 2)
        for var point in old {
            point.step /= 2
            add(point)
        }
    }
}
