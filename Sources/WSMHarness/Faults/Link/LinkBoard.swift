import NIOCore
import WSMCore

/// The connections of a relay and what disturbs them.
///
/// Confined to the relay's loop.
final class LinkBoard {
    let upstream: SocketAddress
    let seed: UInt64
    var traffic = LinkTraffic()
    private(set) var disturbances: [LinkDisturbance] = []

    private struct Active {
        var id: Int
        var throttle: LinkThrottle?
    }

    private var active: [Active] = []
    private var connections: [UInt64: LinkConnection] = [:]
    private var accepted: UInt64 = 0
    private var isOver = false

    init(upstream: SocketAddress, seed: UInt64) {
        self.upstream = upstream
        self.seed = seed
    }

    // MARK: Connections

    /// A client has connected; returns what goes into its pipeline, or `nil` when the relay has ended.
    func accept(_ client: any Channel) -> LinkEndHandler? {
        guard !isOver else { return nil }
        let connection = LinkConnection(number: accepted, client: client, board: self)
        accepted += 1
        traffic.accepted += 1
        traffic.open += 1
        connections[connection.number] = connection
        for active in active where hits(disturbances[active.id], connection.number) {
            disturbances[active.id].hit += 1
            if case .cut = disturbances[active.id].fault { disturbances[active.id].held += 1 }
        }
        connection.apply(conditions(of: connection.number))
        return LinkEndHandler(connection, .client)
    }

    func forget(_ connection: LinkConnection) {
        if connections.removeValue(forKey: connection.number) != nil { traffic.open -= 1 }
    }

    // MARK: Disturbances

    func begin(_ disturbance: LinkDisturbance) {
        precondition(disturbance.id == disturbances.count, "disturbances begin in the order of their numbers")
        var disturbance = disturbance
        let hit = connections.values.filter { hits(disturbance, $0.number) }.sorted { $0.number < $1.number }
        disturbance.hit = hit.count
        disturbances.append(disturbance)
        if case .reset = disturbance.fault {
            for connection in hit { connection.reset(by: disturbance.id) }
            disturbances[disturbance.id].healedAt = .now()
        } else {
            var throttle: LinkThrottle?
            if case .throttle(let rate, let isShared) = disturbance.fault {
                throttle = LinkThrottle(rate: rate, isShared: isShared)
            }
            active.append(Active(id: disturbance.id, throttle: throttle))
            for connection in hit { connection.apply(conditions(of: connection.number)) }
        }
        disturbances[disturbance.id].beganAt = .now()
    }

    /// Ends a disturbance; one that has ended already stays as it is.
    func heal(_ id: Int) {
        guard let index = active.firstIndex(where: { $0.id == id }) else { return }
        active.remove(at: index)
        for connection in connections.values.sorted(by: { $0.number < $1.number })
        where hits(disturbances[id], connection.number) {
            connection.apply(conditions(of: connection.number))
        }
        disturbances[id].healedAt = .now()
    }

    func noteDelayed(by id: Int) { disturbances[id].chunksDelayed += 1 }

    func noteReset(by id: Int, bytesLost: Int) {
        disturbances[id].reset += 1
        disturbances[id].bytesLost += bytesLost
        disturbances[id].lastResetAt = .now()
    }

    private func conditions(of connection: UInt64) -> LinkConditions {
        var conditions = LinkConditions()
        for active in active where hits(disturbances[active.id], connection) {
            switch disturbances[active.id].fault {
            case .delay(let distribution): conditions.delays.append((active.id, distribution))
            case .cut(let after): if conditions.cut == nil { conditions.cut = (active.id, after) }
            case .throttle(let rate, _):
                if rate < conditions.throttle?.rate ?? .max { conditions.throttle = active.throttle }
            case .reset: break
            }
        }
        return conditions
    }

    /// Drawn once for each connection and disturbance, from the seed.
    private func hits(_ disturbance: LinkDisturbance, _ connection: UInt64) -> Bool {
        if disturbance.share >= 1 { return true }
        let entity = 1 << 62 | UInt64(disturbance.id) << 32 | connection
        var random = CounterRNG(seed: seed, stream: .faults, entity: entity)
        return random.unit() < disturbance.share
    }

    // MARK: The end

    /// Closes all connections at once and takes no more.
    func close() {
        isOver = true
        active = []
        for connection in Array(connections.values) { connection.close() }
    }
}
