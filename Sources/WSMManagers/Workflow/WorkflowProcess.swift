public import WSMCore

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

/// One workflow process of an instance: its steps, how it ends, and which update comes next.
///
/// A plain value without a clock or a thread: whoever runs its steps (a worker thread, live or simulated) tells it each
/// event, and broadcasts the updates that it hands out. Reference: `services/processes.py` and `workflow.py`.
public struct WorkflowProcess: Sendable {
    public let id: OrchestratorUUID
    public let spec: WorkflowSpec
    public let measure: ProcessMeasure?
    public private(set) var status = ProcessStatus.created
    /// Steps that are done.
    public private(set) var stepsDone = 0
    /// The intended instant of the next step's beginning, moved on by each step's length and set anew by a resume.
    public private(set) var intendedNext: MonotonicInstant?
    public private(set) var abortRequested = false
    /// Updates that have been submitted: numbers them for the order of a process's updates.
    private var updates: UInt16 = 0
    /// Whether a failure or suspension of the spec has already happened.
    private var hasTurned = false

    public init(id: OrchestratorUUID, spec: WorkflowSpec, measure: ProcessMeasure? = nil) {
        self.id = id
        self.spec = spec
        self.measure = measure
        intendedNext = measure?.intendedStart
    }

    /// How long the next step takes; `nil` when none is left, or none is to be begun any more.
    public var nextStep: TimeSpan? {
        guard !abortRequested, stepsDone < spec.steps.count else { return nil }
        return spec.steps[stepsDone]
    }

    /// A worker takes it up.
    public mutating func begin() {
        if !abortRequested { status = .running }
    }

    /// The next step, which took `length`, is over: counts it as done, and says what the process is now.
    public mutating func finishStep(length: TimeSpan) -> ProcessStatus {
        if let intended = intendedNext { intendedNext = intended + length }
        let step = stepsDone
        if !hasTurned, spec.ending == .failed(atStep: step) {
            hasTurned = true
            status = .failed
            return .failed
        }
        stepsDone += 1
        if stepsDone == spec.steps.count {
            status = .completed
        } else if !hasTurned, spec.ending == .suspended(afterStep: step) {
            hasTurned = true
            status = .suspended
        }
        return status
    }

    /// Its worker has left the steps: true when that is because of an abort, which takes effect now.
    public mutating func endAborted() -> Bool {
        guard abortRequested, !status.isTerminal else { return false }
        status = .aborted
        return true
    }

    /// It is to run again; the caller has looked whether its status allows that.
    public mutating func resume(intended: MonotonicInstant?) {
        status = .resumed
        if measure != nil { intendedNext = intended }
    }

    /// What a request to abort leads to.
    public enum Abort: Hashable, Sendable {
        /// It has ended already.
        case refused(ProcessStatus)
        /// It ends after the step that runs.
        case requested
        /// It has ended, and an update has to tell so.
        case done
    }

    public mutating func abort() -> Abort {
        switch status {
        case .completed, .aborted: return .refused(status)
        case .running:
            abortRequested = true
            return .requested
        default:
            status = .aborted
            abortRequested = true
            return .done
        }
    }

    /// The next update of the process, as `_db_log_step` makes it.
    ///
    /// - Parameters:
    ///   - intended: When the plan wanted it; of no effect unless the process is measured.
    ///   - sent: When it is ready.
    public mutating func update(intended: MonotonicInstant?, sent: MonotonicInstant) -> ProcessUpdate {
        defer { updates &+= 1 }
        return ProcessUpdate(
            process: id, isTerminal: status.isTerminal, subscriptions: spec.subscriptions, measure: measure,
            step: updates, intended: measure == nil ? nil : intended, sent: sent)
    }
}

/// One update of a process as it is submitted.
public struct ProcessUpdate: Hashable, Sendable {
    public var process: OrchestratorUUID
    public var isTerminal: Bool
    public var subscriptions: [OrchestratorUUID]
    public var measure: ProcessMeasure?
    /// Counts the process's updates from 0.
    public var step: UInt16
    public var intended: MonotonicInstant?
    public var sent: MonotonicInstant

    /// The update's messages in their order.
    public var events: [OrchestratorEvent] {
        OrchestratorEvent.processUpdate(process, terminal: isTerminal, subscriptions: subscriptions)
    }

    /// How each of its messages is submitted by `source`.
    public func submission(from source: Submission.Source) -> Submission {
        Submission(
            source: source, channel: .events, intended: intended, sent: sent, process: measure?.index, step: step)
    }
}
