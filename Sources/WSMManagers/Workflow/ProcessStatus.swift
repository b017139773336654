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
