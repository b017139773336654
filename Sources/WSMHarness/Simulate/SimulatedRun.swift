internal import WSMClients
internal import WSMCore
internal import WSMInstance
internal import WSMRecord
package import WSMScenario
package import WSMSimulation
internal import WSMVerify

/// Runs a scenario in virtual time and judges it as a live run: the same plan, probes, ledger, checkers and result.
package enum SimulatedRun {
    /// Simulates `scenario` and writes its run folder, which has no trace: the seed gives all of it again.
    ///
    /// `progress` and `interruption` as in ``ScenarioRun``. Throws a ``HarnessError`` that names the keys of what is not
    /// modelled, or when the folder cannot be written. It blocks the calling thread.
    ///
    /// With a calibration it predicts what that machine would show: its costs, and cores that all parts share.
    package static func run(
        scenario: Scenario, options: RunOptions, calibration: NamedCalibration? = nil,
        progress: (RunProgress) -> Void, interruption: Interruption
    ) throws -> RunOutcome {
        try check(scenario)
        let folder = try RunFolder.make(options.folder, name: scenario.name)
        let startedAt = RunFolder.timestamp()
        let measurement = try simulate(
            scenario, calibration: calibration?.calibration, progress: progress, interruption: interruption)
        let settlement = try measurement.settle()
        var result = measurement.result(settlement, scenario: scenario, startedAt: startedAt, bounds: options.bounds)
        result.simulation = calibration.map { SimulationFigures($0, measurement, result, of: scenario) }
        try folder.write(result, scenario: scenario)
        try folder.write(measurement.histogramLog(settlement), as: RunFolder.histogramsName)
        try folder.write(measurement.timeSeries(settlement), as: RunFolder.timeSeriesName)
        return RunOutcome(result: result, folder: folder.path)
    }

    /// What a scenario gives; nothing is written.
    ///
    /// The scenario is checked. It blocks the calling thread. `sabotage` is the defect that a test has planted.
    package static func judged(
        _ scenario: Scenario, sabotage: Sabotage? = nil, interruption: Interruption
    ) throws -> JudgedRun {
        let startedAt = RunFolder.timestamp()
        let measurement = try simulate(
            scenario, sabotage: sabotage, progress: { _ in }, interruption: interruption)
        let settlement = try measurement.settle()
        let result = measurement.result(settlement, scenario: scenario, startedAt: startedAt, bounds: .standard)
        return JudgedRun(
            result: result, trail: measurement.hashTrail, stopsWithQueue: measurement.stopsWithQueue)
    }

    /// What a scenario would show on the calibrated machine; nothing is written.
    static func predicted(
        _ scenario: Scenario, calibration: MachineCalibration, file: String = "",
        interruption: Interruption = Interruption()
    ) throws -> RunResult {
        try check(scenario)
        let startedAt = RunFolder.timestamp()
        let measurement = try simulate(
            scenario, calibration: calibration, progress: { _ in }, interruption: interruption)
        let settlement = try measurement.settle()
        var result = measurement.result(settlement, scenario: scenario, startedAt: startedAt, bounds: .standard)
        result.simulation = SimulationFigures(
            NamedCalibration(file: file, calibration: calibration), measurement, result, of: scenario)
        return result
    }

    /// What the parts of a scenario do a second on the calibrated machine.
    static func drivers(_ scenario: Scenario, calibration: MachineCalibration) throws -> CalibrationDrivers? {
        let measurement = try simulate(
            scenario, calibration: calibration, progress: { _ in }, interruption: Interruption())
        let seconds = scenario.duration.seconds
        guard let use = measurement.simulatedUse, seconds > 0 else { return nil }
        return CalibrationDrivers(
            turns: Double(use.turns) / seconds, writes: Double(use.writes) / seconds,
            clientTurns: Double(use.clientTurns) / seconds, reads: Double(use.reads) / seconds,
            furtherMessages: Double(use.furtherMessages) / seconds,
            publishersWaking: use.publishersWaking.seconds / seconds,
            instancesWaking: use.instancesWaking.seconds / seconds, redisWaking: use.redisWaking.seconds / seconds,
            clientsWaking: use.clientsWaking.seconds / seconds,
            publishersCold: use.publishersCold.doublings / seconds,
            timedWaits: Double(use.timedWaits) / seconds,
            instancesCold: use.instancesCold.doublings / seconds,
            redisCold: use.redisCold.doublings / seconds,
            clientsCold: use.clientsCold.doublings / seconds,
            writesCold: use.writesCold.doublings / seconds,
            readsCold: use.readsCold.doublings / seconds)
    }

    /// Whether everything in the scenario has a model.
    package static func isModelled(_ scenario: Scenario) -> Bool { Unmodelled.of(scenario).isEmpty }

    /// Throws a ``HarnessError`` that names the keys of what is not modelled.
    static func check(_ scenario: Scenario) throws {
        let unmodelled = Unmodelled.of(scenario)
        guard !unmodelled.isEmpty else { return }
        let keys = unmodelled.map { "\($0.key): \($0.reason)" }.joined(separator: "; ")
        throw HarnessError(.invalidData, "this scenario cannot be simulated: \(keys)")
    }

    /// Throws a ``HarnessError`` where the simulation finds that it has miscounted itself.
    static func simulate(
        _ scenario: Scenario, calibration: MachineCalibration? = nil, sabotage: Sabotage? = nil,
        progress: (RunProgress) -> Void, interruption: Interruption
    ) throws -> Measurement {
        let plan = LoadPlan(scenario)
        let cluster = scenario.cluster
        let run = UInt32(truncatingIfNeeded: scenario.seed) | 1
        let numbers = PublisherNumbers(scenario, plan: plan)
        let publishers = PublisherTable(numbers, plan: plan, instances: cluster.instances)
        // One thread simulates them all, and nobody looks up when a message was written.
        let stages = StageRecorder()
        let probes = (0..<numbers.instances).map {
            RunProbe(
                run: run, instance: $0, publishers: publishers, brokerLoss: cluster.brokerLoss,
                marksByClose: cluster.gapMark == .close, stages: stages, written: nil)
        }
        let subject = RunSubject(
            scenario: scenario, plan: plan, publishers: publishers, probes: probes, instanceCount: cluster.instances,
            outside: cluster.executor == .worker ? UInt16(cluster.instances) : nil)
        let observer = ObserverMaker(scenario, run: run, numbers: numbers, trace: nil).make(0)
        var parts = Simulation.Parts(probes: probes, observer: observer, timeline: subject.timelinePlan)
        if let calibration { parts.costs = calibration.simulatedCosts }
        parts.sabotage = sabotage
        let outcome = withoutActuallyEscaping(progress) { progress in
            Simulation(
                scenario, plan: plan, parts: parts,
                progress: { progress(RunProgress($0, planned: plan.clients.count)) },
                isInterrupted: { interruption.isRequested }
            ).run()
        }
        let measurement = Measurement(subject, outcome)
        if let imbalance = outcome.imbalances.first { throw LittlesLaw.fault(imbalance, seed: scenario.seed) }
        return measurement
    }
}

