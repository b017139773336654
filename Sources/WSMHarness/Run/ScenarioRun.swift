internal import WSMClients
internal import WSMCore
package import WSMInstance
internal import WSMRedis
package import WSMScenario

/// What a run is told beside its scenario.
package struct RunOptions: Sendable {
    /// Where the run folder goes; `nil`: `Results/runs/<name>-<time>`.
    package var folder: String?
    /// The scenario's file, which the result remembers.
    package var scenarioPath: String?
    /// The local port that the clients of an instance connect to, given the instance's index and its own port.
    ///
    /// For whoever puts something between the clients and the instances; called once an instance, which is up by then.
    package var clientPort: @Sendable (_ instance: Int, _ port: Int) -> Int = { $1 }
    /// What takes the place of the probe of an instance in this process, given that.
    ///
    /// For whoever plants something on the way of a message; called once for each life of an instance.
    package var instanceProbe: @Sendable (any InstanceProbe) -> any InstanceProbe = { $0 }
    /// The program that the processes of a run are started from; this very program by default.
    package var childProgram = "/proc/self/exe"
    /// From where on the load generator is doubted.
    package var bounds: ValidityBounds

    package init(folder: String? = nil, scenarioPath: String? = nil, bounds: ValidityBounds = .standard) {
        self.folder = folder
        self.scenarioPath = scenarioPath
        self.bounds = bounds
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

/// Runs a scenario against live instances, or against a target.
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
        let folder = try RunFolder.make(options.folder, name: scenario.name)
        let startedAt = RunFolder.timestamp()
        progress(RunProgress(name: scenario.name, phase: .starting))
        var measurement: Measurement
        do {
            try checkFileLimit(scenario)
            let context = try await RunContext.start(scenario, options: options, folder: folder.path) {
                run, publishers in
                let document = TraceRun(
                    scenario: scenario, startedAt: startedAt, run: run, publishers: publishers)
                return try RunTrace(path: folder.tracePath, document: document)
            }
            do {
                let driver = RunDriver(context: context, interruption: interruption, progress: progress)
                measurement = try await driver.drive()
            } catch {
                await context.shutDown()
                _ = try? await context.trace?.finish(nil)
                throw error
            }
            await context.shutDown()
            try await measurement.finishTrace(context.trace)
        } catch {
            folder.removeUnfinished()
            throw environmentError(error)
        }
        let settlement = try measurement.settle()
        var result = measurement.result(
            settlement, scenario: scenario, startedAt: startedAt, bounds: options.bounds)
        result.scenarioPath = options.scenarioPath
        try folder.write(result, scenario: scenario)
        try folder.write(measurement.histogramLog(settlement), as: RunFolder.histogramsName)
        try folder.write(measurement.timeSeries(settlement), as: RunFolder.timeSeriesName)
        try folder.write(Array(measurement.heatmap.csv.utf8), as: RunFolder.heatmapName)
        return RunOutcome(result: result, folder: folder.path)
    }

    /// Each client holds a descriptor at both of its ends, if it has a socket, and another for its own subscription at Redis.
    ///
    /// Of a target's only this end is here.
    static func checkFileLimit(_ scenario: Scenario) throws {
        if case .target = scenario.system {
            _ = try FileLimit.check(needed: scenario.clients.count)
            return
        }
        // The processes of clients look at their own limit.
        if scenario.cluster.placement == .processes { return }
        let cluster = scenario.cluster
        let ownSubscription = cluster.manager == .broadcast && cluster.subscription == .perClient
        let sockets = scenario.clients.transport == .websocket ? 2 : 0
        var clients = scenario.clients.count
        // A pool that is used up takes no more connections.
        if sockets == 0, let pool = cluster.redisPool { clients = min(clients, pool * cluster.instances) }
        _ = try FileLimit.check(needed: clients, descriptorsPerClient: sockets + (ownSubscription ? 1 : 0))
    }

    /// An error of a part as one of the run.
    static func environmentError(_ error: any Error) -> any Error {
        switch error {
        case let error as RedisError: HarnessError(.redisUnavailable, error.message)
        case let error as RedisURLError: HarnessError(.redisUnavailable, "\(error)")
        case let error as InstanceError where error.code == .certificateUnusable:
            HarnessError(.certificateUnusable, error.message)
        case let error as InstanceError: HarnessError(.portUnavailable, error.message)
        case let error as FileLimitError: HarnessError(.tooFewFileDescriptors, "\(error)")
        default: error
        }
    }
}
