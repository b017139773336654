internal import WSMCore
internal import WSMVerify

/// `heatmap.csv`: how many deliveries came in each bucket of time with which latency.
///
/// A line for each cell that is not empty; times are nanoseconds. Buckets of time are those of `timeseries.csv` and go on
/// while the run drained; steps of latency are a quarter of a doubling, told by their least latency.
package struct LatencyHeatmap: Hashable, Sendable {
    package struct Cell: Hashable, Sendable {
        /// From the start of the measured window.
        package var from: Int64
        /// The least latency of the step.
        package var latency: Int64
        package var count: Int64

        package init(from: Int64, latency: Int64, count: Int64) {
            self.from = from
            self.latency = latency
            self.count = count
        }
    }

    static let header = "fromNanoseconds,latencyNanoseconds,deliveries"

    package var cells: [Cell]

    package init(cells: [Cell]) {
        self.cells = cells
    }

    /// Reads the file; `nil` when a line is not one of it.
    init?(csv: String) {
        cells = []
        let lines = csv.split(separator: "\n")
        guard lines.first.map(String.init) == Self.header, lines.count <= RunRecords.lineLimit else { return nil }
        for line in lines.dropFirst() {
            let fields = line.split(separator: ",").map { Int64($0) }
            guard fields.count == 3, let from = fields[0], let latency = fields[1], let count = fields[2],
                RunRecords.times.contains(from), RunRecords.times.contains(latency), RunRecords.counts.contains(count)
            else { return nil }
            cells.append(Cell(from: from, latency: latency, count: count))
        }
    }

    var csv: String {
        cells.reduce(into: Self.header + "\n") { $0 += "\($1.from),\($1.latency),\($1.count)\n" }
    }
}

extension Measurement {
    /// The latencies of the clients that read as fast as they can, over time.
    var heatmap: LatencyHeatmap {
        let timelines = loops.compactMap(\.timeline)
        guard let width = timelines.first?.plan.width.nanoseconds else { return LatencyHeatmap(cells: []) }
        var cells: [LatencyHeatmap.Cell] = []
        for bucket in 0..<(timelines.map(\.count).max() ?? 0) {
            var latencies = LatencyBuckets()
            for timeline in timelines { latencies.add(timeline.latencies(in: bucket..<(bucket + 1))) }
            cells += latencies.quarters.map { .init(from: Int64(bucket) * width, latency: $0.from, count: $0.count) }
        }
        return LatencyHeatmap(cells: cells)
    }
}