/// What a simulated scenario gave, and what only a simulation knows.
package struct JudgedRun: Sendable {
    package let result: RunResult
    /// The way of its hash.
    package let trail: HashTrail
    /// Stops in order that met a queue that was not empty.
    package let stopsWithQueue: Int

    package init(result: RunResult, trail: HashTrail = HashTrail(), stopsWithQueue: Int = 0) {
        self.result = result
        self.trail = trail
        self.stopsWithQueue = stopsWithQueue
    }
}

/// What a simulation says that has miscounted what passed through one of its queues.
enum LittlesLaw {
    static func fault(_ imbalance: String, seed: UInt64) -> HarnessError {
        HarnessError(
            .internalFault,
            "the simulation of seed \(seed) has miscounted, so that nothing in it can be trusted (Little's law): \(imbalance)"
        )
    }
}

extension RunProgress {
    fileprivate init(_ simulated: SimulationProgress, planned: Int) {
        let phase: Phase =
            switch simulated.phase {
            case .connecting: .connecting
            case .warmup: .warmup
            case .measuring: .measuring
            case .draining: .draining
            case .closing: .closing
            }
        self.init(
            phase: phase, elapsed: simulated.elapsed, total: simulated.total,
            clientsConnected: simulated.clientsConnected, clientsPlanned: planned, received: Int(simulated.received))
    }
}

extension Measurement {
    /// What a simulation knows, as a measurement.
    init(_ subject: RunSubject, _ outcome: SimulationOutcome) {
        self.init(subject)
        isSimulated = true
        traceHash = String(outcome.traceHash, radix: 16)
        hashTrail = outcome.trail
        stopsWithQueue = outcome.stopsWithQueue
        simulatedUse = outcome.use
        clock = LoadClock(
            start: outcome.start, warmup: subject.scenario.warmup, duration: subject.scenario.duration)
        interrupted = outcome.interrupted
        if outcome.unconnected > 0 {
            connectFailure = "\(outcome.unconnected) of \(subject.plan.clients.count) clients did not connect"
        }
        unfencedAtEnd = outcome.unfencedAtEnd
        endOfLoad = outcome.endOfLoad
        isRedisGone = outcome.isRedisGone
        shutdown = outcome.shutdown
        calibration = .skipped("virtual time has no load generator")
        faults = outcome.faults.map { fault in
            var record = FaultRecord(planned: fault.planned, dueAt: fault.dueAt, at: fault.at, healedAt: fault.healedAt)
            record.hit = FaultHit(
                connections: fault.connections, clients: fault.clients, instances: fault.instances)
            record.failure = fault.failure
            return record
        }
        states = outcome.instances.map { instance in
            InstanceState(
                isUp: instance.isUp,
                broadcastThread: instance.threadEnd.map { $0 == .dead ? .dead : .stopped }, backlog: 0)
        }
        counts = outcome.instances.map(\.counts)
        stopReports = outcome.instances.map {
            var report = LiveInstance.StopReport()
            report.clientsCut = $0.stopReport.clientsCut
            report.updatesLeft = $0.stopReport.updatesLeft
            return report
        }
        fleet.reconnects = outcome.fleet.reconnects
        loops = [outcome.loop]
        load.scheduleSlip = outcome.scheduleSlip
        load.refusals.starts = outcome.refusedStarts
    }
}
