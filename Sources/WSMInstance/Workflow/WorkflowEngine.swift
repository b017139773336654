internal import Synchronization
internal import WSMCore
internal import WSMManagers

/// Runs simulated workflow processes on the thread pool: start, steps, suspend and resume, abort, failure.
///
/// Reference: `services/processes.py` and `workflow.py`. Each step that is logged broadcasts an update, and so does the
/// end of each run; a failure also invalidates the status counts, directly. From any thread.
final class WorkflowEngine: Sendable {
    private let table = ProcessTable()
    private let pool: WorkerPool
    private let broadcast: BroadcastFunction
    private let api: (any DirectBroadcaster)?
    private let probe: (any InstanceProbe)?
    private let isLocked = Atomic<Bool>(false)
    private let enabled: Bool

    init(
        pool: WorkerPool, broadcast: BroadcastFunction, api: (any DirectBroadcaster)?, enabled: Bool,
        probe: (any InstanceProbe)?
    ) {
        self.pool = pool
        self.broadcast = broadcast
        self.api = api
        self.enabled = enabled
        self.probe = probe
    }

    // MARK: What the API asks

    /// Why a request is not carried out.
    enum Refusal: Error, Hashable {
        case notFound
        /// The engine is locked.
        case locked
        /// The process's status forbids it.
        case conflict(ProcessStatus)
        /// The thread pool takes no more.
        case overloaded
    }

    func start(
        _ spec: WorkflowSpec, id: OrchestratorUUID, measure: ProcessMeasure?
    ) throws(Refusal) -> OrchestratorUUID {
        guard !globalLock else { throw .locked }
        table.insert(WorkflowProcess(id: id, spec: spec, measure: measure))
        guard pool.submit({ self.run(id, $0) }) else { throw .overloaded }
        return id
    }

    /// Resumes a process; the status counts are broadcast first, directly.
    ///
    /// - Parameters:
    ///   - id: The process.
    ///   - intended: When the plan wanted it resumed, if it is measured.
    func resume(_ id: OrchestratorUUID, intended: MonotonicInstant? = nil) throws(Refusal) {
        guard !globalLock else { throw .locked }
        guard let process = table.get(id) else { throw .notFound }
        guard process.status.isResumable else { throw .conflict(process.status) }
        invalidateStatusCounts(intended: intended)
        _ = table.update(id) { $0.resume(intended: intended) }
        guard pool.submit({ self.run(id, $0) }) else { throw .overloaded }
    }

    /// Aborts a process: one that runs ends after its step, any other at once.
    ///
    /// The status counts follow.
    func abort(_ id: OrchestratorUUID, intended: MonotonicInstant? = nil) throws(Refusal) {
        switch table.update(id, { $0.abort() }) {
        case nil: throw .notFound
        case .refused(let status): throw .conflict(status)
        case .requested: break
        case .done: guard pool.submit({ self.log(id, $0, intended: intended) }) else { throw .overloaded }
        }
        invalidateStatusCounts(intended: intended)
    }

    func process(_ id: OrchestratorUUID) -> WorkflowProcess? { table.get(id) }
    func newest(_ count: Int) -> [WorkflowProcess] { table.newest(count) }
    var load: (waiting: Int, running: Int) { pool.load }
    var globalLock: Bool { isLocked.load(ordering: .sequentiallyConsistent) }

