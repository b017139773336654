internal import WSMCore
internal import WSMVerify

/// Looks up, for the clients of this process, when an instance of this process wrote a message.
final class FleetWrittenInstants: WrittenInstants, Sendable {
    private let tables: [WrittenTable?]
    /// With a subscription a client, each client's frame is written at a time of its own.
    let isPerClient: Bool

    init(_ probes: [RunProbe], isPerClient: Bool) {
        tables = probes.map(\.written)
        self.isPerClient = isPerClient
    }

    func writtenAt(instance: UInt16, client: UInt32, publisher: UInt32, sequence: UInt64) -> MonotonicInstant? {
        guard Int(instance) < tables.count else { return nil }
        return tables[Int(instance)]?.instant(
            client: isPerClient ? client : nil, publisher: publisher, sequence: sequence)
    }
}
