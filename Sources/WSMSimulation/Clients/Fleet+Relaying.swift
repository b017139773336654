import WSMCore
import WSMManagers
import WSMRecord
import WSMVerify

/// Clients behind a relay: what passes between them and their instances passes through it.
extension Fleet {
    /// What an instance's answers weigh: the head of the handshake's response, and a `__pong__`.
    private enum Bytes {
        static let request = 200
        static let response = 160
        static let pong = 12
    }

    // MARK: Connecting

    /// The client's socket is connected to the relay, which connects to the instance.
    func attempt(
        _ connection: Int, through relay: Relay, to host: InstanceSlot, _ attemptedAt: MonotonicInstant
    ) {
        let path = relay.accept(
            RelayedConnection.Owner(
                reach: { host.listening != nil }, reset: { [self] in resetByRelay(connection) },
                changed: { [self] in pathChanged(connection) }))
        expire(connection, attemptedAt)
        guard !path.isClosed else { return }
        paths[connection] = path
        pathChanged(connection)
        path.send(from: .client, bytes: Bytes.request) { [self] in
            // It may have gone since it was reached.
            guard let instance = host.listening else { return turnAway(connection) }
            instance.socketEvent(.opened(connection, attemptedAt: attemptedAt))
        }
    }

    /// Leads what comes through the relay while it disturbs the connection, and else past it, which costs a large fleet nothing.
    private func pathChanged(_ connection: Int) {
        guard let path = paths[connection], !path.isClosed else { return }
        if path.isClear {
            if let backlog = backlog(of: connection), !backlog.isNeeded { dropBacklog(of: connection) }
        } else {
            let kernelBytes = (sendBuffer ?? costs.sendBuffer) + costs.receiveBuffer
            makeBacklog(connection, rate: nil).lead(through: path, kernelBytes: kernelBytes)
        }
    }

    /// The instance ends an attempt without an answer.
    func turnAway(_ connection: Int) {
        simulator.after(costs.linkLatency, .handshake, connection) { [self] in
            guard let path = paths[connection] else {
                failed(connection)
                return
            }
            path.end(from: .upstream) { [self] in
                paths[connection] = nil
                failed(connection)
            }
        }
    }

    /// The instance has accepted the handshake; its answer leaves at `instant`.
    func admit(_ connection: Int, attemptedAt: MonotonicInstant, at instant: MonotonicInstant) {
        bring(Bytes.response, .handshake, to: connection, at: instant) { [self] in
            open(connection, attemptedAt: attemptedAt)
        }
    }

    /// The instance answers a ping.
    func pong(_ connection: Int, at instant: MonotonicInstant) {
        bring(Bytes.pong, .pong, to: connection, at: instant) { [self] in ponged(connection) }
    }

    /// Brings something that does not wait in a backlog.
    private func bring(
        _ bytes: Int, _ happening: Happening, to connection: Int, at instant: MonotonicInstant,
        _ arrive: @escaping () -> Void
    ) {
        simulator.at(instant, happening, connection) { [self] in
            guard let path = paths[connection] else { return arrive() }
            path.send(from: .upstream, bytes: bytes, arrive)
        }
    }

    // MARK: What the instance sends

    /// Something has come to the relay, and waits for the client behind it.
    func relay(_ item: Backlog.Item, on connection: Int) {
        guard let path = paths[connection] else { return }
        path.send(from: .upstream, bytes: item.bytes) { [self] in passedOn(item, to: connection) }
        if let backlog = backlog(of: connection) { noteWritability(backlog) }
    }

    private func passedOn(_ item: Backlog.Item, to connection: Int) {
        guard let backlog = backlog(of: connection) else { return hand(item, to: connection) }
        backlog.append(item)
        noteWritability(backlog)
        read(backlog, from: simulator.now)
    }

    /// The instance's socket is gone, which the client hears of behind all that has left it.
    func relayEnd(to connection: Int) {
        paths[connection]?.end(from: .upstream) { [self] in
            paths[connection] = nil
            passedOn(.end(.dropped), to: connection)
        }
    }

    /// The relay has ended the connection, at both ends.
    private func resetByRelay(_ connection: Int) {
        paths[connection] = nil
        simulator.after(costs.linkLatency, .socket, connection) { [self] in
            hosts[Int(connections[connection].instance)].life(of: connection)?.socketEvent(.reset(connection))
            if failed(connection) { return }
            // What has come before it can still be read.
            passedOn(.end(.dropped), to: connection)
        }
    }
}
