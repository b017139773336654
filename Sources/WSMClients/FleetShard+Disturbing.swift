import NIOCore
import WSMCore
import WSMRecord

/// What is done to clients: they lose connections, stop reading, and give up on servers that do not answer.
extension FleetShard {
    /// Takes its part of a disturbance.
    func disturb(_ disturbance: FleetDisturbance) {
        loop.assertInEventLoop()
        guard ending == nil else { return }
        disturbances.append(disturbance.kind)
        for client in disturbance.clients {
            guard let slot = slotOfClient[client] else { continue }
            schedule(.disturb, at: disturbance.at, slot: slot, connection: UInt32(disturbances.count - 1))
        }
    }

    /// Does what the disturbance of this number wants with the client.
    func disturb(_ slot: Int, by number: Int, at now: MonotonicInstant) {
        guard let session = clients[slot].session else {
            statistics.disturbancesSkipped += 1
            return
        }
        switch disturbances[number] {
        case .disconnect(let departure):
            statistics.disconnected += 1
            leave(session, at: now)
            if departure == .vanish { vanished[session.connection] = session }
            session.depart(departure)
        case .stall(let until):
            guard until > now, !hasReleased else { return }
            if session.stall(until: until) {
                statistics.stalled += 1
                sink.sessionStalled(session: session.sinkSession, at: now)
            }
            schedule(.resume, at: until, slot: slot, connection: session.connection)
        }
    }

    /// The stall of the client's session is over, unless another one has prolonged it.
    func resume(_ session: ClientSession<Sink>, at now: MonotonicInstant) {
        guard session.resume(at: now) else { return }
        sink.sessionResumed(session: session.sinkSession, at: now)
    }

    /// The client's `__ping__` should have been answered by now: a browser's script closes and connects anew.
    func pongIsDue(_ slot: Int, connection: UInt32, at now: MonotonicInstant) {
        guard let timeout = options.pongTimeout, let session = clients[slot].session,
            session.connection == connection, session.hasWaitedForPong(timeout, at: now)
        else { return }
        statistics.pongTimeouts += 1
        leave(session, at: now)
        awaitClose(of: session, at: now)
        session.close(code: 1000)
    }

    /// Ends the session for the client and the sink: for the client it is as good as dropped.
    private func leave(_ session: ClientSession<Sink>, at now: MonotonicInstant) {
        let slot = session.slot
        detach(session, .dropped, at: now)
        guard !isAwaitingCloses else { return clients[slot].life.stop() }
        let unit = drawUnit(slot)
        follow(clients[slot].life.ended(.dropped, at: now, options.reconnect, unit: unit), slot, at: now)
    }

    /// Lets every stalled client read again, and closes what vanished clients have left behind: the load is over, and what is
    /// on its way must not wait for them.
    func releaseDisturbed() {
        hasReleased = true
        let now = MonotonicInstant.now()
        for session in clients.compactMap(\.session) {
            session.prolong(until: now)
            resume(session, at: now)
        }
        let left = vanished.values
        vanished = [:]
        for session in left { session.depart(.reset) }
    }
}
