package import WSMScenario

/// What a run is told beside its scenario.
package struct RunOptions: Sendable {
    /// Where the run folder goes; `nil`: `Results/runs/<name>-<time>`.
    package var folder: String?
    /// The Redis to use in place of the scenario's; `nil`: as the scenario says.
    package var redisURL: String?

    package init(folder: String? = nil, redisURL: String? = nil) {
        self.folder = folder
        self.redisURL = redisURL
    }
}

/// What a run leaves behind.
package struct RunOutcome: Sendable {
    package var result: RunResult
    /// The run folder's path.
    package var folder: String

    package init(result: RunResult, folder: String) {
        self.result = result
        self.folder = folder
    }
}

/// Runs a scenario against live instances.
package enum ScenarioRun {
    /// Runs `scenario` from the first client to the written run folder.
    ///
    /// `progress` is called often, from any thread. A request on `interruption` ends the load, drains, and still returns a
    /// result, marked `interrupted`. Throws a ``HarnessError`` when the run cannot take place or its folder cannot be
    /// written.
    package static func run(
        scenario: Scenario, options: RunOptions, progress: @escaping @Sendable (RunProgress) -> Void,
        interruption: Interruption
    ) async throws -> RunOutcome {
        throw HarnessError(.notSupported, "running a scenario is not supported yet")
    }
}
