/// What an instance counted since its start, live or simulated, for the end of a run.
package struct InstanceCounts: Hashable, Sendable, Codable {
    package var connections = 0
    package var published = 0
    package var failed = 0
    package var brokerMessages = 0
    package var queueRefused = 0
    package var evicted = 0
    /// Broadcasts that were sent again although an earlier try may have been published.
    package var riskyRetries = 0
    /// Planned items of the measured window that came to nothing because the instance was down.
    package var skippedWhileDown = 0

    package init() {}

    /// Adds what the same instance counted in another life.
    package mutating func add(_ other: InstanceCounts) {
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
