/// The deliveries of the measured window: a message to a session that was certainly subscribed is one.
package struct DeliveryCounts: Codable, Hashable, Sendable {
    /// Messages published, each counted once however many clients should get it.
    package var published: Int
    /// Deliveries that had to be: `received + lost + indeterminate`, always.
    package var expected: Int
    package var received: Int
    /// The sum of ``lostByCause``.
    package var lost: Int
    /// Deliveries beyond the first of the same message in one session.
    package var duplicated: Int
    /// Messages that arrived after a later one of the same publisher.
    package var reordered: Int
    /// Published while it was not certain whether the session was subscribed.
    package var indeterminate: Int
    /// Messages without a stamp of this run.
    package var foreign: Int
    /// Published while a client had no connection; not expected.
    package var missedOffline: Int
    /// How many deliveries are missing for each cause; causes without any may be left out.
    package var lostByCause: [String: Int]
    /// Of those lost to the slow-client policy, what clients lost that read slowly on purpose; `nil`: nothing.
    package var lostBySlowReaders: Int?
    /// Deliveries received a second, over the measured window.
    package var perSecond: Double

    package init(
        published: Int = 0, expected: Int = 0, received: Int = 0, lost: Int = 0, duplicated: Int = 0,
        reordered: Int = 0, indeterminate: Int = 0, foreign: Int = 0, missedOffline: Int = 0,
        lostByCause: [String: Int] = [:], perSecond: Double = 0
    ) {
        self.published = published
        self.expected = expected
        self.received = received
        self.lost = lost
        self.duplicated = duplicated
        self.reordered = reordered
        self.indeterminate = indeterminate
        self.foreign = foreign
        self.missedOffline = missedOffline
        self.lostByCause = lostByCause
        self.perSecond = perSecond
    }

    /// Whether nothing is hidden: the sums of expected and of lost come out.
    package var isBalanced: Bool {
        expected == received + lost + indeterminate && lost == lostByCause.values.reduce(0, +)
    }
}
