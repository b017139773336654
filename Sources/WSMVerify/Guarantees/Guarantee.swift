/// The guarantees of DESIGN.md, by their names in results and scenarios.
package enum GuaranteeID: String, CaseIterable, Sendable, Codable {
    case integrity
    case atMostOnce = "at-most-once"
    case publisherOrder = "publisher-order"
    case processOrder = "process-order"
    case noGap = "no-gap"
    case completeness
    case sessionBounds = "session-bounds"
    case totalOrder = "total-order"
    case realTimeOrder = "real-time-order"
    case crossInstanceReach = "cross-instance-reach"
    case isolation
    case noSilentLoss = "no-silent-loss"
    case boundedLag = "bounded-lag"
    case recovery
    case cleanShutdown = "clean-shutdown"
}

/// What a checker answers.
package enum Verdict: String, Sendable, Codable {
    /// There was evidence, and nothing spoke against it.
    case holds
    case violated
    /// There was no evidence, or not enough.
    case unknown
}

/// The answer of one checker.
package struct GuaranteeOutcome: Hashable, Sendable, Codable {
    package var id: GuaranteeID
    package var verdict: Verdict
    /// How many times the guarantee was put to the test.
    package var checked: Int64
    package var violations: Int64
    /// The earliest violation in words: who, what, when.
    package var witness: String?
    /// The same as events, for a drawing; `nil` where there are none.
    package var witnessEvents: [WitnessEvent]?

    /// - Parameter isBlurred: some evidence was too much to keep, so that no violation means nothing.
    package init(
        id: GuaranteeID, checked: Int64, violations: Int64, witness: String?, events: [WitnessEvent] = [],
        isBlurred: Bool = false
    ) {
        self.id = id
        self.checked = checked
        self.violations = violations
        self.witness = violations > 0 ? witness : nil
        witnessEvents = violations > 0 && !events.isEmpty ? events : nil
        if violations > 0 {
            verdict = .violated
        } else {
            verdict = checked > 0 && !isBlurred ? .holds : .unknown
        }
    }
}

/// Why a message that a client had to get did not come, by its name in results.
package enum LossCause: String, CaseIterable, Sendable, Codable, CodingKeyRepresentable {
    /// It was published on another instance, which the memory manager does not reach.
    case otherInstance = "other-instance"
    /// The broker was away.
    case brokerGap = "broker-gap"
    /// The publisher's or the client's instance was down.
    case instanceDown = "instance-down"
    /// The slow-client policy took it from the client.
    case evicted
    /// The broadcast queue was full, or was left as it was when its thread stopped.
    case queueDropped = "queue-dropped"
    /// The broadcast thread had died.
    case threadDead = "thread-dead"
    /// A serial fan-out ended at an earlier client: its socket was dead, or it stalled until the instance stopped.
    case fanOutAborted = "fan-out-aborted"
    /// The publish failed.
    case publishFailed = "publish-failed"
    /// None of the above is known to have happened: always a violation.
    case unexplained
}
