import WSMCore
import WSMManagers

/// The thread pool of a simulated instance, and the workflow processes that it runs.
///
/// A worker is a chain of entries on the agenda: it begins a process, sleeps through a step, submits the update, and goes on.
final class WorkerPool {
    private enum Job {
        case run(OrchestratorUUID)
        /// Only tells of the process's state.
        case log(OrchestratorUUID, intended: MonotonicInstant?)
    }

    private unowned let instance: Instance
    private let publishers: [Publisher]
    private var processes: [OrchestratorUUID: WorkflowProcess] = [:]
    private var jobs: [Job] = []
    private var head = 0
    private var idle: [Int]
    private var sleeping: [Bool]
    private var isStopped = false

    init(_ instance: Instance) {
        self.instance = instance
        publishers = (0..<instance.setup.workers).map { instance.makePublisher(entity: 16 + UInt64($0)) }
        idle = Array((0..<instance.setup.workers).reversed())
        sleeping = Array(repeating: false, count: instance.setup.workers)
    }

    /// Jobs that wait and jobs that run.
    var load: Int { jobs.count - head + publishers.count - idle.count }
    /// Whether every worker has left its job, after ``stop()``.
    var hasEnded: Bool { isStopped && idle.count == publishers.count }

    private var simulator: Simulator { instance.simulator }

    // MARK: What the API asks

    /// Starts a process; false when the pool has stopped.
    func start(_ spec: WorkflowSpec, id: OrchestratorUUID, measure: ProcessMeasure) -> Bool {
        processes[id] = WorkflowProcess(id: id, spec: spec, measure: measure)
        return submit(.run(id))
    }

    /// Resumes a process; `nil` when its status does not allow it (yet).
    func resume(_ id: OrchestratorUUID, intended: MonotonicInstant) -> Bool? {
        guard processes[id]?.status.isResumable == true else { return nil }
        invalidateStatusCounts(intended: intended)
        processes[id]?.resume(intended: intended)
        return submit(.run(id))
    }

    /// Aborts a process; false when it has ended.
    func abort(_ id: OrchestratorUUID, intended: MonotonicInstant) -> Bool {
        switch processes[id]?.abort() {
        case nil, .refused?: return false
        case .requested?: break
        case .done?: guard submit(.log(id, intended: intended)) else { return false }
        }
        invalidateStatusCounts(intended: intended)
        return true
    }

