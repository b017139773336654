import WSMCore

/// Which connections will be reset, and when their instances will be able to see it.
///
/// An event loop's turn is performed at its first instant, and what it does goes on for a while: a socket that dies meanwhile
/// makes a later send of the same turn fail, before the loop has noticed anything. Faults are planned, so what happens while a
/// turn goes on is known when it begins.
struct ResetForecast {
    /// By client, in the order of their instants: when the reset is at the instance.
    private var expected: [Int: [MonotonicInstant]] = [:]
    /// By connection: resets that have left their client.
    private var underWay: [Int: MonotonicInstant] = [:]

    /// A fleet closes one socket after the other, each in the time of a small system call.
    func delay(of place: Int, _ costs: CostModel) -> TimeSpan { costs.write.scaled(by: Double(place)) }

    mutating func expect(_ client: Int, at instant: MonotonicInstant) {
        expected[client, default: []].append(instant)
    }

    /// What was expected of the client has happened, or has come too late to find a connection.
    mutating func happened(_ client: Int) {
        guard var instants = expected.removeValue(forKey: client) else { return }
        instants.removeFirst()
        if !instants.isEmpty { expected[client] = instants }
    }

    mutating func left(_ connection: Int, arrival: MonotonicInstant) { underWay[connection] = arrival }
    mutating func arrived(_ connection: Int) { underWay[connection] = nil }

    func next(of client: Int) -> MonotonicInstant? { expected[client]?.first }
    func arrival(on connection: Int) -> MonotonicInstant? { underWay[connection] }
    var isEmpty: Bool { expected.isEmpty && underWay.isEmpty }
}
