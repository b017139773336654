package import WSMHarness
package import WSMScenario

/// A run as reports for other programs take it: its result, and where it came from.
package struct ReportedRun: Sendable {
    package var result: RunResult
    /// The run folder, as people would name it.
    package var folder: String?
    /// The lines of the scenario's file; `nil` where the file is gone.
    package var places: ScenarioPlaces?

    package init(_ result: RunResult, folder: String? = nil, places: ScenarioPlaces? = nil) {
        self.result = result
        self.folder = folder
        self.places = places
    }

    /// Names for the runs of one report, no two alike: the scenario's, with a number from the second one of the same on.
    ///
    /// Other programs take the name for the identity of a series.
    static func names(of runs: [ReportedRun]) -> [String] {
        var seen: Set<String> = []
        return runs.map { run in
            let name = PlainText.printable(run.result.name)
            var (unique, number) = (name, 2)
            while !seen.insert(unique).inserted {
                unique = "\(name) #\(number)"
                number += 1
            }
            return unique
        }
    }
}
