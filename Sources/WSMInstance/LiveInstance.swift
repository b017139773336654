public import NIOCore
internal import Synchronization
public import WSMCore
public import WSMManagers
public import WSMTLS

/// One live orchestrator instance: WebSocket endpoint, HTTP API, thread pool, `ProcessDataBroadcastThread`.
///
/// ``start(_:on:probe:)`` makes it ready for clients; ``stop(deadline:)`` ends it in the order that loses nothing. Every
/// method may be called from any thread.
public final class LiveInstance: Sendable {
    /// What an instance is to be.
    public struct Configuration: Sendable {
        /// Names its threads.
        public var name = "wsm"
        public var manager: LiveWebSocketManager.Configuration
        public var host = "127.0.0.1"
        /// 0 takes a free port.
        public var port = 0
        /// `MAX_WORKERS`.
        public var workers = 5
        /// Whether there is a broadcast thread: `EXECUTOR=threadpool`.
        public var hasBroadcastThread = true
        /// What it proves itself with to clients over TLS; `nil` for plain sockets.
        public var identity: TLSIdentity?
        public var authenticator: any SocketAuthenticator = NoAuthentication()
        /// Whether `POST /api/broadcast/{channel}` is open.
        public var allowsBroadcast = false
        public var seed: UInt64 = 0

        public init(manager: LiveWebSocketManager.Configuration) {
            self.manager = manager
        }
    }

    public let configuration: Configuration
    public let manager: LiveWebSocketManager
    let engine: WorkflowEngine
    private let pool: WorkerPool
    private let thread: ProcessDataBroadcastThread?
    private let api: (any DirectBroadcaster)?
    private let server: HTTPServer
    private let isStopping = Atomic<Bool>(false)

    // MARK: Start

    /// Starts an instance: Redis first, then its threads, then the listening socket.
    ///
    /// - Parameters:
    ///   - configuration: What it is to be.
    ///   - group: The loops of its clients; the manager's home is the first.
    ///   - probe: Who measures; `nil` in production.
    /// - Throws: `RedisError` when Redis does not answer, ``InstanceError`` when the address is taken or the certificate
    ///   cannot be used.
    public static func start(
        _ configuration: Configuration, on group: any EventLoopGroup, probe: (any InstanceProbe)? = nil
    ) async throws -> LiveInstance {
        let loops = Array(group.makeIterator())
        let manager = try await LiveWebSocketManager.make(configuration.manager, on: loops, probe: probe).get()
        do {
            try await manager.start()
        } catch {
            try? await manager.disconnectRedis()
            throw error
        }
        let parts = Parts(configuration, manager, probe)
        do {
            let server = try await HTTPServer.listen(
                host: configuration.host, port: configuration.port, identity: configuration.identity, on: group,
                routes: parts.routes,
                upgrade: WebSocketUpgrade(manager: manager, authenticator: configuration.authenticator))
            return LiveInstance(configuration, manager, parts, server)
        } catch {
            await parts.stop()
            try? await manager.disconnectRedis()
            throw error
        }
    }

    private init(
        _ configuration: Configuration, _ manager: LiveWebSocketManager, _ parts: Parts, _ server: HTTPServer
    ) {
        self.configuration = configuration
        self.manager = manager
        self.server = server
        engine = parts.engine
        pool = parts.pool
        thread = parts.thread
        api = parts.api
    }

    /// The port that it listens on.
    public var port: Int { server.localAddress?.port ?? 0 }

    // MARK: Use

    /// Starts a process on the thread pool, as `POST /api/processes/{workflow}` does.
    ///
    /// - Throws: when the engine is locked or the pool takes no more.
    public func startProcess(_ spec: WorkflowSpec, id: OrchestratorUUID, measure: ProcessMeasure? = nil) throws {
        _ = try engine.start(spec, id: id, measure: measure)
    }

    /// Resumes a process.
    ///
    /// The status counts are broadcast first, directly.
    public func resumeProcess(_ id: OrchestratorUUID, intended: MonotonicInstant? = nil) throws {
        try engine.resume(id, intended: intended)
    }

    /// Aborts a process; the status counts are broadcast after it.
    public func abortProcess(_ id: OrchestratorUUID, intended: MonotonicInstant? = nil) throws {
        try engine.abort(id, intended: intended)
    }

    public func statusOfProcess(_ id: OrchestratorUUID) -> ProcessStatus? { engine.process(id)?.status }

    /// Locks or unlocks the engine and broadcasts its status, as `PUT /api/settings/status` does.
    public func setGlobalLock(_ locked: Bool, intended: MonotonicInstant? = nil) {
        engine.setGlobalLock(locked, intended: intended)
    }

    /// Updates and direct broadcasts that wait, and processes that run or wait: 0 when the instance has come to rest.
    public var backlog: Int {
        let load = engine.load
        return (thread?.waiting ?? 0) + load.waiting + load.running
    }

    /// How the broadcast thread ended; `nil` while it lives, or where there is none.
    public var broadcastThreadEnd: BroadcastThreadEnd? { thread?.end }

    // MARK: Stop

    /// What a stop left behind.
    public struct StopReport: Hashable, Sendable {
        /// Clients that had to be cut at the deadline.
        public var clientsCut = 0
        /// Threads that were still busy at theirs, by name.
        public var busyThreads: [String] = []
        /// Updates that were never published: they waited for the broadcast thread when it ended.
        public var updatesLeft = 0

        public init() {}
    }

