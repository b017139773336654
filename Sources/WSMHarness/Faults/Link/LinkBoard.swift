import NIOCore
import WSMCore

/// The connections of a relay and what disturbs them.
///
/// Confined to the relay's loop.
final class LinkBoard {
    let upstream: SocketAddress
    var traffic = LinkTraffic()
    private var state: LinkDisturbances
    private var connections: [UInt64: LinkConnection] = [:]
    private var accepted: UInt64 = 0
    private var isOver = false

    init(upstream: SocketAddress, seed: UInt64) {
        self.upstream = upstream
        state = LinkDisturbances(seed: seed)
    }

    var disturbances: [LinkDisturbance] { state.all }

    // MARK: Connections

    /// A client has connected; returns what goes into its pipeline, or `nil` when the relay has ended.
    func accept(_ client: any Channel) -> LinkEndHandler? {
        guard !isOver else { return nil }
        let number = accepted
        let connection = LinkConnection(number: number, client: client, board: self)
        accepted += 1
        traffic.accepted += 1
        traffic.open += 1
        connections[number] = connection
        state.accepted(number)
        connection.apply(state.conditions(of: number))
        return LinkEndHandler(connection, .client)
    }

    func forget(_ connection: LinkConnection) {
        if connections.removeValue(forKey: connection.number) != nil { traffic.open -= 1 }
    }

    /// Numbers for the delays of what one side of a connection sends.
    func delayNumbers(of connection: UInt64, side: UInt64) -> CounterRNG {
        state.delayNumbers(of: connection, side: side)
    }

    // MARK: Disturbances

    func begin(_ disturbance: LinkDisturbance) {
        for number in state.begin(disturbance, open: connections.keys) {
            if case .reset = disturbance.fault {
                connections[number]?.reset(by: disturbance.id)
            } else {
                connections[number]?.apply(state.conditions(of: number))
            }
        }
        state.noteBegun(disturbance.id, at: .now())
    }

    /// Ends a disturbance; one that has ended already stays as it is.
    func heal(_ id: Int) {
        for number in state.heal(id, open: connections.keys, at: .now()) {
            connections[number]?.apply(state.conditions(of: number))
        }
    }

    func noteDelayed(by id: Int) { state.noteDelayed(by: id) }
    func noteReset(by id: Int, bytesLost: Int) { state.noteReset(by: id, bytesLost: bytesLost, at: .now()) }

    // MARK: The end

    /// Closes all connections at once and takes no more.
    func close() {
        isOver = true
        state.healAll()
        for connection in Array(connections.values) { connection.close() }
    }
}
