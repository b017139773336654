import WSMCore
import WSMManagers
import WSMRecord
import WSMScenario
import WSMVerify

extension Fleet {
    /// Lets every client connect by the plan, from `start` on.
    ///
    /// One entry of the agenda walks over the plan, however many clients there are.
    func connectAll(_ plan: LoadPlan, from start: MonotonicInstant) {
        let order = plan.clients.indices.sorted {
            (plan.clients[$0].connectAt, $0) < (plan.clients[$1].connectAt, $1)
        }
        connectNext(order, 0, plan, start)
        guard spec.ping > .zero else { return }
        for client in plan.clients {
            // Golden-ratio steps: any number of neighbours lie evenly in the interval.
            let phase = Double(UInt32(client.index) &* 0x9E37_79B1) * 0x1p-32
            schedulePing(client.index, at: start + client.connectAt + spec.ping.scaled(by: phase))
        }
    }

    private func connectNext(_ order: [Int], _ place: Int, _ plan: LoadPlan, _ start: MonotonicInstant) {
        guard place < order.count else { return }
        let client = plan.clients[order[place]]
        simulator.at(start + client.connectAt, .connect, client.index) { [self] in
            connect(client.index)
            connectNext(order, place + 1, plan, start)
        }
    }

    /// Begins an attempt of the client, if it waits for one.
    func connect(_ client: Int) {
        if clients[client].life.begin() { attempt(client) }
    }

    /// Opens a socket for the client, which must be connecting.
    func attempt(_ client: Int) {
        let connection = connections.count
        let attemptedAt = simulator.now
        connections.append(Connection(client: UInt32(client), instance: clients[client].instance))
        clients[client].connection = Int32(connection)
        counts.attempts += 1
        let instance = Int(clients[client].instance)
        let host = hosts[instance]
        simulator.after(costs.linkLatency, .handshake, connection) { [self] in
            if let relay = relays?.toClients(of: instance) {
                return attempt(connection, through: relay, to: host, attemptedAt)
            }
            guard let instance = host.listening else {
                return simulator.after(costs.linkLatency, .handshake, connection) { [self] in
                    if failed(connection) { counts.refused += 1 }
                }
            }
            instance.socketEvent(.opened(connection, attemptedAt: attemptedAt))
            // Only an instance that stands still keeps a client waiting for so long.
            if instance.isPaused { expire(connection, attemptedAt) }
        }
    }

    /// Gives up an attempt that has come to nothing by its deadline.
    func expire(_ connection: Int, _ attemptedAt: MonotonicInstant) {
        simulator.at(attemptedAt + Fleet.connectDeadline, .handshake, connection) { [self] in
            guard failed(connection) else { return }
            counts.timedOut += 1
            tellHost(of: connection, .closed(connection))
        }
    }

    /// The attempt has failed; false where it has ended otherwise before.
    @discardableResult
    func failed(_ connection: Int) -> Bool {
        let client = Int(connections[connection].client)
        guard clients[client].connection == Int32(connection), connections[connection].session < 0 else { return false }
        observer.connectFailed(client: UInt32(client), instance: clients[client].instance, at: simulator.now)
        clients[client].connection = -1
        dropBacklog(of: connection)
        follow(clients[client].life.failed(reconnect, unit: drawUnit(client)), client)
        return true
    }

    /// The plan ends the client's session; the next one begins without waiting for the old socket to close.
    func churn(_ client: Int) {
        let connection = Int(clients[client].connection)
        guard connection >= 0, connections[connection].flags.contains(.clientOpen), clients[client].life.churn() else {
            counts.churnsSkipped += 1
            return
        }
        counts.churned += 1
        leave(connection, .churned)
        attempt(client)
    }

    /// The client closes its end in order.
    func leave(_ connection: Int, _ end: SessionEnd) {
        endSession(connection, end)
        dropBacklog(of: connection)
        tellHost(of: connection, .closed(connection))
    }

    // MARK: Pings

    private func schedulePing(_ client: Int, at instant: MonotonicInstant) {
        simulator.at(instant, .ping, client) { [self] in
            guard !isAwaitingCloses else { return }
            schedulePing(client, at: simulator.now + spec.ping)
            ping(client)
        }
    }

    private func ping(_ client: Int) {
        let connection = Int(clients[client].connection)
        guard connection >= 0, connections[connection].flags.contains(.clientOpen) else { return }
        counts.pingsSent += 1
        if clients[client].askedAt == 0 { clients[client].askedAt = simulator.now.nanoseconds }
        tellHost(of: connection, .text(connection, .ping))
        guard let timeout = spec.pongTimeout else { return }
        simulator.after(timeout, .pong, connection) { [self] in pongIsDue(client, connection, timeout) }
    }

    /// The `__pong__` has come.
    func ponged(_ connection: Int) {
        let client = Int(connections[connection].client)
        guard clients[client].connection == Int32(connection) else { return }
        counts.pongsReceived += 1
        clients[client].askedAt = 0
    }

    /// A browser's script closes and connects anew when its ping was not answered; a stalled one does not notice.
    private func pongIsDue(_ client: Int, _ connection: Int, _ timeout: TimeSpan) {
        guard clients[client].connection == Int32(connection), clients[client].askedAt != 0,
            simulator.now.nanoseconds - clients[client].askedAt >= timeout.nanoseconds,
            backlog(of: connection)?.stalledUntil == nil
        else { return }
        counts.pongTimeouts += 1
        clients[client].askedAt = 0
        leave(connection, .dropped)
        follow(
            clients[client].life.ended(.dropped, at: simulator.now, reconnect, unit: drawUnit(client)), client)
    }
}
