internal import WSMCore
internal import WSMScenario

/// What became of one planned fault.
struct FaultRecord: Sendable {
    let planned: PlannedFault
    /// When it was to be injected.
    let dueAt: MonotonicInstant
    /// When it was injected; `nil`: it was not.
    var at: MonotonicInstant?
    /// When its cause was gone: Redis answers again, the instance listens again.
    var healedAt: MonotonicInstant?
    var hit = FaultHit()
    /// Why it could not be injected, or not healed.
    var failure: String?

    /// How much later than planned it was injected.
    var lateness: TimeSpan? { at.map { $0 - dueAt } }
}

/// What a fault took hold of.
struct FaultHit: Hashable, Sendable {
    /// Connections of Redis, WebSocket clients that were connected, instances.
    var connections = 0
    var clients = 0
    var instances = 0
}
