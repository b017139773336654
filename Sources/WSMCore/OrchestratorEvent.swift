/// The events that an orchestrator sends on the channel `events`, as `websocket/__init__.py` of the reference makes them.
public enum OrchestratorEvent: Hashable, Sendable {
    case processList
    case process(OrchestratorUUID)
    case subscriptionList
    case subscription(OrchestratorUUID)
    case processStatusCounts
    case engineStatus

    /// The event as JSON, compact as the reference's serializer writes it.
    public var json: String {
        let value =
            switch self {
            case .processList: #"{"type":"processes","id":"LIST"}"#
            case .process(let id): #"{"type":"processes","id":"\#(id)"}"#
            case .subscriptionList: #"{"type":"subscriptions","id":"LIST"}"#
            case .subscription(let id): #"{"type":"subscriptions","id":"\#(id)"}"#
            case .processStatusCounts: #"{"type":"processStatusCounts"}"#
            case .engineStatus: #"{"type":"engineStatus"}"#
            }
        return #"{"name":"invalidateCache","value":\#(value)}"#
    }

    /// The same as bytes.
    public var jsonBytes: [UInt8] { self == .processList ? Self.processListBytes : Array(json.utf8) }

    /// Part of every update.
    private static let processListBytes = Array(OrchestratorEvent.processList.json.utf8)

    /// What one update of a process broadcasts, in this order: the list, the process and, once it has ended, each of its
    /// subscriptions (`broadcast_process_update_to_websocket_async`).
    public static func processUpdate(
        _ process: OrchestratorUUID, terminal: Bool, subscriptions: [OrchestratorUUID]
    ) -> [OrchestratorEvent] {
        [.processList, .process(process)] + (terminal ? subscriptions.map { .subscription($0) } : [])
    }
}
