/// What disturbs the connections of one relay, and which of them: the bookkeeping of a live or a simulated relay.
///
/// Sans-IO; connections are known by the order in which they were accepted, from 0 on.
package struct LinkDisturbances {
    /// All so far, by their numbers.
    package private(set) var all: [LinkDisturbance] = []

    private struct Active {
        var id: Int
        var throttle: LinkThrottle?
    }

    private let seed: UInt64
    private var active: [Active] = []

    package init(seed: UInt64) { self.seed = seed }

    // MARK: Connections

    /// A connection has come.
    package mutating func accepted(_ connection: UInt64) {
        for active in active where hits(active.id, connection) {
            all[active.id].hit += 1
            if case .cut = all[active.id].fault { all[active.id].held += 1 }
        }
    }

    /// What is done to a connection now.
    package func conditions(of connection: UInt64) -> LinkConditions {
        var conditions = LinkConditions()
        for active in active where hits(active.id, connection) {
            switch all[active.id].fault {
            case .delay(let distribution): conditions.delays.append((active.id, distribution))
            case .cut(let after): if conditions.cut == nil { conditions.cut = (active.id, after) }
            case .throttle(let rate, _):
                if rate < conditions.throttle?.rate ?? .max { conditions.throttle = active.throttle }
            case .reset: break
            }
        }
        return conditions
    }

    /// Numbers for the delays of what one side of a connection sends; a connection's sides are 0 and 1.
    package func delayNumbers(of connection: UInt64, side: UInt64) -> CounterRNG {
        CounterRNG(seed: seed, stream: .faults, entity: 1 << 63 | connection << 1 | side)
    }

    /// Drawn once for each connection and disturbance, from the seed.
    private func hits(_ id: Int, _ connection: UInt64) -> Bool {
        if all[id].share >= 1 { return true }
        let entity = 1 << 62 | UInt64(id) << 32 | connection
        var random = CounterRNG(seed: seed, stream: .faults, entity: entity)
        return random.unit() < all[id].share
    }

    // MARK: Disturbances

    /// Sets a disturbance going.
    ///
    /// - Parameter open: The connections that there are.
    /// - Returns: Those that it hits, in their order: they go on under new conditions, or are reset.
    package mutating func begin(_ disturbance: LinkDisturbance, open: some Sequence<UInt64>) -> [UInt64] {
        precondition(disturbance.id == all.count, "disturbances begin in the order of their numbers")
        all.append(disturbance)
        let hit = open.filter { hits(disturbance.id, $0) }.sorted()
        all[disturbance.id].hit = hit.count
        switch disturbance.fault {
        case .reset: break
        case .throttle(let rate, let isShared):
            active.append(Active(id: disturbance.id, throttle: LinkThrottle(rate: rate, isShared: isShared)))
        case .delay, .cut: active.append(Active(id: disturbance.id))
        }
        return hit
    }

    /// Everything that the disturbance hits is disturbed.
    package mutating func noteBegun(_ id: Int, at now: MonotonicInstant) {
        all[id].beganAt = now
        if case .reset = all[id].fault { all[id].healedAt = now }
    }

    /// Ends a disturbance; one that has ended already stays as it is.
    ///
    /// - Returns: The connections that go on under new conditions, in their order.
    package mutating func heal(_ id: Int, open: some Sequence<UInt64>, at now: MonotonicInstant) -> [UInt64] {
        guard let index = active.firstIndex(where: { $0.id == id }) else { return [] }
        active.remove(at: index)
        all[id].healedAt = now
        return open.filter { hits(id, $0) }.sorted()
    }

    package mutating func healAll() { active = [] }

    // MARK: The record

    package mutating func noteDelayed(by id: Int) { all[id].chunksDelayed += 1 }

    package mutating func noteReset(by id: Int, bytesLost: Int, at now: MonotonicInstant) {
        all[id].reset += 1
        all[id].bytesLost += bytesLost
        all[id].lastResetAt = now
    }
}
