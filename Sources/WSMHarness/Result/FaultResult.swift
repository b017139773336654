internal import WSMCore
package import WSMVerify

/// A fault that the run injected, and what it did.
///
/// Instants count from the start of the measured window. What was lost belongs to the last fault that had begun by then.
package struct FaultResult: Codable, Hashable, Sendable {
    /// What it took hold of: connections of Redis, clients that were connected, instances.
    package struct Hit: Codable, Hashable, Sendable {
        package var connections = 0
        package var clients = 0
        package var instances = 0

        package init() {}
    }

    /// What clients felt whose instance the fault left alone.
    package struct Bystanders: Codable, Hashable, Sendable {
        package var clients: Int
        package var receivedBefore: Int
        package var receivedDuring: Int
        /// Latencies, in steps of a sixteenth, over the fault and as long a time before it; `nil` without samples.
        package var p50Before: Int64?
        package var p99Before: Int64?
        package var p50During: Int64?
        package var p99During: Int64?
    }

    /// `redis.restart`.
    package var action: String
    /// The instance that it aimed at; `nil`: all, or none.
    package var target: Int?
    /// When it began.
    package var at: Int64
    /// When its cause was gone; `nil` for one that was still there at the end.
    package var healedAt: Int64?
    /// When the scenario wanted it, and how much later it came; `nil` for one that was not injected.
    package var plannedAt: Int64
    package var lateNanoseconds: Int64?
    /// Why it could not be injected or healed.
    package var failure: String?
    package var hit = Hit()
    /// Deliveries lost to it: all, and by cause.
    package var lost: Int
    package var lostByCause: [String: Int] = [:]
    /// Of the client that waited longest: from the first message that it should have got until it got one.
    package var blackoutNanoseconds: Int64?
    /// From the healing until the first client, and until every client that was there to the end, had got something that was
    /// published since; `nil` if that never came.
    package var firstDeliveryAfterNanoseconds: Int64?
    package var fullDeliveryAfterNanoseconds: Int64?
    /// From the healing until every client was subscribed and drained again; `nil` if that never came, for one client at least.
    package var recoveredAfterNanoseconds: Int64?
    /// Clients that were connected when it began; and of those: dropped without a close frame, closed by the server, told that
    /// they may have missed something, connected anew.
    package var connectedClients = 0
    package var droppedClients = 0
    package var closedClients = 0
    package var markedClients = 0
    package var reconnectedClients = 0
    /// Clients that stayed open and heard nothing any more; and those that could have heard, had anything been sent.
    package var deafClients = 0
    package var unsentClients = 0
    /// What clients missed without a sign although the broker had taken it.
    package var silentlyMissed = FaultScore.Silent()
    package var bystanders: Bystanders?

    package init(
        action: String, at: Int64, healedAt: Int64? = nil, lost: Int = 0, blackoutNanoseconds: Int64? = nil,
        recoveredAfterNanoseconds: Int64? = nil
    ) {
        self.action = action
        self.at = at
        self.plannedAt = at
        self.healedAt = healedAt
        self.lost = lost
        self.blackoutNanoseconds = blackoutNanoseconds
        self.recoveredAfterNanoseconds = recoveredAfterNanoseconds
    }

    /// Takes over what a settlement found.
    mutating func take(_ score: FaultScore) {
        lost = Int(score.lost)
        lostByCause = Dictionary(
            uniqueKeysWithValues: score.lostByCause.filter { $0.value > 0 }.map { ($0.key.rawValue, Int($0.value)) })
        blackoutNanoseconds = score.blackout?.nanoseconds
        firstDeliveryAfterNanoseconds = score.firstDeliveryAfter?.nanoseconds
        fullDeliveryAfterNanoseconds = score.fullDeliveryAfter?.nanoseconds
        recoveredAfterNanoseconds = score.recoveredAfter?.nanoseconds
        connectedClients = score.connectedClients
        droppedClients = score.droppedClients
        closedClients = score.closedClients
        markedClients = score.markedClients
        reconnectedClients = score.reconnectedClients
        deafClients = score.deafClients
        unsentClients = score.unsentClients
        silentlyMissed = score.silentlyMissed
    }
}
