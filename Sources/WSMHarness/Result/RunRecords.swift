internal import Foundation
package import WSMRecord

/// All that a run folder holds for a report on the run: the result, and what it is a summary of.
///
/// What an older wsmlab did not write, or what cannot be read, is absent and named in ``absent``.
package struct RunRecords: Sendable {
    /// A line of `timeseries.csv`.
    package struct Moment: Hashable, Sendable {
        /// From the start of the measured window, in nanoseconds.
        package var from: Int64
        package var published = 0
        package var received = 0
        package var lost = 0
        package var openSessions = 0
        package var p50: Int64?
        package var p99: Int64?
        package var lag: Int64?

        package init(from: Int64) {
            self.from = from
        }
    }

    /// More than so many bytes of a file are not read.
    private static let sizeLimit = 64 << 20

    package var result: RunResult
    /// The run folder as it was named; `nil` when the run has none.
    package var folder: String?
    /// By the tags of `latency.hlog`: `response`, `queue`, ….
    package var histograms: [String: LatencyHistogram] = [:]
    package var moments: [Moment] = []
    package var heatmap: LatencyHeatmap?
    /// `scenario.yaml`: as run, every default written out.
    package var scenario: String?
    /// Files that are not there or cannot be read: the name, and why as the end of a sentence.
    package var absent: [String: String] = [:]

    package init(result: RunResult) {
        self.result = result
    }

    /// Reads a run folder.
    ///
    /// - Throws: ``HarnessError`` with `invalidData` when there is no result; anything else that is missing is told in
    ///   ``absent``.
    package static func read(folder: String) throws -> RunRecords {
        var records = RunRecords(result: try StoredResult.read(folder: folder))
        records.folder = folder
        if let data = records.data(RunFolder.histogramsName) {
            do {
                records.histograms = try HistogramLog.read(data)
            } catch {
                records.absent[RunFolder.histogramsName] = "cannot be read: \(error)"
            }
        }
        if let data = records.data(RunFolder.timeSeriesName) {
            records.moments = moments(String(decoding: data, as: UTF8.self))
            if records.moments.isEmpty { records.absent[RunFolder.timeSeriesName] = "cannot be read" }
        }
        if let data = records.data(RunFolder.heatmapName) {
            records.heatmap = LatencyHeatmap(csv: String(decoding: data, as: UTF8.self))
            if records.heatmap == nil { records.absent[RunFolder.heatmapName] = "cannot be read" }
        }
        records.scenario = records.data(RunFolder.scenarioName).map { String(decoding: $0, as: UTF8.self) }
        return records
    }

    /// The first of the runs with the histograms of all; `nil` without any.
    package static func merged(_ runs: [RunRecords]) -> RunRecords? {
        guard var merged = runs.first else { return nil }
        for run in runs.dropFirst() {
            for (tag, histogram) in run.histograms {
                merged.histograms[tag, default: LatencyHistogram()].add(histogram)
            }
        }
        return merged
    }

    private mutating func data(_ name: String) -> Data? {
        guard let folder else { return nil }
        let path = (folder as NSString).appendingPathComponent(name)
        guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int else {
            absent[name] = "is not in the run folder: an older wsmlab did not write it"
            return nil
        }
        guard size <= Self.sizeLimit, let data = FileManager.default.contents(atPath: path) else {
            absent[name] = size <= Self.sizeLimit ? "cannot be read" : "is larger than \(Self.sizeLimit) bytes"
            return nil
        }
        return data
    }

    /// What a stored time in nanoseconds (13 days), a stored count and a number of lines may be at most, so that no sum of
    /// them overflows, whatever stands in a file.
    static let times: ClosedRange<Int64> = 0...1 << 50
    static let counts: ClosedRange<Int64> = 0...1 << 45
    static let lineLimit = 1 << 17

    /// The lines of `timeseries.csv`; none when one of them is not as it should be.
    private static func moments(_ csv: String) -> [Moment] {
        let lines = csv.split(separator: "\n")
        guard lines.first.map(String.init) == TimeSeries.header, lines.count <= lineLimit else { return [] }
        var moments: [Moment] = []
        for line in lines.dropFirst() {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            guard fields.count >= 8, let from = Int64(fields[0]), let published = Int(fields[1]),
                let received = Int(fields[2]), let lost = Int(fields[3]), let open = Int(fields[4])
            else { return [] }
            var moment = Moment(from: from)
            (moment.published, moment.received, moment.lost, moment.openSessions) = (published, received, lost, open)
            (moment.p50, moment.p99, moment.lag) = (Int64(fields[5]), Int64(fields[6]), Int64(fields[7]))
            guard [published, received, lost, open].allSatisfy({ counts.contains(Int64($0)) }),
                [from, moment.p50, moment.p99, moment.lag].allSatisfy({ $0.map(times.contains) ?? true })
            else { return [] }
            moments.append(moment)
        }
        return moments
    }
}
