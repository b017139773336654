internal import WSMClients
internal import WSMCore
internal import WSMInstance
internal import WSMManagers
internal import WSMRecord
internal import WSMScenario
internal import WSMVerify

extension Measurement {
    /// The run's result, judged.
    func result(
        _ settlement: Settlement, scenario: Scenario, startedAt: String, bounds: ValidityBounds
    ) -> RunResult {
        let stages = stages(settlement)
        var result = RunResult(
            name: scenario.name, seed: scenario.seed, startedAt: startedAt,
            durationNanoseconds: measuredSpan.nanoseconds, interrupted: interrupted,
            environment: .current(redis: redisState?.version))
        result.setup = setup(scenario)
        result.delivery = DeliveryCounts(settlement.delivery, over: measuredSpan)
        result.latency = stages.latency.summary
        result.latencyFromActualSend = stages.latencyFromActualSend.summary
        result.latencySlowReaders = stages.slowReaderLatency.summary
        result.scheduleSlip = load.scheduleSlip.summary
        result.fanOutSkew = settlement.fanOutSkew.summary
        result.stages = summaries(stages)
        result.timing.negativeLatencies = Int(stages.latency.negativeCount)
        result.clients = clientCounts(settlement)
        result.guarantees = guarantees(settlement, expect: scenario.expect)
        result.instances = (0..<subject.instanceCount).map { index in
            var instance = instanceResult(index)
            instance.latency = settlement.latencies[index]?.summary
            return instance
        }
        result.target = target
        result.faults = faultResults(settlement)
        result.neighbours = neighbours
        if let samples {
            result.resources = Resources(
                from: samples.before, to: samples.after, deliveries: result.delivery.received,
                redis: redisState.map { (redisBefore, $0) })
            result.resources.addLoad(load.cpu, deliveries: result.delivery.received)
        }
        result.trace = trace.map { TraceFigures($0) }
        result.traceHash = traceHash
        result.calibration = calibration.value
        if !isSimulated { result.generator = generatorFigures }
        if let samples, let busy = generatorFigures.cpu?.machineBusy {
            result.generator?.cpu?.otherPrograms = samples.after.otherPrograms(
                since: samples.before, used: result.resources, machineBusy: busy, cores: result.environment.cores)
        }
        result.validity = validity(latency: stages.latency, bounds: bounds)
        result.thresholds = scenario.expect.thresholds.map { threshold in
            let actual = MetricLookup.value(at: threshold.path, in: result)
            return ThresholdResult(
                expression: threshold.expression, actual: actual, passed: threshold.evaluate(actual))
        }
        result.judge()
        return result
    }

    /// The stages of the whole way: those of the clients, and those inside of the instances.
    func stages(_ settlement: Settlement) -> StageHistograms {
        var stages = settlement.stages
        for recorder in subject.stageRecorders { stages.add(recorder.stages) }
        return stages
    }

    private func setup(_ scenario: Scenario) -> RunSetup {
        if case .target(let target) = scenario.system {
            return RunSetup(
                manager: "target", profile: "", instances: target.clients.count, placement: "",
                transport: scenario.clients.transport.rawValue, warmupNanoseconds: scenario.warmup.nanoseconds)
        }
        let cluster = scenario.cluster
        return RunSetup(
            manager: cluster.manager.rawValue, profile: cluster.profile.rawValue, instances: cluster.instances,
            placement: isSimulated ? "simulated" : cluster.placement.rawValue,
            transport: scenario.clients.transport.rawValue, warmupNanoseconds: scenario.warmup.nanoseconds)
    }

    private func summaries(_ stages: StageHistograms) -> StageLatencies {
        var summaries = StageLatencies()
        summaries.worker = stages.worker.summary
        summaries.queue = stages.queue.summary
        summaries.publish = stages.publish.summary
        summaries.broker = stages.broker.summary
        summaries.write = stages.write.summary
        summaries.wire = stages.wire.summary
        return summaries
    }

    private func clientCounts(_ settlement: Settlement) -> ClientCounts {
        let planned = subject.plan.clients.count
        let connected = Set(loops.flatMap { $0.sessions.map(\.client) }).count
        var counts = ClientCounts(planned: planned, connected: connected, reconnects: fleet.reconnects)
        if subject.scenario.cluster.auth == .token { counts.refused = RefusedClients(fleet.refusals) }
        counts.failed = planned - connected - (counts.refused.map { $0.total + $0.admitted } ?? 0)
        return counts
    }

    /// Each guarantee with its promise and the scenario's own expectation, where it has one.
    private func guarantees(_ settlement: Settlement, expect: ExpectSpec) -> [GuaranteeResult] {
        let promised = promises
        return settlement.guarantees.map { outcome in
            GuaranteeResult(
                outcome, promised: promised.contains(outcome.id), expected: expectation(of: outcome.id, expect))
        }
    }

    private func instanceResult(_ index: Int) -> InstanceResult {
        let counters = counts.indices.contains(index) ? counts[index] : InstanceCounts()
        let events = subject.probes[index].recordedEvents
        var result = InstanceResult(index: index)
        result.connections = counters.connections
        result.broadcastsPublished = counters.published
        result.broadcastsFailed = counters.failed
        result.brokerMessages = counters.brokerMessages
        result.queueRefused = counters.queueRefused
        result.evicted = counters.evicted
        result.poolExhausted = events.poolExhausted
        result.fanOutsAborted = events.fanOutsAborted
        result.brokerLosses = events.brokerLosses
        result.leftOutForSlowClients = events.leftOut
        result.skippedAtShutdown = events.skippedAtShutdown
        result.broadcastThread =
            (states.indices.contains(index) ? states[index].broadcastThread : nil)?.rawValue ?? "running"
        result.skippedWhileDown = counters.skippedWhileDown
        if states.indices.contains(index), !states[index].isUp { result.broadcastThread = "down" }
        result.clientsCut = stopReports.indices.contains(index) ? stopReports[index].clientsCut : 0
        result.leftInQueue = stopReports.indices.contains(index) ? stopReports[index].updatesLeft : 0
        return result
    }
}
