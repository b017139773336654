package import WSMCore

/// Everything that a run will do, drawn from the scenario and its seed before the run begins.
///
/// Offsets count from the start of the load, which is the start of the warm-up; they cover the warm-up and the measured
/// window. The same scenario gives the same plan on every machine. What is drawn for one client, process or publisher
/// depends on nothing else: taking a workload away leaves the draws of the others as they were, and taking the last
/// client away moves the reconnections of that client only.
package struct LoadPlan: Hashable, Sendable {
    package var clients: [PlannedClient]
    /// By time.
    package var churn: [PlannedChurn]
    /// By workload; each with its sends by time.
    package var broadcasters: [PlannedBroadcaster]
    /// By time; a process's index is its place here.
    package var processes: [PlannedProcess]
    /// By time.
    package var engineStatus: [PlannedEngineStatus]
}

/// A client and where it connects to.
package struct PlannedClient: Hashable, Sendable {
    package var index: Int
    package var instance: Int
    /// When it connects, counted from the start of the connect phase.
    package var connectAt: TimeSpan
    /// Bytes a second that it reads; `nil`: as fast as it can.
    package var readRate: Int?
    /// What it shows where instances ask for a token.
    package var credential = Credential.valid
}

/// A session that ends and begins anew.
package struct PlannedChurn: Hashable, Sendable {
    package var at: TimeSpan
    package var client: Int
}

/// One caller of `broadcastData`, and when it calls.
package struct PlannedBroadcaster: Hashable, Sendable {
    /// Its place among all broadcasters.
    package var index: Int
    /// The index of its workload in the scenario.
    package var workload: Int
    package var instance: Int
    package var channel: ChannelName
    /// What a message weighs with its stamp; ``BroadcastPayload/json(bytes:)`` makes it.
    package var payloadBytes: Int
    package var sendsAt: [TimeSpan]
}

/// One workflow process.
package struct PlannedProcess: Hashable, Sendable {
    /// Its place among all processes.
    package var index: Int
    /// The index of its workload in the scenario.
    package var workload: Int
    package var at: TimeSpan
    package var instance: Int
    package var id: OrchestratorUUID
    package var workflowName: String
    /// How long each step takes; a process that fails or is aborted runs only the first of them.
    package var steps: [TimeSpan]
    package var ending: ProcessEnding
    /// The subscriptions that its last update refreshes.
    package var subscriptions: [OrchestratorUUID]
}

/// How a process ends.
///
/// Steps are counted from 0.
package enum ProcessEnding: Hashable, Sendable {
    case completed
    /// The step runs for its length and then fails; the process ends there.
    case failed(atStep: Int)
    /// The process suspends once this step is done, is resumed that much later, and then completes.
    case suspended(afterStep: Int, resumeAfter: TimeSpan)
    /// The process is aborted once this step is done.
    case aborted(afterStep: Int)
}

/// One `PUT /api/settings/status`.
package struct PlannedEngineStatus: Hashable, Sendable {
    package var at: TimeSpan
    package var instance: Int
    /// Always false today: the engine's status is sent anew, and no process is held up by the load itself.
    package var globalLock: Bool
}
