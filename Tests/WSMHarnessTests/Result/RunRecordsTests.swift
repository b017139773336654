import Foundation
import Testing

@testable import WSMHarness

@Suite("What a report reads of a run folder")
struct RunRecordsTests {
    private func read(_ files: [String: String]) throws -> RunRecords {
        let path = NSTemporaryDirectory() + "wsmlab-records-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let result = RunResult(
            name: "sample", seed: 1, startedAt: "2026-01-01T00:00:00Z", durationNanoseconds: 1_000_000_000,
            environment: RunEnvironment(version: "0", swift: "6", kernel: "Linux", cores: 2))
        try result.json().write(to: URL(fileURLWithPath: "\(path)/result.json"))
        for (name, text) in files { try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)")) }
        return try RunRecords.read(folder: path)
    }

    @Test("Series and cells are read as they were written")
    func sound() throws {
        let records = try read([
            "timeseries.csv": "\(TimeSeries.header)\n0,1,2,3,4,5,6,7,\n100,1,2,0,4,,,,redis.restart;link.cut\n",
            "heatmap.csv": "\(LatencyHeatmap.header)\n0,4096,3\n",
        ])
        #expect(records.moments.map(\.p99) == [6, nil] && records.moments.map(\.lost) == [3, 0])
        #expect(records.heatmap?.cells == [.init(from: 0, latency: 4096, count: 3)])
    }

    @Test(
        "A number that no run has makes the file unreadable, so that no sum of it can overflow",
        arguments: [
            "0,9223372036854775807,2,3,4,5,6,7,", "0,1,2,-3,4,5,6,7,", "9223372036854775807,1,2,3,4,5,6,7,",
            "0,1,2,3,4,5,6,9223372036854775807,", "0,1,2,3,4,-5,6,7,",
        ])
    func series(line: String) throws {
        let records = try read(["timeseries.csv": "\(TimeSeries.header)\n\(line)\n"])
        #expect(records.moments.isEmpty && records.absent["timeseries.csv"] == "cannot be read")
    }

    @Test(
        "The same of a heatmap's cells",
        arguments: ["0,4096,9223372036854775807", "9223372036854775807,4096,1", "0,9223372036854775807,1", "0,0,-1"])
    func cells(line: String) throws {
        let records = try read(["heatmap.csv": "\(LatencyHeatmap.header)\n\(line)\n"])
        #expect(records.heatmap == nil && records.absent["heatmap.csv"] == "cannot be read")
    }
}
