package import WSMCore
package import WSMRecord

/// What one event loop saw of a session: its instants and its counts.
package struct ObservedSession: Sendable {
    package let client: UInt32
    package let instance: UInt16
    package let slowReader: Bool
    package let attemptedAt: MonotonicInstant
    package let openedAt: MonotonicInstant
    /// `nil` as long as it is open.
    package internal(set) var closedAt: MonotonicInstant?
    package internal(set) var end: SessionEnd?
    /// When the first message or fence of this run came: from here on the session was certainly subscribed.
    package internal(set) var firstReceipt: MonotonicInstant?
    /// The latest instant of publishing among the messages and fences received: the session was certainly there then.
    package internal(set) var latestPublished: MonotonicInstant?
    package internal(set) var fences: Int64 = 0
    package internal(set) var counts = ReceiptCounts()
    package internal(set) var measuredCounts = ReceiptCounts()
    var steps = ProcessSteps()

    /// How the messages of a session came.
    package struct ReceiptCounts: Hashable, Sendable {
        /// Distinct messages.
        package internal(set) var received: Int64 = 0
        package internal(set) var duplicated: Int64 = 0
        /// Distinct messages that came after a later one of the same publisher.
        package internal(set) var reordered: Int64 = 0
        /// Late messages or duplicates: the session's ledger is blurred and cannot tell which.
        package internal(set) var ambiguous: Int64 = 0

        mutating func note(_ arrival: SessionLedger.Arrival) {
            switch arrival {
            case .advanced:
                received &+= 1
            case .late:
                received &+= 1
                reordered &+= 1
            case .duplicate:
                duplicated &+= 1
            case .ambiguous:
                ambiguous &+= 1
            }
        }
    }
}
