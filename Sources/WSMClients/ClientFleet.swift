import NIOCore
import Synchronization
package import WSMCore
package import WSMRecord

/// A fleet of WebSocket clients over real sockets, spread over event loops, each loop with a sink of its own.
///
/// Its life: ``connectAll(_:startingAt:)`` once, ``awaitConnected(deadline:)``, the load with ``churn(_:)`` and
/// ``releaseSlowReaders()``, ``endSessions(deadline:)``, ``finish()``. All calls are safe from any thread or task. Load is
/// open-loop: connects, churns and pings happen at absolute instants, whatever the servers do; how late they came is in
/// the statistics.
package final class ClientFleet<Sink: DeliverySink & SendableMetatype>: Sendable {
    typealias Shard = NIOLoopBoundBox<FleetShard<Sink>>

    private let endpoints: [ClientEndpoint]
    private let progress = FleetProgress()
    let shards: [Shard]
    /// Which shard each client is on; empty before the plan is known.
    private let shardOfClient = Mutex<[UInt32: Int]>([:])

    /// A fleet on `loops`, which stay the caller's and must outlive the fleet.
    ///
    /// - Parameters:
    ///   - loops: At least one.
    ///   - endpoints: Where to connect to, one an instance.
    ///   - options: How the clients behave.
    ///   - makeSink: Makes the sink of the loop with the given index; from then on it is used on that loop alone.
    package init(
        loops: [SocketLoop], endpoints: [ClientEndpoint], options: FleetOptions,
        makeSink: @Sendable (_ loopIndex: Int) -> Sink
    ) {
        precondition(!loops.isEmpty, "a fleet needs an event loop")
        self.endpoints = endpoints
        var shards: [Shard] = []
        for (index, loop) in loops.enumerated() {
            let shard = FleetShard(
                index: index, loop: loop, sink: makeSink(index), options: options, progress: progress)
            shards.append(NIOLoopBoundBox.makeBoxSendingValue(shard, eventLoop: loop))
        }
        self.shards = shards
    }

    /// The sessions open at this moment.
    package var connectedCount: Int { progress.openSessions }

    /// Looks up the endpoints' hosts and schedules every client's first attempt for `startingAt` + its `connectAt`.
    ///
    /// Returns when all is scheduled, not when it is connected. May be called once.
    ///
    /// - Throws: ``FleetError`` with `invalidEndpoint`, `invalidPlan`, or `wrongPhase` at a second call.
    package func connectAll(_ plan: [FleetClient], startingAt start: MonotonicInstant) async throws {
        try check(plan)
        var resolved: [ResolvedEndpoint] = []
        for endpoint in endpoints { resolved.append(try await ResolvedEndpoint.resolve(endpoint)) }
        let addresses = resolved
        let sorted = plan.sorted { ($0.connectAt, $0.index) < ($1.connectAt, $1.index) }
        var parts = [[FleetClient]](repeating: [], count: shards.count)
        var owners: [UInt32: Int] = [:]
        for (position, client) in sorted.enumerated() {
            parts[position % shards.count].append(client)
            owners[client.index] = position % shards.count
        }
        let isFirst = shardOfClient.withLock { known in
            guard known.isEmpty else { return false }
            known = owners
            return true
        }
        guard isFirst else {
            throw FleetError(code: .wrongPhase, message: "the fleet has a connect plan already; make another fleet")
        }
        progress.plan(plan.count)
        for (shard, part) in zip(shards, parts) {
            shard.eventLoop.execute { shard.value.begin(part, endpoints: addresses, startingAt: start) }
        }
    }

    /// Waits until every client of the plan has had a session, whether or not it still has it, and of each that is to be
    /// refused it is known whether it was.
    ///
    /// - Throws: ``FleetError`` with `notAllConnected` once `deadline` has come, or earlier when the clients without a
    ///   session have given up; `CancellationError` when the task is cancelled.
    package func awaitConnected(deadline: MonotonicInstant) async throws {
        await progress.waitUntilSettled(deadline: deadline, on: shards[0].eventLoop)
        try Task.checkCancellation()
        let state = progress.snapshot
        if state.openedOnce + state.refused >= state.planned { return }
        let reasons = await statistics().failures.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
        let why = reasons.isEmpty ? "no attempt has failed so far" : "failed attempts: \(reasons)"
        let gaveUp = state.gaveUp == 0 ? "" : ", \(state.gaveUp) gave up"
        throw FleetError(
            code: .notAllConnected,
            message:
                "\(state.openedOnce) of \(state.planned - state.refused) clients connected in time\(gaveUp); \(why)")
    }

    /// Schedules churns; may be called again for more.
    ///
    /// A churn whose client has no session at that instant is skipped and counted.
    ///
    /// - Throws: ``FleetError`` with `invalidPlan` when a client is not of the connect plan.
    package func churn(_ plan: [FleetChurn]) throws {
        let owners = shardOfClient.withLock { $0 }
        try shards.spread(plan, of: "the churn plan", client: \.client, part: { owners[$0] }) { $0.churn($1) }
    }

    /// Schedules one churn, as ``churn(_:)``.
    package func churn(client: UInt32, at instant: MonotonicInstant) throws {
        try churn([FleetChurn(client: client, at: instant)])
    }

    /// Schedules a disturbance; may be called again for more.
    ///
    /// A client that has no session at that instant is skipped and counted.
    ///
    /// - Throws: ``FleetError`` with `invalidPlan` when a client is not of the connect plan.
    package func disturb(_ disturbance: FleetDisturbance) throws {
        let owners = shardOfClient.withLock { $0 }
        try shards.spread(disturbance.clients, of: "a disturbance", client: { $0 }, part: { owners[$0] }) {
            $0.disturb(FleetDisturbance(disturbance.kind, of: $1, at: disturbance.at))
        }
    }

    /// Lets the slow readers and the stalled ones read as fast as they can, and closes the sockets of vanished ones: for the drain, in which all
    /// that was sent must arrive.
    package func releaseSlowReaders() {
        for shard in shards { shard.eventLoop.execute { shard.value.releaseSlowReaders() } }
    }

    /// Lets no client connect any more, and those that are connected wait for their server to close: before the instances are
    /// stopped.
    package func awaitCloses() async {
        await shards.awaitCloses()
    }

    /// Ends every session with close code 1000 and waits until the servers have closed too, until `deadline`.
    ///
    /// The sinks are told `runEnded` at once; what arrives later is thrown away. From here on no client connects.
    @discardableResult
    package func endSessions(deadline: MonotonicInstant) async -> FleetEnding {
        let endings = shards.map { shard in shard.eventLoop.flatSubmit { shard.value.end(deadline: deadline) } }
        var abandoned = 0
        for ending in endings {
            // It fails only when its loop was shut down before the fleet, and then no session is open.
            abandoned += (try? await ending.get()) ?? 0
        }
        return FleetEnding(abandoned: abandoned)
    }

    /// What the fleet has counted so far.
    package func statistics() async -> FleetStatistics {
        await shards.statistics()
    }

    /// Calls `body` with each sink, on the sink's event loop; it must not block.
    package func withSinks<Result: Sendable>(
        _ body: @escaping @Sendable (Sink) throws -> Result
    ) async throws -> [Result] {
        try await shards.withSinks(body)
    }

    /// Ends what is still open, without waiting for the servers, and hands over the sinks, which are never called again.
    ///
    /// The sinks belong to the caller from here on; they may be used on any thread.
    package func finish() async throws -> sending [Sink] {
        await endSessions(deadline: .now())
        return try await shards.handOverSinks()
    }

    private func check(_ plan: [FleetClient]) throws {
        var seen: Set<UInt32> = []
        for client in plan {
            if Int(client.instance) >= endpoints.count {
                throw FleetError(
                    code: .invalidPlan,
                    message: "client \(client.index) is planned for instance \(client.instance) of \(endpoints.count)")
            }
            if !seen.insert(client.index).inserted {
                throw FleetError(code: .invalidPlan, message: "client \(client.index) is planned twice")
            }
            if let rate = client.readRate, rate <= 0 {
                throw FleetError(
                    code: .invalidPlan, message: "client \(client.index) reads \(rate) B/s; a rate is at least 1 B/s")
            }
        }
    }
}
