internal import WSMInstance

/// What an instance counted since its start, for the end of a run.
struct InstanceCounts: Hashable, Sendable, Codable {
    var connections = 0
    var published = 0
    var failed = 0
    var brokerMessages = 0
    var queueRefused = 0
    var evicted = 0
    /// Broadcasts that were sent again although an earlier try may have been published.
    var riskyRetries = 0
    /// Planned items of the measured window that came to nothing because the instance was down.
    var skippedWhileDown = 0

    init() {}

    init(_ counters: InstanceCounters) {
        connections = counters.connections
        published = counters.published
        failed = counters.failed
        brokerMessages = counters.brokerMessages
        queueRefused = counters.queueRefused
        evicted = counters.evicted
        riskyRetries = counters.riskyRetries
    }

    /// Adds what the same instance counted in another life.
    mutating func add(_ other: InstanceCounts) {
        connections += other.connections
        published += other.published
        failed += other.failed
        brokerMessages += other.brokerMessages
        queueRefused += other.queueRefused
        evicted += other.evicted
        riskyRetries += other.riskyRetries
        skippedWhileDown += other.skippedWhileDown
    }
}
