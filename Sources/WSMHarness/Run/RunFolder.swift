internal import Foundation
internal import WSMScenario

/// The folder that a run leaves behind.
struct RunFolder: Sendable {
    let path: String

    private static let results = "Results"

    /// Makes the folder; without a path `Results/runs/<name>-<time>`.
    static func make(_ path: String?, name: String) throws -> RunFolder {
        let base = path ?? "\(results)/runs/\(fileName(name))-\(timestamp().filter { $0 != ":" && $0 != "-" })"
        var folder = base
        var attempt = 2
        // Two runs within one second: the second gets a number. A folder that was asked for by name is used as it is.
        while path == nil, FileManager.default.fileExists(atPath: folder) {
            folder = "\(base)-\(attempt)"
            attempt += 1
        }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw HarnessError(
                .outputNotWritable, "cannot make the run folder \(folder): choose another with --out", cause: error)
        }
        return RunFolder(path: folder)
    }

    /// A name as a part of a path.
    static func fileName(_ name: String) -> String {
        String(name.map { $0.isLetter || $0.isNumber || "-_.=".contains($0) ? $0 : "-" })
    }

    /// The wall clock, ISO 8601 in UTC.
    static func timestamp() -> String { Date().formatted(.iso8601) }

    func write(_ result: RunResult, scenario: Scenario) throws {
        do {
            try result.json().write(to: URL(fileURLWithPath: "\(path)/\(Self.resultName)"), options: .atomic)
            try Data(scenario.yaml().utf8).write(to: URL(fileURLWithPath: "\(path)/scenario.yaml"), options: .atomic)
        } catch {
            throw HarnessError(.outputNotWritable, "cannot write into the run folder \(path)", cause: error)
        }
        linkLatest()
    }

    var tracePath: String { "\(path)/\(Self.traceName)" }

    /// The names of the files in every run folder.
    static let traceName = "trace.zst"
    static let resultName = "result.json"
    static let histogramsName = "latency.hlog"
    static let timeSeriesName = "timeseries.csv"
    static let heatmapName = "heatmap.csv"
    static let scenarioName = "scenario.yaml"

    func write(_ bytes: [UInt8], as name: String) throws {
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"), options: .atomic)
        } catch {
            throw HarnessError(.outputNotWritable, "cannot write into the run folder \(path)", cause: error)
        }
    }

    /// Takes the trace, and a folder with nothing else, away again when the run came to nothing.
    func removeUnfinished() {
        try? FileManager.default.removeItem(atPath: tracePath)
        if (try? FileManager.default.contentsOfDirectory(atPath: path).isEmpty) == true {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    /// Points `Results/latest` at a folder under `Results/runs`.
    func linkLatest() {
        guard path.hasPrefix("\(Self.results)/") else { return }
        let link = "\(Self.results)/latest"
        try? FileManager.default.removeItem(atPath: link)
        try? FileManager.default.createSymbolicLink(
            atPath: link, withDestinationPath: String(path.dropFirst(Self.results.count + 1)))
    }
}
