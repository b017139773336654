public import WSMCore

/// The states of a process (`ProcessStatus` in the reference's `workflow.py`).
public enum ProcessStatus: String, Hashable, Sendable, CaseIterable, Codable {
    case created
    case running
    case suspended
    case waiting
    case awaitingCallback = "awaiting_callback"
    case aborted
    case failed
    case apiUnavailable = "api_unavailable"
    case inconsistentData = "inconsistent_data"
    case completed
    case resumed

    /// Whether an update also names the process's subscriptions (`_TERMINAL_PROCESS_STATUSES`).
    public var isTerminal: Bool {
        switch self {
        case .completed, .failed, .inconsistentData, .apiUnavailable, .aborted: true
        case .created, .running, .suspended, .waiting, .awaitingCallback, .resumed: false
        }
    }

    /// Whether `resume` takes it (`RESUMABLE_STATUSES`).
    public var isResumable: Bool {
        switch self {
        case .suspended, .waiting, .awaitingCallback, .failed, .apiUnavailable, .inconsistentData, .resumed: true
        case .created, .running, .aborted, .completed: false
        }
    }
}

/// What a simulated workflow does: steps that take time, and how it ends.
public struct WorkflowSpec: Hashable, Sendable {
    /// What happens instead of the plain end.
    public enum Ending: Hashable, Sendable {
        case completed
        /// The step with this index fails; a resume runs it again, and it succeeds.
        case failed(atStep: Int)
        /// Waits for input after the step with this index, until it is resumed.
        case suspended(afterStep: Int)
    }

    public var name: String
    /// How long each step takes.
    public var steps: [TimeSpan]
    public var ending: Ending
    /// The subscriptions that the process changes.
    public var subscriptions: [OrchestratorUUID]

    public init(
        name: String, steps: [TimeSpan], ending: Ending = .completed, subscriptions: [OrchestratorUUID] = []
    ) {
        self.name = name
        self.steps = steps
        self.ending = ending
        self.subscriptions = subscriptions
    }
}

/// What a load knows of a process before it runs, so that its updates can be measured.
public struct ProcessMeasure: Hashable, Sendable {
    /// The process's number in the plan.
    public var index: UInt32
    /// When the plan wanted it started.
    public var intendedStart: MonotonicInstant

    public init(index: UInt32, intendedStart: MonotonicInstant) {
        self.index = index
        self.intendedStart = intendedStart
    }
}

/// One process in an instance's table.
struct WorkflowProcess: Sendable {
    let id: OrchestratorUUID
    let spec: WorkflowSpec
    var measure: ProcessMeasure?
    var status = ProcessStatus.created
    /// Steps that are done.
    var stepsDone = 0
    /// Updates that have been submitted: numbers them for the order of a process's updates.
    var updates: UInt16 = 0
    /// The intended instant of the next step's beginning, moved on by each step's length and set anew by a resume.
    var intendedNext: MonotonicInstant?
    /// Whether a failure or suspension of the spec has already happened.
    var hasTurned = false
    var abortRequested = false
}
