internal import WSMCore
internal import WSMScenario
internal import WSMVerify

extension Measurement {
    /// The end of the measured window, also where the run was interrupted.
    private var endOfMeasuring: MonotonicInstant {
        guard interrupted, let samples else { return clock?.end ?? .now() }
        return samples.after.at
    }

    /// Tells the settlement what was done to the system.
    func addFaults(to settlement: inout SettlementContext) {
        guard !faults.isEmpty else { return }
        settlement.faults = faults.map { .init(at: $0.at, healedAt: $0.healedAt) }
        for fault in faults where fault.planned.action.cutsOffRedis {
            guard let at = fault.at else { continue }
            settlement.brokerOutages.append(.init(instance: nil, from: at, until: fault.healedAt))
        }
        for fault in faults where fault.planned.action == .linkCut && fault.planned.spec.between == .redis {
            guard let at = fault.at else { continue }
            // A connection that was cut is dead until its reset comes, and what is written to it meanwhile is gone.
            let isReset = fault.planned.spec.afterwards == .reset
            let until = fault.healedAt.map { isReset ? $0 + FaultSpec.burial : $0 }
            for target in fault.planned.targets(of: subject.scenario.instanceCount) {
                settlement.brokerOutages.append(.init(instance: UInt16(target), from: at, until: until))
            }
        }
        settlement.recovery = recovery
    }

    /// When the last fault was healed; `nil` while one is not, or without any.
    private var recovery: SettlementContext.Recovery? {
        let injected = faults.filter { $0.at != nil }
        let healed = injected.compactMap(\.healedAt)
        guard let last = healed.max(), healed.count == injected.count else { return nil }
        return .init(healedAt: last, bound: subject.scenario.expect.bounds.recovery)
    }

    /// Whether the run went on for long enough to see whether all recovered.
    var showsRecovery: Bool {
        guard let recovery else { return false }
        return recovery.healedAt + recovery.bound < endOfMeasuring
    }

    /// Each fault as the result has it.
    func faultResults(_ settlement: Settlement) -> [FaultResult] {
        let start = clock?.measuredFrom ?? .now()
        return faults.enumerated().map { index, fault in
            let planned = fault.planned
            var result = FaultResult(
                action: planned.action.rawValue, at: ((fault.at ?? fault.dueAt) - start).nanoseconds,
                healedAt: fault.healedAt.map { ($0 - start).nanoseconds })
            result.plannedAt = planned.at.nanoseconds
            result.target = planned.spec.target
            result.lateNanoseconds = fault.lateness?.nanoseconds
            result.failure = fault.failure
            result.hit.connections = fault.hit.connections
            result.hit.clients = fault.hit.clients
            result.hit.instances = fault.hit.instances
            if settlement.faults.indices.contains(index) { result.take(settlement.faults[index]) }
            result.bystanders = bystanders(of: index)
            return result
        }
    }

    /// What clients of other instances felt, from the fault's begin to a second after its healing or to the next fault, and
    /// as long before it; `nil` where the fault leaves no instance alone.
    private func bystanders(of index: Int) -> FaultResult.Bystanders? {
        let fault = faults[index]
        guard let at = fault.at, let start = clock?.measuredFrom, fault.planned.action.breaksInstances,
            let target = fault.planned.spec.target
        else { return nil }
        let others = subject.plan.clients.count { $0.instance != target }
        guard others > 0 else { return nil }
        let next = faults.compactMap(\.at).filter { $0 > at }.min() ?? endOfMeasuring
        let end = min((fault.healedAt ?? endOfMeasuring) + .seconds(1), next, endOfMeasuring)
        let length = end - at
        // What an earlier fault did is not how it was before this one.
        let calm = faults.filter { $0.at.map { $0 < at } ?? false }.compactMap(\.healedAt).map { $0 + .seconds(1) }
            .max()
        let before = latencies(from: max(start, calm ?? start, at + length.scaled(by: -1)), to: at) { $0 != target }
        let during = latencies(from: at, to: end) { $0 != target }
        return FaultResult.Bystanders(
            clients: others, receivedBefore: Int(before.total), receivedDuring: Int(during.total),
            p50Before: before.percentile(50)?.nanoseconds, p99Before: before.percentile(99)?.nanoseconds,
            p50During: during.percentile(50)?.nanoseconds, p99During: during.percentile(99)?.nanoseconds)
    }

    /// The latencies of receipts in the buckets that lie in a window.
    private func latencies(
        from: MonotonicInstant, to: MonotonicInstant, of instances: (Int) -> Bool
    ) -> LatencyBuckets {
        var sum = LatencyBuckets()
        for timeline in loops.compactMap(\.timeline) {
            let width = timeline.plan.width.nanoseconds
            let first = max(0, (from - timeline.plan.from).nanoseconds / width)
            let last = max(first, (to - timeline.plan.from).nanoseconds / width)
            sum.add(timeline.latencies(in: Int(first)..<Int(last), includes: instances))
        }
        return sum
    }

    /// What did not go as the scenario says: the run then shows nothing of it.
    var faultFailures: [String] {
        let start = clock?.measuredFrom ?? .now()
        let died = redisDied ? ["the private redis-server ended, and no fault of the scenario ended it"] : []
        return died
            + faults.compactMap { fault in
                let what =
                    "\(fault.planned.action.rawValue), planned at \(Double((fault.dueAt - start).nanoseconds) / 1e9) s,"
                if let failure = fault.failure { return "\(what) \(failure)" }
                return fault.at == nil && !interrupted ? "\(what) was not injected" : nil
            }
    }
}

extension FaultAction {
    /// Whether nothing can be published while it lasts.
    fileprivate var cutsOffRedis: Bool {
        switch self {
        case .redisRestart, .redisKill, .redisPause, .redisFailover, .redisDisconnectClients: true
        default: false
        }
    }
}
