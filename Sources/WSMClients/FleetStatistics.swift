import WSMCore

/// What a fleet counted beside the deliveries, which its sinks count.
package struct FleetStatistics: Sendable, Hashable, Codable {
    /// Attempts to connect, first ones and all others.
    package var attempts = 0
    /// Attempts that ended in an open session.
    package var opened = 0
    /// Attempts that a client made by itself after it had failed or lost its session.
    package var reconnects = 0
    /// Failed attempts by reason; at most ``reasonLimit`` reasons, the rest under `other`.
    package var failures: [String: Int] = [:]
    /// What became of the clients that were to be refused.
    package var refusals = RefusalCounts()
    /// Sessions that ended by the churn plan, and planned churns whose client had no session then.
    package var churned = 0
    package var churnsSkipped = 0
    /// Sessions that the server closed, lost without a close frame, and broken by a violation of the protocol.
    package var closedByServer = 0
    package var dropped = 0
    package var protocolErrors = 0
    /// Close frames that came after the first of their session.
    package var repeatedCloses = 0
    /// Sessions that we closed and whose server never answered.
    package var unansweredCloses = 0
    /// Clients that a disturbance disconnected or stalled, and those that had no session then.
    package var disconnected = 0
    package var stalled = 0
    package var disturbancesSkipped = 0
    /// Sockets of vanished clients that the server closed before the load was over.
    package var vanishedFound = 0
    /// Sessions that a client gave up because a ping was not answered in time.
    package var pongTimeouts = 0
    /// Pings sent, answers received, and pings without an answer when the next was due (slow readers' left out).
    package var pingsSent = 0
    package var pongsReceived = 0
    package var pingsUnanswered = 0
    /// Reads of sockets with open sessions and the bytes in them.
    package var reads = 0
    package var bytesRead = 0
    /// Text messages handed to the sinks, and binary ones, which are handed to nobody.
    package var messages = 0
    package var binaryMessages = 0
    /// How late the timers of the plans and the pings came.
    package var lateness = TimerLateness()

    package static let reasonLimit = 32

    package init() {}

    /// Counts a failed attempt.
    mutating func countFailure(_ reason: String, count: Int = 1) {
        let isKnown = failures[reason] != nil || failures.count < FleetStatistics.reasonLimit - 1
        failures[isKnown ? reason : "other", default: 0] += count
    }

    /// Adds what another shard or fleet counted.
    package mutating func add(_ other: FleetStatistics) {
        for (reason, count) in other.failures.sorted(by: { $0.key < $1.key }) { countFailure(reason, count: count) }
        refusals.add(other.refusals)
        attempts += other.attempts
        opened += other.opened
        reconnects += other.reconnects
        churned += other.churned
        churnsSkipped += other.churnsSkipped
        closedByServer += other.closedByServer
        dropped += other.dropped
        protocolErrors += other.protocolErrors
        repeatedCloses += other.repeatedCloses
        unansweredCloses += other.unansweredCloses
        disconnected += other.disconnected
        stalled += other.stalled
        disturbancesSkipped += other.disturbancesSkipped
        vanishedFound += other.vanishedFound
        pongTimeouts += other.pongTimeouts
        pingsSent += other.pingsSent
        pongsReceived += other.pongsReceived
        pingsUnanswered += other.pingsUnanswered
        reads += other.reads
        bytesRead += other.bytesRead
        messages += other.messages
        binaryMessages += other.binaryMessages
        lateness.add(other.lateness)
    }
}
