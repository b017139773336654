internal import WSMCore
internal import WSMVerify

extension DeliveryCounts {
    /// The settlement's totals as a result shows them; `span` is the measured window.
    init(_ totals: DeliveryTotals, over span: TimeSpan) {
        var causes: [String: Int] = [:]
        for (cause, count) in totals.lostByCause where count > 0 { causes[cause.rawValue] = Int(count) }
        let seconds = span.seconds
        self.init(
            published: Int(totals.published), expected: Int(totals.expected), received: Int(totals.received),
            lost: Int(totals.lost), duplicated: Int(totals.duplicated), reordered: Int(totals.reordered),
            indeterminate: Int(totals.indeterminate), foreign: Int(totals.foreign),
            missedOffline: Int(totals.missedOffline), lostByCause: causes,
            perSecond: seconds > 0 ? Double(totals.received) / seconds : 0)
        if totals.lostBySlowReaders > 0 { lostBySlowReaders = Int(totals.lostBySlowReaders) }
    }
}
