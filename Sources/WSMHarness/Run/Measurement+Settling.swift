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
        let history = subject.publishers.logs.map { $0.snapshot() }
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
            manager: subject.scenario.cluster.manager, runStart: start,
            measuredFrom: clock?.measuredFrom ?? start)
        let expect = subject.scenario.expect.bounds
        settlement.bounds = LagBounds(isolation: expect.isolation, lag: expect.lag)
        settlement.endOfLoad = endOfLoad
        // Redis confirms a publish before its subscribers have it; in memory the confirmation comes after the fan-out.
        if subject.scenario.cluster.manager == .broadcast || subject.isTarget {
            settlement.inFlight = expect.isolation.nanoseconds
        }
        settlement.spread = subject.scenario.orderSpread
        settlement.outside = subject.outside
        for failure in failures {
            guard let instance = failure.instance else { continue }
            settlement.instanceDowntimes.append(.init(instance: UInt16(instance), from: failure.at, until: nil))
        }
        settlement.shutdown = shutdown
        for probe in subject.probes { probe.recordedEvents.add(to: &settlement) }
        settlement.timeline = clock.map { subject.timelinePlan(from: $0.measuredFrom) }
        addFaults(to: &settlement)
        if let spread = settlement.spread {
            // What was on its way to a server when that went was acknowledged before.
            for index in settlement.brokerOutages.indices {
                settlement.brokerOutages[index].from = settlement.brokerOutages[index].from + spread.scaled(by: -1)
            }
        }
        return settlement
    }

    /// What the cluster promises, from its manager and its policies.
    ///
    /// Nothing is known of a target's policies, so it promises only what any delivery must keep to: that a receipt is what
    /// was published, and belongs to its session.
    var promises: Set<GuaranteeID> {
        if subject.isTarget { return [.integrity, .sessionBounds] }
        let cluster = subject.scenario.cluster
        let wasRetried = counts.contains { $0.riskyRetries > 0 }
        var promise = PromiseContext(
            manager: cluster.manager, instances: cluster.instances, usesQueue: cluster.executor == .threadpool,
            hasProcesses: !subject.plan.processes.isEmpty, publishesInOrder: true, publishRetried: wasRetried,
            threadExitsOnError: cluster.threadOnError == .exit, brokerLoss: cluster.brokerLoss,
            slowClients: cluster.slowClient.policy)
        let policies = cluster.policies
        promise.hasOneOrder = !cluster.hasSeveralOrders
        promise.losesUntold = subject.scenario.losesUntold
        promise.fanOut = policies.fanOut
        promise.comparesClients = comparesClients
        promise.hasSickClients = hasHealthyNeighbours
        promise.boundsLag = subject.scenario.expect.bounds.lag != nil
        promise.hasFaults = showsRecovery
        promise.stopsCleanly =
            !subject.plan.clients.isEmpty && policies.disconnectAll == .complete && policies.queue.drainsOnStop
        return promisedGuarantees(promise)
    }

    /// Whether some message has two clients to compare: of the cluster, or in memory of one instance.
    private var comparesClients: Bool {
        let clients = subject.plan.clients.filter { $0.credential == .valid }
        guard subject.scenario.cluster.manager == .memory else { return clients.count > 1 }
        return Dictionary(grouping: clients, by: \.instance).values.contains { $0.count > 1 }
    }

    /// Whether an instance with a client that is slow, stalled or gone without a word has one that is not.
    private var hasHealthyNeighbours: Bool {
        let sick = sickClients
        let instances = Set(subject.plan.clients.filter { sick.contains(UInt32($0.index)) }.map(\.instance))
        return subject.plan.clients.contains {
            !sick.contains(UInt32($0.index)) && $0.credential == .valid && instances.contains($0.instance)
        }
    }

    /// Clients that are slow by plan, or that a fault stalled.
    private var sickClients: Set<UInt32> {
        let slow = subject.plan.clients.filter { $0.readRate != nil }.map { UInt32($0.index) }
        return Set(slow + loops.flatMap { $0.sickness.spells.map(\.client) })
    }
}
