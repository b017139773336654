import WSMCore
import WSMRecord
import WSMScenario
// The observer hears of stalls itself; without this import the protocol's empty default would be called.
import WSMVerify

/// What is done to clients: they lose connections and stop reading.
extension Fleet {
    /// Lets each of these clients lose its connection; one that has none is skipped.
    func disconnect(_ picked: [Int], how: ConnectionLoss) {
        for (place, client) in picked.enumerated() {
            if how == .reset { resets.happened(client) }
            let connection = Int(clients[client].connection)
            guard connection >= 0, connections[connection].flags.contains(.clientOpen) else {
                counts.disturbancesSkipped += 1
                continue
            }
            counts.disconnected += 1
            endSession(connection, .dropped)
            switch how {
            case .reset: reset(connection, resets.delay(of: place, costs))
            case .close: tellHost(of: connection, .closed(connection))
            case .vanish:
                vanished.append(connection)
                makeBacklog(connection, rate: nil).stalledUntil = MonotonicInstant(nanoseconds: .max)
            }
            if how != .vanish { dropBacklog(of: connection) }
            let next = clients[client].life.ended(.dropped, at: simulator.now, reconnect, unit: drawUnit(client))
            follow(next, client)
        }
    }

    /// Lets these clients be known as those whose connections will be reset at `instant`.
    func expectResets(of picked: [Int], at instant: MonotonicInstant) {
        for (place, client) in picked.enumerated() {
            resets.expect(client, at: instant + resets.delay(of: place, costs) + costs.linkLatency)
        }
    }

    /// When the end of the connection by a reset is at its instance, as far as that is certain already.
    func resetArrival(on connection: Int) -> MonotonicInstant? {
        // When a relay passes it on is not certain.
        if paths[connection] != nil { return nil }
        if let arrival = resets.arrival(on: connection) { return arrival }
        let client = Int(connections[connection].client)
        guard clients[client].connection == Int32(connection), connections[connection].flags.contains(.clientOpen)
        else { return nil }
        return resets.next(of: client)
    }

    private func reset(_ connection: Int, _ delay: TimeSpan) {
        guard paths[connection] == nil else {
            return simulator.after(delay, .socket, connection) { [self] in tellHost(of: connection, .reset(connection))
            }
        }
        let instance = hosts[Int(connections[connection].instance)].instance
        resets.left(connection, arrival: simulator.now + delay + costs.linkLatency)
        simulator.after(delay + costs.linkLatency, .socket, connection) { [self] in
            resets.arrived(connection)
            instance?.socketEvent(.reset(connection))
        }
    }

    /// Lets each of these clients read nothing until `end`.
    func stall(_ picked: [Int], until end: MonotonicInstant) {
        guard end > simulator.now, !hasReleased else { return }
        for client in picked {
            let connection = Int(clients[client].connection)
            guard connection >= 0, connections[connection].flags.contains(.clientOpen) else {
                counts.disturbancesSkipped += 1
                continue
            }
            let backlog = makeBacklog(connection, rate: nil)
            if backlog.stalledUntil == nil {
                counts.stalled += 1
                observer.sessionStalled(session: Int(connections[connection].session), at: simulator.now)
            }
            backlog.stalledUntil = max(end, backlog.stalledUntil ?? end)
            simulator.at(end, .disturbance, connection) { [self] in
                if let until = backlog.stalledUntil, until <= simulator.now { resume(backlog) }
            }
        }
    }

    private func resume(_ backlog: Backlog) {
        let connection = backlog.connection
        backlog.stalledUntil = nil
        if connections[connection].flags.contains(.clientOpen) {
            observer.sessionResumed(session: Int(connections[connection].session), at: simulator.now)
        }
        if backlog.isNeeded { read(backlog, from: simulator.now) } else { dropBacklog(of: connection) }
    }

    /// The load is over: slow readers read as fast as they can, stalled ones read again, and what vanished clients have left
    /// behind is reset.
    func release() {
        hasReleased = true
        for connection in vanished {
            dropBacklog(of: connection)
            tellHost(of: connection, .reset(connection))
        }
        vanished = []
        for backlog in backlogs.compactMap(\.self) {
            backlog.rate = nil
            if backlog.stalledUntil != nil {
                resume(backlog)
            } else if !backlog.isNeeded {
                dropBacklog(of: backlog.connection)
            }
        }
    }

    /// Ends all attempts, planned and under way: from here on sessions only end.
    func awaitCloses() {
        isAwaitingCloses = true
        for client in clients.indices {
            let connection = Int(clients[client].connection)
            if connection < 0 || !connections[connection].flags.contains(.clientOpen) { clients[client].life.stop() }
        }
    }

    /// Ends all sessions that are left.
    func endSessions() {
        for client in clients.indices {
            clients[client].life.stop()
            let connection = Int(clients[client].connection)
            if connection >= 0 { endSession(connection, .runEnded) }
        }
    }
}