    /// Stops the instance; a second call does nothing.
    ///
    /// Hardened: no new work, workers end, the queue is drained, then the clients are closed and Redis is left. The
    /// reference closes its clients and Redis first and does not drain (`app.py`, `shutdown_functions`).
    public func stop(deadline: TimeSpan = .seconds(5)) async throws -> StopReport {
        var report = StopReport()
        guard !isStopping.exchange(true, ordering: .relaxed) else { return report }
        let until = MonotonicInstant.now() + deadline
        try await server.close()
        let drains = configuration.manager.policies.queue.drainsOnStop
        if drains { await stopThreads(until: until, &report) }
        try await manager.disconnectAll()
        // Clients that `disconnect_all` skipped wait for nothing: the reference's server cuts them when it exits.
        let isComplete = configuration.manager.policies.disconnectAll == .complete
        let patience = isComplete ? deadline : min(deadline, Self.skippedClientsPatience)
        report.clientsCut = try await manager.awaitNoClients(deadline: patience)
        if !drains { await stopThreads(until: until, &report) }
        try await manager.disconnectRedis()
        return report
    }

    private static let skippedClientsPatience = TimeSpan.milliseconds(500)

    /// Ends the instance at once, as a crash does: its sockets close without a close frame, its connections to Redis too,
    /// its threads end without draining, and nothing more is sent.
    ///
    /// A thread that waits for Redis at this moment ends when that call does, and does nothing with the answer. A second call,
    /// or one after ``stop(deadline:)``, does nothing.
    public func crash() async {
        guard !isStopping.exchange(true, ordering: .relaxed) else { return }
        manager.publishersCancelled.cancel()
        // Who stands still must not go on by itself later.
        manager.standStill.end()
        pool.abandon()
        thread?.abandon()
        api?.abandon()
        // It fails only when the socket is closed already.
        try? await server.close()
        await manager.crash()
    }

    /// Lets the whole instance stand still, as SIGSTOP does: its event loops, its workers and whoever publishes for it, each
    /// before its next step.
    ///
    /// Connections stay, and the kernel takes new ones. Returns once the loops stand still; ``resume()`` ends it.
    ///
    /// - Throws: ``InstanceError`` when a loop was not reached in time: then nothing stands still.
    public func pause(deadline: TimeSpan = .seconds(2)) async throws {
        try await manager.pause(deadline: deadline)
    }

    /// Lets a paused instance go on; else does nothing.
    public func resume() { manager.standStill.end() }

    private func stopThreads(until deadline: MonotonicInstant, _ report: inout StopReport) async {
        let left = await Parts.stop(pool: pool, thread: thread, api: api, manager: manager, until: deadline)
        report.busyThreads = left.busy
        report.updatesLeft = left.updates
    }
}

/// The threads and the API of an instance, made before its listening socket.
struct Parts {
    let pool: WorkerPool
    let thread: ProcessDataBroadcastThread?
    let api: (any DirectBroadcaster)?
    let engine: WorkflowEngine
    let routes: Routes
    private let manager: LiveWebSocketManager

    /// Tells the random draws of the instance's publishers apart; workers come after these.
    private enum Entity {
        static let thread: UInt64 = 1
        static let api: UInt64 = 2
        static let workers: UInt64 = 16
    }

    init(
        _ configuration: LiveInstance.Configuration, _ manager: LiveWebSocketManager,
        _ probe: (any InstanceProbe)?
    ) {
        self.manager = manager
        let enabled = configuration.manager.enabled
        let name = configuration.name
        pool = WorkerPool(workers: configuration.workers, name: name, standStill: manager.standStill) { number in
            manager.makePublisher(entity: Entity.workers + UInt64(number))
        }
        let thread =
            enabled && configuration.hasBroadcastThread
            ? ProcessDataBroadcastThread(manager: manager, name: "\(name)-bcast", entity: Entity.thread) : nil
        let api = enabled ? manager.makeDirectBroadcaster(name: "\(name)-api", entity: Entity.api) : nil
        let engine = WorkflowEngine(
            pool: pool, broadcast: BroadcastFunction(thread: thread, enabled: enabled), api: api, enabled: enabled,
            probe: probe)
        self.thread = thread
        self.api = api
        self.engine = engine
        let text = InstanceText(manager: manager, engine: engine, thread: thread)
        routes = Routes(
            engine: engine, allowsBroadcast: configuration.allowsBroadcast, seed: configuration.seed,
            health: { text.health }, metrics: { text.metrics })
    }

    func stop() async {
        _ = await Self.stop(pool: pool, thread: thread, api: api, manager: manager, until: .now() + .seconds(5))
    }

    /// Ends the threads on a thread that may block; returns the names of those that were still busy, and how many updates
    /// were left.
    static func stop(
        pool: WorkerPool, thread: ProcessDataBroadcastThread?, api: (any DirectBroadcaster)?,
        manager: LiveWebSocketManager, until deadline: MonotonicInstant
    ) async -> (busy: [String], updates: Int) {
        await withCheckedContinuation { continuation in
            _ = DedicatedThread(name: "wsm-stop") {
                var busy: [String] = []
                if !pool.stop(until: deadline) { busy.append("thread pool") }
                if thread?.stop() == false { busy.append("ProcessDataBroadcastThread") }
                if api?.stop(until: max(deadline, .now() + .seconds(1))) == false { busy.append("API broadcasts") }
                // Whoever is still busy waits for a broadcast that nobody wants any more.
                manager.publishersCancelled.cancel()
                continuation.resume(returning: (busy, thread?.abandonQueue() ?? 0))
            }
        }
    }
}