    /// `PUT /api/settings/status` with the engine unlocked, as it is anyway.
    func tellStatus(intended: MonotonicInstant) {
        let running = publishers.count - idle.count
        broadcastDirectly(
            .engineSettings, intended: intended,
            json: #"{"engine-status":{"global_lock":false,"running_processes":\#(running),"#
                + #""global_status":"RUNNING"}}"#)
        broadcastDirectly(.events, intended: intended, json: OrchestratorEvent.engineStatus.json)
    }

    private func invalidateStatusCounts(intended: MonotonicInstant?) {
        broadcastDirectly(.events, intended: intended, json: OrchestratorEvent.processStatusCounts.json)
    }

    private func broadcastDirectly(_ channel: ChannelName, intended: MonotonicInstant?, json: String) {
        let submission = Submission(source: .api, channel: channel, intended: intended, sent: simulator.now)
        guard let stamp = instance.probe?.submitted(submission) else { return }
        instance.api.put(
            Broadcast(channels: [channel], bytes: Broadcast.stampedBytes(json), stamp: stamp))
    }

    // MARK: Jobs

    private func submit(_ job: Job) -> Bool {
        guard !isStopped else { return false }
        jobs.append(job)
        if let worker = idle.popLast() {
            simulator.after(instance.costs.wake, .worker, worker) { [self] in instance.pass { [self] in next(worker) } }
        }
        return true
    }

    private func next(_ worker: Int) {
        guard head < jobs.count, !isStopped else { return idle.append(worker) }
        let job = jobs[head]
        head += 1
        if head > 1024 {
            jobs.removeFirst(head)
            head = 0
        }
        switch job {
        case .run(let id):
            processes[id]?.begin()
            step(id, worker, from: simulator.now)
        case .log(let id, let intended): log(id, worker, intended: intended) { [self] in next(worker) }
        }
    }

    /// Sleeps through the next step of the process; `begin` is the end of the one before, so that oversleeping does not add up.
    private func step(_ id: OrchestratorUUID, _ worker: Int, from begin: MonotonicInstant) {
        guard !isStopped else { return idle.append(worker) }
        guard let length = processes[id]?.nextStep else { return leave(id, worker) }
        let end = begin + length
        sleeping[worker] = true
        simulator.at(end + (instance.costs.machine?.pacing ?? .zero), .worker, worker) { [self] in
            instance.pass { [self] in
                // A stop has woken it.
                guard sleeping[worker] else { return }
                sleeping[worker] = false
                finishStep(id, worker, length, end)
            }
        }
    }

    private func finishStep(_ id: OrchestratorUUID, _ worker: Int, _ length: TimeSpan, _ end: MonotonicInstant) {
        guard let status = processes[id]?.finishStep(length: length) else { return next(worker) }
        let intended = processes[id]?.intendedNext
        log(id, worker, intended: intended) { [self] in
            switch status {
            case .running: step(id, worker, from: end)
            case .failed: invalidateStatusCounts(worker, intended: intended) { [self] in leave(id, worker) }
            default: leave(id, worker)
            }
        }
    }

    /// The last update of a run (`_run_process_async`), and one before it where an abort ended it.
    private func leave(_ id: OrchestratorUUID, _ worker: Int) {
        let isAborted = processes[id]?.endAborted() ?? false
        let intended = processes[id]?.intendedNext
        let last = { [self] in log(id, worker, intended: intended) { [self] in next(worker) } }
        if isAborted { log(id, worker, intended: intended, then: last) } else { last() }
    }

    /// Submits an update (`api_broadcast_process_data`): to the broadcast thread's queue, or directly.
    private func log(
        _ id: OrchestratorUUID, _ worker: Int, intended: MonotonicInstant?, then: @escaping () -> Void
    ) {
        guard let update = processes[id]?.update(intended: intended, sent: simulator.now) else { return then() }
        guard let thread = instance.thread else {
            return publishers[worker].broadcast(broadcasts(update, from: .worker(worker), queuedAt: nil)) { _ in then()
            }
        }
        thread.put(broadcasts(update, from: .broadcastThread, queuedAt: simulator.now))
        then()
    }

    private func broadcasts(
        _ update: ProcessUpdate, from source: Submission.Source, queuedAt: MonotonicInstant?
    ) -> [Broadcast] {
        update.events.compactMap { event in
            guard var stamp = instance.probe?.submitted(update.submission(from: source)) else { return nil }
            if let queuedAt { stamp.queued = queuedAt }
            return Broadcast(event, stamp: stamp)
        }
    }

    /// `broadcast_invalidate_status_counts` of a worker: it broadcasts itself.
    private func invalidateStatusCounts(_ worker: Int, intended: MonotonicInstant?, then: @escaping () -> Void) {
        let submission = Submission(
            source: .worker(worker), channel: .events, intended: intended, sent: simulator.now)
        guard let stamp = instance.probe?.submitted(submission) else { return then() }
        publishers[worker].broadcast([Broadcast(.processStatusCounts, stamp: stamp)]) { _ in then() }
    }

    // MARK: The end

    /// Lets running jobs end before their next step, wakes those that sleep, and leaves the waiting ones.
    func stop() {
        isStopped = true
        for worker in sleeping.indices where sleeping[worker] {
            sleeping[worker] = false
            idle.append(worker)
        }
        jobs = []
        head = 0
    }

    /// Lets the waiting jobs go and the running ones end before their next step.
    func abandon() { stop() }
}
