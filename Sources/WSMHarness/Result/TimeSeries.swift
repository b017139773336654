internal import WSMCore
internal import WSMRecord
internal import WSMScenario
internal import WSMVerify

/// `timeseries.csv`: what happened in each bucket of the measured window, one line a bucket.
///
/// Receipts, their latencies and lag are those of the bucket in which they came, publishes and losses those of the bucket in
/// which a message was published. Times are nanoseconds; latencies are told in steps of a sixteenth. `lag` is the greatest
/// latency. `faults` names those that held in the bucket.
struct TimeSeries {
    static let header =
        "fromNanoseconds,published,received,lost,openSessions,p50Nanoseconds,p99Nanoseconds,lagNanoseconds,faults"

    private var rows: [Row]

    struct Row {
        var published = 0
        var received = 0
        var lost = 0
        var open = 0
        var p50: Int64?
        var p99: Int64?
        var lag: Int64?
        var faults: [String] = []
    }

    private let plan: Timeline.Plan

    /// - Parameters:
    ///   - plan: The buckets.
    ///   - length: Of the measured window.
    init(_ plan: Timeline.Plan, length: TimeSpan) {
        self.plan = plan
        let count = (length.nanoseconds + plan.width.nanoseconds - 1) / plan.width.nanoseconds
        rows = Array(repeating: Row(), count: min(Int(max(1, count)), Timeline.bucketLimit))
    }

    private func from(_ row: Int) -> Int64 { plan.from.nanoseconds + Int64(row) * plan.width.nanoseconds }

    private func row(at instant: Int64) -> Int? {
        guard instant >= plan.from.nanoseconds else { return nil }
        let row = Int((instant - plan.from.nanoseconds) / plan.width.nanoseconds)
        return row < rows.count ? row : nil
    }

    mutating func add(_ loops: [LoopRecord]) {
        for row in rows.indices {
            var latencies = LatencyBuckets()
            for timeline in loops.compactMap(\.timeline) {
                latencies.add(timeline.latencies(in: row..<(row + 1)))
                rows[row].received += Int(timeline.received(in: row))
            }
            rows[row].p50 = latencies.percentile(50)?.nanoseconds
            rows[row].p99 = latencies.percentile(99)?.nanoseconds
            rows[row].lag = latencies.percentile(100)?.nanoseconds
            // Open at the bucket's end.
            let end = from(row + 1)
            for session in loops.lazy.flatMap(\.sessions) {
                let until = session.closedAt?.nanoseconds ?? .max
                if session.attemptedAt.nanoseconds < end, until >= end { rows[row].open += 1 }
            }
        }
    }

    mutating func add(_ history: [PublisherHistory], measuredFrom: MonotonicInstant) {
        for channel in history.lazy.filter({ !$0.isFence }).flatMap(\.channels) {
            for index in 0..<channel.count where channel.outcome(of: index) == .published {
                guard channel.intended[index] >= measuredFrom.nanoseconds, let row = row(at: channel.published[index])
                else { continue }
                rows[row].published += 1
            }
        }
    }

    mutating func add(lost: [Int64]) {
        for (row, count) in lost.enumerated() where row < rows.count { rows[row].lost += Int(count) }
    }

    mutating func add(_ faults: [FaultRecord]) {
        for fault in faults {
            guard let at = fault.at?.nanoseconds else { continue }
            let until = fault.healedAt?.nanoseconds ?? .max
            for row in rows.indices where at < from(row + 1) && until >= from(row) {
                rows[row].faults.append(fault.planned.action.rawValue)
            }
        }
    }

    var csv: String {
        var text = Self.header + "\n"
        for (index, row) in rows.enumerated() {
            let times = [row.p50, row.p99, row.lag].map { $0.map(String.init) ?? "" }.joined(separator: ",")
            let start = Int64(index) * plan.width.nanoseconds
            text += "\(start),\(row.published),\(row.received),\(row.lost),\(row.open),\(times),"
            text += row.faults.joined(separator: ";") + "\n"
        }
        return text
    }
}

extension Measurement {
    /// The bytes of `timeseries.csv`.
    func timeSeries(_ settlement: Settlement) -> [UInt8] {
        let from = clock?.measuredFrom ?? .now()
        var series = TimeSeries(subject.timelinePlan(from: from), length: measuredSpan)
        series.add(loops)
        series.add(subject.publishers.logs.map { $0.snapshot() }, measuredFrom: from)
        series.add(lost: settlement.lostOverTime)
        series.add(faults)
        return Array(series.csv.utf8)
    }
}
