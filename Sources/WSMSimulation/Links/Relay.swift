import WSMCore

/// What stands in a disturbed link of an instance, in virtual time: the connections through it and what disturbs them.
///
/// Undisturbed it passes everything on at once. As the live relay it cannot refuse: who connects to an upstream that is not
/// there is accepted and gets an RST.
final class Relay {
    private let simulator: Simulator
    private var disturbances: LinkDisturbances
    private var carried: [UInt64: RelayedConnection] = [:]
    private var accepted: UInt64 = 0

    init(_ simulator: Simulator, seed: UInt64) {
        self.simulator = simulator
        disturbances = LinkDisturbances(seed: seed)
    }

    var now: MonotonicInstant { simulator.now }

    // MARK: Connections

    /// Somebody has connected; the owner is asked to reach the upstream as soon as nothing holds the connection.
    func accept(_ owner: RelayedConnection.Owner) -> RelayedConnection {
        let connection = RelayedConnection(number: accepted, relay: self, owner: owner)
        accepted += 1
        carried[connection.number] = connection
        disturbances.accepted(connection.number)
        connection.apply(disturbances.conditions(of: connection.number))
        return connection
    }

    func forget(_ connection: RelayedConnection) { carried[connection.number] = nil }

    func delayNumbers(of connection: UInt64, side: UInt64) -> CounterRNG {
        disturbances.delayNumbers(of: connection, side: side)
    }

    // MARK: Disturbances

    /// Sets a fault going for a share of the connections, those that come later too; returns its number and how many it hit.
    func begin(_ fault: LinkFault, share: Double) -> (id: Int, hit: Int) {
        let id = disturbances.all.count
        let disturbance = LinkDisturbance(id: id, fault: fault, share: share, requestedAt: now)
        let hit = disturbances.begin(disturbance, open: carried.keys)
        for number in hit { carried[number]?.apply(disturbances.conditions(of: number)) }
        disturbances.noteBegun(id, at: now)
        return (id, hit.count)
    }

    func heal(_ id: Int) {
        for number in disturbances.heal(id, open: carried.keys, at: now) {
            carried[number]?.apply(disturbances.conditions(of: number))
        }
    }

    func noteReset(by id: Int, bytesLost: Int) { disturbances.noteReset(by: id, bytesLost: bytesLost, at: now) }

    /// Lets go of all connections and whom they serve, at the end of the simulation.
    func forgetOwners() { carried = [:] }

    // MARK: Time

    func at(_ instant: MonotonicInstant, _ connection: UInt64, _ body: @escaping () -> Void) {
        simulator.at(instant, .link, Int(truncatingIfNeeded: connection), body)
    }

    func after(_ span: TimeSpan, _ connection: UInt64, _ body: @escaping () -> Void) {
        at(simulator.now + span, connection, body)
    }
}