    /// Locks the engine (running processes stop before their next step and stay "running") or unlocks it (they go on).
    func setGlobalLock(_ locked: Bool, intended: MonotonicInstant? = nil) {
        let wasLocked = isLocked.exchange(locked, ordering: .sequentiallyConsistent)
        if wasLocked, !locked {
            for id in table.ids(with: .running) { _ = pool.submit { self.run(id, $0) } }
        }
        guard enabled else { return }
        let status = locked ? "PAUSED" : "RUNNING"
        let processes = pool.load.running
        broadcastDirectly(
            channel: .engineSettings, intended: intended,
            json: #"{"engine-status":{"global_lock":\#(locked),"running_processes":\#(processes),"#
                + #""global_status":"\#(status)"}}"#)
        broadcastDirectly(channel: .events, intended: intended, json: OrchestratorEvent.engineStatus.json)
    }

    // MARK: On a worker's thread

    /// Runs steps until the process ends, waits for input, is aborted, or the engine is locked or stops.
    private func run(_ id: OrchestratorUUID, _ worker: WorkerContext) {
        guard var (begin, next) = begin(id) else { return }
        while let length = next {
            if globalLock { return }
            // From the end of the step before, not from now, so that oversleeping does not add up.
            begin = begin + length
            guard pool.sleep(until: begin), let step = finishStep(of: id, length: length) else { return }
            broadcast.submit(step.update, worker: worker, probe: probe)
            if step.status == .failed { invalidateStatusCounts(worker: worker, intended: step.intendedNext) }
            next = step.status == .running ? step.next : nil
        }
        let isAborted = table.update(id) { $0.endAborted() } ?? false
        if isAborted { log(id, worker, intended: table.get(id)?.intendedNext) }
        // The last update of a run (`_run_process_async`).
        log(id, worker, intended: table.get(id)?.intendedNext)
    }

    private func begin(_ id: OrchestratorUUID) -> (at: MonotonicInstant, next: TimeSpan?)? {
        let next: TimeSpan?? = table.update(id) { process in
            process.begin()
            return process.nextStep
        }
        return next.map { (.now(), $0) }
    }

    /// What a step leaves: looked up together, since workers share the table.
    private struct StepEnd {
        var status: ProcessStatus
        /// To be broadcast (`_db_log_step`).
        var update: ProcessUpdate
        var next: TimeSpan?
        var intendedNext: MonotonicInstant?
    }

    private func finishStep(of id: OrchestratorUUID, length: TimeSpan) -> StepEnd? {
        let sent = MonotonicInstant.now()
        return table.update(id) { process in
            let status = process.finishStep(length: length)
            let update = process.update(intended: process.intendedNext, sent: sent)
            return StepEnd(
                status: status, update: update, next: process.nextStep, intendedNext: process.intendedNext)
        }
    }

    /// Logs the process's state and broadcasts the update (`_db_log_step`).
    private func log(_ id: OrchestratorUUID, _ worker: WorkerContext, intended: MonotonicInstant?) {
        let sent = MonotonicInstant.now()
        let update = table.update(id) { $0.update(intended: intended, sent: sent) }
        if let update { broadcast.submit(update, worker: worker, probe: probe) }
    }

    // MARK: Direct broadcasts

    /// `broadcast_invalidate_status_counts` of a worker: it broadcasts itself.
    private func invalidateStatusCounts(worker: WorkerContext, intended: MonotonicInstant?) {
        guard enabled else { return }
        let submission = Submission(
            source: .worker(worker.number), channel: .events, intended: intended, sent: .now())
        worker.publisher.broadcastData(
            [Broadcast(event: .processStatusCounts, stamp: probe?.submitted(submission))])
    }

    /// `broadcast_invalidate_status_counts_async` of an endpoint.
    private func invalidateStatusCounts(intended: MonotonicInstant?) {
        guard enabled else { return }
        broadcastDirectly(
            channel: .events, intended: intended, json: OrchestratorEvent.processStatusCounts.json)
    }

    func broadcastDirectly(
        channel: ChannelName, intended: MonotonicInstant? = nil, json: String,
        done: (@Sendable (Bool) -> Void)? = nil
    ) {
        guard let api else {
            done?(false)
            return
        }
        let probe = self.probe
        api.put {
            let submission = Submission(source: .api, channel: channel, intended: intended, sent: .now())
            let canBeStamped = json.utf8.last == UInt8(ascii: "}") && json.utf8.count > 2
            let stamp = canBeStamped ? probe?.submitted(submission) : nil
            let broadcast = Broadcast(channels: [channel], json: Array(json.utf8), stamp: stamp)
            return DirectBroadcast(broadcast: broadcast, done: done)
        }
    }

    /// Stops the workers; false when one is still busy at the deadline.
    ///
    /// Blocks.
    func stop(until deadline: MonotonicInstant) -> Bool { pool.stop(until: deadline) }
}
