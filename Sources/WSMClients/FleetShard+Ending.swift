import NIOCore
import WSMCore
import WSMRecord

extension FleetShard {
    /// What is left to do once the run has ended.
    struct Ending {
        var promise: EventLoopPromise<Int>
        /// Sessions whose socket was closed because the deadline had come.
        var abandoned = 0
    }

    /// A session has ended that was open, and not by this side's will.
    func sessionEnded(_ session: ClientSession<Sink>, _ end: SessionEnd, at now: MonotonicInstant) {
        switch end {
        case .closedByServer(let code):
            statistics.closedByServer += 1
            if code == 1008, clients[session.slot].plan.subprotocols != nil { statistics.refusals.validRefused += 1 }
        case .protocolError: statistics.protocolErrors += 1
        case .dropped: statistics.dropped += 1
        case .runEnded, .churned: break
        }
        let slot = session.slot
        detach(session, end, at: now)
        guard !isAwaitingCloses else { return clients[slot].life.stop() }
        let unit = drawUnit(slot)
        follow(clients[slot].life.ended(end, at: now, options.reconnect, unit: unit), slot, at: now)
    }

    /// The plan ends the client's session; the next one begins without waiting for the old socket to close.
    func churn(_ slot: Int, at now: MonotonicInstant) {
        guard let session = clients[slot].session, clients[slot].life.churn() else {
            statistics.churnsSkipped += 1
            return
        }
        statistics.churned += 1
        detach(session, .churned, at: now)
        session.close(code: 1000)
        attempt(slot, at: now)
    }

    /// Takes the session from its client and tells the sink; its socket, if it is still there, is given time to close.
    func detach(_ session: ClientSession<Sink>, _ end: SessionEnd, at now: MonotonicInstant) {
        clients[session.slot].session = nil
        progress.sessionEnded()
        sink.sessionClosed(session: session.sinkSession, end: end, at: now)
        if end != .dropped { awaitClose(of: session, at: now) }
    }

    /// Holds the server to a deadline for closing the session's socket.
    func awaitClose(of session: ClientSession<Sink>, at now: MonotonicInstant) {
        closing[session.connection] = session
        if ending == nil {
            schedule(.closeDeadline, at: now + options.closeDeadline, connection: session.connection)
        }
    }

    /// The session's socket is closed.
    func socketClosed(_ session: ClientSession<Sink>, answered: Bool) {
        if vanished.removeValue(forKey: session.connection) != nil { statistics.vanishedFound += 1 }
        guard closing.removeValue(forKey: session.connection) != nil else { return }
        if !answered { statistics.unansweredCloses += 1 }
        finishIfClosed()
    }

    // MARK: The end of the run

    /// Ends all attempts, planned and under way: from here on sessions only end.
    func awaitCloses() {
        loop.assertInEventLoop()
        isAwaitingCloses = true
        clearAgenda()
        for session in closing.values {
            schedule(.closeDeadline, at: .now() + options.closeDeadline, connection: session.connection)
        }
        cancelAttempts()
        for slot in clients.indices where clients[slot].session == nil { clients[slot].life.stop() }
    }

    private func cancelAttempts() {
        let pending = attempts.values.compactMap(\.socket)
        attempts = [:]
        for socket in pending { socket.close() }
    }

    /// Ends all sessions and attempts; the future gives the number of sessions that had to be abandoned at `deadline`.
    func end(deadline: MonotonicInstant) -> EventLoopFuture<Int> {
        loop.assertInEventLoop()
        if let ending { return ending.promise.futureResult }
        let promise = loop.makePromise(of: Int.self)
        ending = Ending(promise: promise)
        clearAgenda()
        cancelAttempts()
        let now = MonotonicInstant.now()
        releaseDisturbed()
        for slot in clients.indices {
            clients[slot].life.stop()
            guard let session = clients[slot].session else { continue }
            detach(session, .runEnded, at: now)
            session.close(code: 1000)
        }
        schedule(.endDeadline, at: deadline)
        finishIfClosed()
        return promise.futureResult
    }

    /// Closes what is still open; each closed socket reports to ``socketClosed(_:answered:)``.
    func abandonAll() {
        ending?.abandoned = closing.count
        for session in Array(closing.values) { session.abandon() }
        finishIfClosed()
    }

    private func finishIfClosed() {
        guard let ending, closing.isEmpty else { return }
        clearAgenda()
        ending.promise.succeed(ending.abandoned)
    }
}
