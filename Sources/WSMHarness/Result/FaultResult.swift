/// A fault that the run injected, and what it did.
///
/// Instants count from the start of the measured window.
package struct FaultResult: Codable, Hashable, Sendable {
    /// `redis.restart`.
    package var action: String
    /// When it began.
    package var at: Int64
    /// When its cause was gone; `nil` for one that was still there at the end.
    package var healedAt: Int64?
    /// Deliveries lost to it.
    package var lost: Int
    /// The longest time in which a subscribed client got nothing of what was published.
    package var blackoutNanoseconds: Int64?
    /// From the healing until every client was subscribed and drained again; `nil` if that never came.
    package var recoveredAfterNanoseconds: Int64?

    package init(
        action: String, at: Int64, healedAt: Int64? = nil, lost: Int = 0, blackoutNanoseconds: Int64? = nil,
        recoveredAfterNanoseconds: Int64? = nil
    ) {
        self.action = action
        self.at = at
        self.healedAt = healedAt
        self.lost = lost
        self.blackoutNanoseconds = blackoutNanoseconds
        self.recoveredAfterNanoseconds = recoveredAfterNanoseconds
    }
}
