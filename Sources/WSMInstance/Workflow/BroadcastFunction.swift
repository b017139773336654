internal import WSMCore
internal import WSMManagers

/// How updates of processes reach the clients: what `api_broadcast_process_data` chooses.
///
/// Reference: `services/process_broadcast_thread.py`. With a broadcast thread, updates go to its queue; without one but
/// with WebSockets enabled, the worker broadcasts itself; else nothing happens. A broadcast that fails never fails the
/// workflow.
enum BroadcastFunction: Sendable {
    case queue(ProcessDataBroadcastThread)
    case direct
    case none

    init(thread: ProcessDataBroadcastThread?, enabled: Bool) {
        if let thread {
            self = .queue(thread)
        } else {
            self = enabled ? .direct : .none
        }
    }

    /// Submits one update of a process.
    ///
    /// Its messages are settled now: whether the process has ended is that of this moment. The reference looks it up when
    /// the thread gets to it, which makes a difference only to updates that wait while their process ends.
    func submit(_ update: ProcessUpdate, worker: WorkerContext, probe: (any InstanceProbe)?) {
        switch self {
        case .none: break
        case .queue(let thread):
            thread.put {
                let queued = MonotonicInstant.now()
                return .init(broadcasts: update.broadcasts(from: .broadcastThread, probe: probe, queuedAt: queued))
            }
        case .direct:
            worker.publisher.broadcastData(
                update.broadcasts(from: .worker(worker.number), probe: probe, queuedAt: nil))
        }
    }
}

extension ProcessUpdate {
    /// The update's messages in their order, each stamped if it is measured.
    func broadcasts(
        from source: Submission.Source, probe: (any InstanceProbe)?, queuedAt queued: MonotonicInstant?
    ) -> [Broadcast] {
        events.map { event in
            var stamp = probe?.submitted(submission(from: source))
            if let queued { stamp?.queued = queued }
            return Broadcast(event: event, stamp: stamp)
        }
    }
}
