import WSMCore
import WSMScenario

/// The relays in the links that a scenario's faults disturb; a link without such a fault has none.
final class Relays {
    private let toRedis: [Relay]
    private let toClients: [Relay]
    /// What runs, by the place of the fault that began it.
    private var running: [Int: [(relay: Relay, id: Int)]] = [:]

    init(_ scenario: Scenario, _ simulator: Simulator) {
        let disturbed = scenario.disturbedLinks
        func make(_ link: FaultLink) -> [Relay] {
            guard disturbed.contains(link) else { return [] }
            return (0..<scenario.cluster.instances).map {
                Relay(simulator, seed: link.relaySeed(of: $0, seed: scenario.seed))
            }
        }
        toRedis = make(.redis)
        toClients = make(.clients)
    }

    /// The relay before Redis, for an instance.
    func toRedis(of instance: Int) -> Relay? { instance < toRedis.count ? toRedis[instance] : nil }

    /// The relay before an instance, for its clients.
    func toClients(of instance: Int) -> Relay? { instance < toClients.count ? toClients[instance] : nil }

    /// Disturbs the links that a fault aims at.
    ///
    /// - Parameter place: The fault's place among all.
    /// - Returns: How many connections it hit.
    func inject(_ fault: PlannedFault, place: Int, instances: Int) -> Int {
        let all = fault.spec.between == .redis ? toRedis : toClients
        var hit = 0
        for instance in fault.targets(of: instances) where instance < all.count {
            let begun = all[instance].begin(
                fault.spec.linkFault, share: Double(fault.spec.share.millionths) / 1e6)
            hit += begun.hit
            running[place, default: []].append((all[instance], begun.id))
        }
        return hit
    }

    /// Ends what a fault began.
    func heal(place: Int) {
        for (relay, id) in running.removeValue(forKey: place) ?? [] { relay.heal(id) }
    }

    /// Lets go of all connections, at the end of the simulation.
    func forgetOwners() {
        for relay in toRedis + toClients { relay.forgetOwners() }
    }
}
