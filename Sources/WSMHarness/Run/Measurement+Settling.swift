internal import WSMClients
internal import WSMCore
internal import WSMInstance
internal import WSMManagers
internal import WSMRecord
internal import WSMScenario
internal import WSMVerify

extension Measurement {
    /// Holds what was published against what was received.
    ///
    /// - Throws: ``HarnessError`` when the books do not balance, which is a fault of ours.
    func settle() throws -> Settlement {
        let history = context.publishers.logs.map { $0.snapshot() }
        do {
            return try WSMVerify.settle(
                loops: loops, history: history, context: frozenContext ?? makeSettlementContext())
        } catch {
            throw HarnessError(.internalFault, "the run's records contradict each other: \(error)", cause: error)
        }
    }

    func makeSettlementContext() -> SettlementContext {
        let start = clock?.start ?? .now()
        var settlement = SettlementContext(
            manager: context.scenario.cluster.manager, runStart: start,
            measuredFrom: clock?.measuredFrom ?? start)
        let expect = context.scenario.expect.bounds
        settlement.bounds = LagBounds(isolation: expect.isolation, lag: expect.lag)
        settlement.endOfLoad = endOfLoad
        settlement.shutdown = shutdown
        for probe in context.probes {
            let instance = UInt16(probe.instance)
            let events = probe.recordedEvents
            settlement.evictions += events.evictions.map { .init(client: $0.client, instance: instance, at: $0.at) }
            settlement.brokerOutages += outages(events, of: instance)
            if let end = events.threadEnd, end.end == .died {
                settlement.threadDeaths.append(.init(instance: instance, at: end.at))
            }
        }
        return settlement
    }

    /// From each loss of the broker to the next time that the instance was subscribed again.
    private func outages(_ events: RunProbe.Events, of instance: UInt16) -> [SettlementContext.InstanceWindow] {
        var windows: [SettlementContext.InstanceWindow] = []
        var from: MonotonicInstant?
        let changes =
            events.brokerLosses.map { (at: $0, isLoss: true) } + events.resubscriptions.map { (at: $0, isLoss: false) }
        for change in changes.sorted(by: { $0.at < $1.at }) {
            if change.isLoss {
                from = from ?? change.at
            } else if let begin = from {
                windows.append(.init(instance: instance, from: begin, until: change.at))
                from = nil
            }
        }
        if let from { windows.append(.init(instance: instance, from: from, until: nil)) }
        return windows
    }

    /// What the cluster promises, from its manager and its policies.
    var promises: Set<GuaranteeID> {
        let cluster = context.scenario.cluster
        let wasRetried = context.cluster.instances.contains { $0.manager.counters.riskyRetries > 0 }
        var promise = PromiseContext(
            manager: cluster.manager, instances: cluster.instances, usesQueue: cluster.executor == .threadpool,
            hasProcesses: !context.plan.processes.isEmpty, publishesInOrder: true, publishRetried: wasRetried,
            threadExitsOnError: cluster.threadOnError == .exit, brokerLoss: cluster.brokerLoss,
            slowClients: cluster.slowClient.policy)
        let policies = cluster.policies
        promise.fanOut = policies.fanOut
        promise.comparesClients = comparesClients
        promise.hasSickClients = context.plan.clients.contains { $0.readRate != nil } && hasHealthyNeighbours
        promise.boundsLag = context.scenario.expect.bounds.lag != nil
        promise.hasFaults = !context.scenario.faults.isEmpty
        promise.stopsCleanly =
            !context.plan.clients.isEmpty && policies.disconnectAll == .complete && policies.queue.drainsOnStop
        return promisedGuarantees(promise)
    }

    /// Whether some message has two clients to compare: of the cluster, or in memory of one instance.
    private var comparesClients: Bool {
        let clients = context.plan.clients
        guard context.scenario.cluster.manager == .memory else { return clients.count > 1 }
        return Dictionary(grouping: clients, by: \.instance).values.contains { $0.count > 1 }
    }

    /// Whether an instance with a slow client has one that is not.
    private var hasHealthyNeighbours: Bool {
        let slow = Set(context.plan.clients.filter { $0.readRate != nil }.map(\.instance))
        return context.plan.clients.contains { $0.readRate == nil && slow.contains($0.instance) }
    }
}
