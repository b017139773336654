public import NIOCore
public import WSMCore
public import WSMManagers

/// A worker process of an instance: it runs the steps of processes on its thread pool, and each step publishes by itself.
///
/// This is `EXECUTOR=celery` of the reference: the instance takes the API calls and the clients, separate worker processes run
/// the steps and call `broadcast_data`, without a broadcast thread. It has no clients and no subscription. Every method may
/// be called from any thread.
public final class LiveWorker: Sendable {
    public let manager: LiveWebSocketManager
    private let parts: Parts

    /// Starts a worker, once Redis answers.
    ///
    /// - Parameters:
    ///   - configuration: As for the instance whose processes it runs; host and port are not used.
    ///   - group: The loop of its manager.
    ///   - probe: Who measures; `nil` in production.
    public static func start(
        _ configuration: LiveInstance.Configuration, on group: any EventLoopGroup, probe: (any InstanceProbe)? = nil
    ) async throws -> LiveWorker {
        var configuration = configuration
        configuration.hasBroadcastThread = false
        let loops = Array(group.makeIterator())
        let manager = try await LiveWebSocketManager.make(configuration.manager, on: loops, probe: probe).get()
        return LiveWorker(manager, Parts(configuration, manager, probe))
    }

    private init(_ manager: LiveWebSocketManager, _ parts: Parts) {
        self.manager = manager
        self.parts = parts
    }

    /// Starts a process on the thread pool.
    ///
    /// - Throws: when the pool takes no more.
    public func startProcess(_ spec: WorkflowSpec, id: OrchestratorUUID, measure: ProcessMeasure? = nil) throws {
        _ = try parts.engine.start(spec, id: id, measure: measure)
    }

    public func resumeProcess(_ id: OrchestratorUUID, intended: MonotonicInstant? = nil) throws {
        try parts.engine.resume(id, intended: intended)
    }

    public func abortProcess(_ id: OrchestratorUUID, intended: MonotonicInstant? = nil) throws {
        try parts.engine.abort(id, intended: intended)
    }

    public func statusOfProcess(_ id: OrchestratorUUID) -> ProcessStatus? { parts.engine.process(id)?.status }

    public func setGlobalLock(_ locked: Bool, intended: MonotonicInstant? = nil) {
        parts.engine.setGlobalLock(locked, intended: intended)
    }

    /// Processes that run or wait: 0 when it has come to rest.
    public var backlog: Int {
        let load = parts.engine.load
        return load.waiting + load.running
    }

    /// Ends its threads.
    ///
    /// Processes that still wait never run.
    public func stop(deadline: TimeSpan = .seconds(5)) async throws {
        _ = await Parts.stop(
            pool: parts.pool, thread: parts.thread, api: parts.api, manager: manager, until: .now() + deadline)
        try await manager.disconnectRedis()
    }
}
