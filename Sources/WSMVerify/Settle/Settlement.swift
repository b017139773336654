package import WSMRecord

/// What came of the deliveries of a run: the totals of the measured messages, and the answers of the checkers, which look at
/// all messages.
package struct Settlement: Sendable {
    package var delivery = DeliveryTotals()
    /// One for each of ``GuaranteeID``, in that order.
    package var guarantees: [GuaranteeOutcome] = []
    /// The latencies of all loops; the stages before the wire are recorded elsewhere and empty here.
    package var stages = StageHistograms()
    /// ``StageHistograms/latency`` by instance.
    package var latencies = InstanceLatencies()
    package var fanOutSkew = LatencyHistogram()
    package var sessions: Int64 = 0
    /// Sessions that had more holes than the ledger keeps; what they miss is indeterminate.
    package var blurredSessions: Int64 = 0
    /// Tries to connect that came to nothing, and the clients that never had a session.
    package var connectFailures: Int64 = 0
    package var neverConnected: Int64 = 0

    /// What each of the context's faults did, in their order.
    package var faults: [FaultScore] = []
    /// What was lost of the messages published in each bucket of the context's timeline; shorter where nothing more was.
    package var lostOverTime: [Int64] = []

    package init() {}

    package func outcome(_ id: GuaranteeID) -> GuaranteeOutcome? {
        guarantees.first { $0.id == id }
    }
}

/// The totals of CONTRACT.md's `delivery`, of measured messages only.
package struct DeliveryTotals: Hashable, Sendable, Codable {
    /// Messages handed to the broker or the memory manager without an error.
    package var published: Int64 = 0
    /// Always received + lost + indeterminate.
    package var expected: Int64 = 0
    /// Distinct messages, counted once for each session.
    package var received: Int64 = 0
    package var lost: Int64 = 0
    package var duplicated: Int64 = 0
    package var reordered: Int64 = 0
    /// Missing, and nobody can say whether the session was there.
    package var indeterminate: Int64 = 0
    package var foreign: Int64 = 0
    package var missedOffline: Int64 = 0
    /// Only the causes that occurred.
    package var lostByCause: [LossCause: Int64] = [:]
    /// Of those lost to the slow-client policy, what clients lost that read slowly on purpose.
    package var lostBySlowReaders: Int64 = 0

    package init() {}
}

/// Records that contradict each other: a fault of the harness, never of the system under test.
package struct SettlementError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Sendable {
        /// The ledger's equation does not hold.
        case ledgerDoesNotBalance
        /// What the observers counted is not what the history of the publishers says.
        case countsDiffer
        /// A history of a publisher that the observers were not told of, or two of one.
        case unknownPublisher
    }

    package let code: Code
    package let message: String

    package var description: String { message }
}

/// Settles a run: compares what was published with what each session received.
///
/// Pure: it may be called on any thread, with the snapshots of all observers and logs after the last of them has come to
/// rest. Time grows with sessions × publishers, with messages, and with what is missing, not with deliveries.
package func settle(
    loops: [LoopRecord], history: [PublisherHistory], context: SettlementContext
) throws(SettlementError) -> Settlement {
    var settler = Settler(loops: loops, history: history, context: context)
    try settler.run(history)
    return try settler.result()
}
