import Foundation
import WSMHarness
import WSMScenario

/// Finds the scenario's file of a run, for reports that point at its lines.
enum ScenarioLocation {
    /// The places of the file that the run was started with, if it is still there, or else of the run folder's copy.
    static func places(of result: RunResult, folder: String?) -> ScenarioPlaces? {
        let copy = folder.map { ($0 as NSString).appendingPathComponent("scenario.yaml") }
        for path in [result.scenarioPath, copy].compactMap({ $0 }) {
            guard var places = ScenarioPlaces.read(path: path) else { continue }
            places.file = shown(path)
            return places
        }
        return nil
    }

    /// A path as GitHub matches it with the files of a repository: relative to its checkout, or else to this folder.
    ///
    /// What lies outside of both keeps its whole path.
    static func shown(
        _ path: String, environment: [String: String] = ProcessInfo.processInfo.environment,
        folder: String = FileManager.default.currentDirectoryPath
    ) -> String {
        let whole = URL(fileURLWithPath: path, relativeTo: URL(fileURLWithPath: folder, isDirectory: true))
            .standardizedFileURL.path
        for base in [environment["GITHUB_WORKSPACE"], folder].compactMap({ $0 }) where !base.isEmpty {
            let head = URL(fileURLWithPath: base).standardizedFileURL.path + "/"
            if whole.hasPrefix(head) { return String(whole.dropFirst(head.count)) }
        }
        return whole
    }
}
