package import NIOCore
import Synchronization
package import WSMCore
package import WSMRecord

/// A fleet of clients in the process of their instances, without sockets: for more clients than sockets can be had.
///
/// Its life and its calls are those of ``ClientFleet``. A client lives on its instance's event loop, where the instance
/// hands it its messages and the loop's sink records them; connects, churn, reconnects and closes are as on sockets. There
/// are no pings and no slow readers. A client costs some 150 bytes here beside what its sink and its instance keep.
package final class DirectFleet<Sink: DeliverySink & SendableMetatype>: Fleet {
    /// An instance that takes direct clients.
    package struct Host: Sendable {
        package var loop: any EventLoop
        /// Joins a receiver to the instance; called on `loop`, once.
        package var attach: @Sendable (any DirectReceiver) throws -> any DirectPort

        package init(
            loop: any EventLoop, attach: @escaping @Sendable (any DirectReceiver) throws -> any DirectPort
        ) {
            self.loop = loop
            self.attach = attach
        }
    }

    private typealias Shard = NIOLoopBoundBox<DirectShard<Sink>>

    private let hosts: [Host]
    private let shards: [Shard]
    /// Which shard each instance is on.
    private let shardOfInstance: [Int]
    private let progress = FleetProgress()
    private let instanceOfClient = Mutex<[UInt32: UInt16]>([:])

    /// A fleet of clients of `hosts`, whose event loops must outlive it.
    ///
    /// - Parameters:
    ///   - hosts: The instances, at least one; several may share an event loop.
    ///   - options: The seed and how clients come back; the rest is of sockets.
    ///   - makeSink: Makes the sink of an event loop; from then on it is used on that loop alone.
    package init(
        hosts: [Host], options: FleetOptions, makeSink: @Sendable (_ loopIndex: Int) -> Sink
    ) {
        precondition(!hosts.isEmpty, "a fleet needs an instance")
        self.hosts = hosts
        var shards: [Shard] = []
        var places: [Int] = []
        for host in hosts {
            if let known = shards.firstIndex(where: { $0.eventLoop === host.loop }) {
                places.append(known)
                continue
            }
            places.append(shards.count)
            let shard = DirectShard(
                loop: host.loop, sink: makeSink(shards.count), options: options, progress: progress)
            shards.append(NIOLoopBoundBox.makeBoxSendingValue(shard, eventLoop: host.loop))
        }
        self.shards = shards
        shardOfInstance = places
    }

    package var connectedCount: Int { progress.openSessions }

    /// Joins the instances and schedules every client's first session for `startingAt` + its `connectAt`.
    ///
    /// - Throws: ``FleetError`` with `invalidPlan`, or `wrongPhase` at a second call.
    package func connectAll(_ plan: [FleetClient], startingAt start: MonotonicInstant) async throws {
        let owners = try check(plan)
        let isFirst = instanceOfClient.withLock { known in
            guard known.isEmpty else { return false }
            known = owners
            return true
        }
        guard isFirst else {
            throw FleetError(code: .wrongPhase, message: "the fleet has a connect plan already; make another fleet")
        }
        for (instance, host) in hosts.enumerated() {
            let shard = shards[shardOfInstance[instance]]
            try await host.loop.submit {
                shard.value.attach(UInt16(instance), try host.attach(shard.value))
            }.get()
        }
        var parts = [[FleetClient]](repeating: [], count: shards.count)
        for client in plan.sorted(by: { ($0.connectAt, $0.index) < ($1.connectAt, $1.index) }) {
            parts[shardOfInstance[Int(client.instance)]].append(client)
        }
        progress.plan(plan.count)
        for (shard, part) in zip(shards, parts) {
            shard.eventLoop.execute { shard.value.begin(part, startingAt: start) }
        }
    }

    private func check(_ plan: [FleetClient]) throws -> [UInt32: UInt16] {
        var owners: [UInt32: UInt16] = [:]
        owners.reserveCapacity(plan.count)
        for client in plan {
            if Int(client.instance) >= hosts.count {
                throw FleetError(
                    code: .invalidPlan,
                    message: "client \(client.index) is planned for instance \(client.instance) of \(hosts.count)")
            }
            if client.readRate != nil {
                throw FleetError(
                    code: .invalidPlan,
                    message: "client \(client.index) is planned as a slow reader; without a socket nobody reads slowly")
            }
            if owners.updateValue(client.instance, forKey: client.index) != nil {
                throw FleetError(code: .invalidPlan, message: "client \(client.index) is planned twice")
            }
        }
        return owners
    }

    /// Waits until every client of the plan has had a session, whether or not it still has it.
    ///
    /// - Throws: ``FleetError`` with `notAllConnected` once `deadline` has come; `CancellationError`.
    package func awaitConnected(deadline: MonotonicInstant) async throws {
        await progress.waitUntilSettled(deadline: deadline, on: shards[0].eventLoop)
        try Task.checkCancellation()
        let state = progress.snapshot
        if state.openedOnce >= state.planned { return }
        throw FleetError(
            code: .notAllConnected,
            message:
                "\(state.openedOnce) of \(state.planned) clients connected in time; the instances' event loops are "
                + "behind with the others")
    }

    package func churn(_ plan: [FleetChurn]) throws {
        let instances = instanceOfClient.withLock { $0 }
        try shards.spread(
            plan, of: "the churn plan", client: \.client,
            part: { client in instances[client].map { shardOfInstance[Int($0)] } }
        ) { $0.churn($1) }
    }

    /// Without sockets there is nothing to disturb.
    package func disturb(_ disturbance: FleetDisturbance) throws {
        throw FleetError(
            code: .invalidPlan, message: "clients without sockets lose no connections; set clients.transport: websocket"
        )
    }

    /// There are none.
    package func releaseSlowReaders() {}

    /// Lets no client connect any more, and those that are connected wait for their instance to close.
    package func awaitCloses() async {
        await shards.awaitCloses()
    }

    /// Ends every session at once.
    @discardableResult
    package func endSessions(deadline: MonotonicInstant) async -> FleetEnding {
        for shard in shards {
            try? await shard.eventLoop.submit { shard.value.end() }.get()
        }
        return FleetEnding(abandoned: 0)
    }

    package func statistics() async -> FleetStatistics {
        await shards.statistics()
    }

    package func withSinks<Result: Sendable>(
        _ body: @escaping @Sendable (Sink) throws -> Result
    ) async throws -> [Result] {
        try await shards.withSinks(body)
    }

    package func finish() async throws -> sending [Sink] {
        await endSessions(deadline: .now())
        return try await shards.handOverSinks()
    }

    package func sampleReceiveBuffers(limit: Int) async -> ReceiveBuffers { ReceiveBuffers() }
}
