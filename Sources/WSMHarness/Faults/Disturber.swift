internal import WSMClients
internal import WSMCore
internal import WSMScenario

/// Does what faults do to links and to clients.
struct Disturber: Sendable {
    let fleet: any RunFleet
    let links: RunLinks
    /// The clients of each instance, by their numbers.
    let clientsOfInstance: [[UInt32]]
    let seed: UInt64

    func inject(_ fault: PlannedFault) async throws -> FaultHit {
        if fault.action.breaksLinks { return await links.inject(fault, instances: clientsOfInstance.count) }
        let targets = fault.targets(of: clientsOfInstance.count)
        // Whether or not they are connected now: one that is not is skipped.
        let all = targets.flatMap { clientsOfInstance[$0] }
        let picked = fault.pick(from: all.count, seed: seed).map { all[$0] }
        let now = MonotonicInstant.now()
        let kind: FleetDisturbance.Kind =
            switch fault.action {
            case .clientsStall: .stall(until: now + (fault.spec.duration ?? .zero))
            default: .disconnect(fault.spec.how.departure)
            }
        try await fleet.disturb(FleetDisturbance(kind, of: picked, at: now))
        return FaultHit(clients: picked.count, instances: targets.count)
    }

    /// Ends the fault; clients go on by themselves.
    func heal(_ fault: PlannedFault) async {
        if fault.action.breaksLinks { await links.heal(fault) }
    }
}

extension ConnectionLoss {
    /// As the fleet knows it.
    fileprivate var departure: FleetDisturbance.Departure {
        switch self {
        case .reset: .reset
        case .close: .close
        case .vanish: .vanish
        }
    }
}
