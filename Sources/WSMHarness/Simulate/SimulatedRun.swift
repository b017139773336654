internal import WSMClients
internal import WSMCore
internal import WSMInstance
internal import WSMRecord
package import WSMScenario
internal import WSMSimulation
internal import WSMVerify

/// Runs a scenario in virtual time and judges it as a live run: the same plan, probes, ledger, checkers and result.
package enum SimulatedRun {
    /// Simulates `scenario` and writes its run folder, which has no trace: the seed gives all of it again.
    ///
    /// `progress` and `interruption` as in ``ScenarioRun``. Throws a ``HarnessError`` that names the keys of what is not
    /// modelled, or when the folder cannot be written. It blocks the calling thread.
    package static func run(
        scenario: Scenario, options: RunOptions, progress: (RunProgress) -> Void, interruption: Interruption
    ) throws -> RunOutcome {
        try check(scenario)
        let folder = try RunFolder.make(options.folder, name: scenario.name)
        let startedAt = RunFolder.timestamp()
        let measurement = simulate(scenario, progress: progress, interruption: interruption)
        let settlement = try measurement.settle()
        let result = measurement.result(settlement, scenario: scenario, startedAt: startedAt, bounds: options.bounds)
        try folder.write(result, scenario: scenario)
        try folder.write(measurement.histogramLog(settlement), as: RunFolder.histogramsName)
        try folder.write(measurement.timeSeries(settlement), as: RunFolder.timeSeriesName)
        return RunOutcome(result: result, folder: folder.path)
    }

    /// What a scenario gives, and the way of its hash; nothing is written.
    ///
    /// The scenario is checked. It blocks the calling thread.
    static func judged(_ scenario: Scenario, interruption: Interruption) throws -> (RunResult, HashTrail) {
        let startedAt = RunFolder.timestamp()
        let measurement = simulate(scenario, progress: { _ in }, interruption: interruption)
        let settlement = try measurement.settle()
        let result = measurement.result(settlement, scenario: scenario, startedAt: startedAt, bounds: .standard)
        return (result, measurement.hashTrail)
    }

    /// Throws a ``HarnessError`` that names the keys of what is not modelled.
    static func check(_ scenario: Scenario) throws {
        let unmodelled = Unmodelled.of(scenario)
        guard !unmodelled.isEmpty else { return }
        let keys = unmodelled.map { "\($0.key): \($0.reason)" }.joined(separator: "; ")
        throw HarnessError(.invalidData, "this scenario cannot be simulated: \(keys)")
    }

    static func simulate(
        _ scenario: Scenario, progress: (RunProgress) -> Void, interruption: Interruption
    ) -> Measurement {
        let plan = LoadPlan(scenario)
        let cluster = scenario.cluster
        let run = UInt32(truncatingIfNeeded: scenario.seed) | 1
        let numbers = PublisherNumbers(scenario, plan: plan)
        let publishers = PublisherTable(numbers, plan: plan, instances: cluster.instances)
        // One thread simulates them all, and nobody looks up when a message was written.
        let stages = StageRecorder()
        let probes = (0..<numbers.instances).map {
            RunProbe(
                run: run, instance: $0, publishers: publishers, brokerLoss: cluster.brokerLoss, stages: stages,
                written: nil)
        }
        let subject = RunSubject(
            scenario: scenario, plan: plan, publishers: publishers, probes: probes, instanceCount: cluster.instances,
            outside: cluster.executor == .worker ? UInt16(cluster.instances) : nil)
        let observer = ObserverMaker(scenario, run: run, numbers: numbers, trace: nil).make(0)
        let parts = Simulation.Parts(probes: probes, observer: observer, timeline: subject.timelinePlan)
        let outcome = withoutActuallyEscaping(progress) { progress in
            Simulation(
                scenario, plan: plan, parts: parts,
                progress: { progress(RunProgress($0, planned: plan.clients.count)) },
                isInterrupted: { interruption.isRequested }
            ).run()
        }
        return Measurement(subject, outcome)
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
        scheduleSlip = outcome.scheduleSlip
        refusals.starts = outcome.refusedStarts
    }
}
