internal import WSMCore
internal import WSMVerify

/// Looks up, for the clients of this process, when an instance of this process wrote a message.
final class FleetWrittenInstants: WrittenInstants {
    private let tables: [WrittenTable]

    init(_ probes: [RunProbe]) {
        tables = probes.map(\.written)
    }

    func writtenAt(instance: UInt16, publisher: UInt32, sequence: UInt64) -> MonotonicInstant? {
        guard Int(instance) < tables.count else { return nil }
        return tables[Int(instance)].instant(client: nil, publisher: publisher, sequence: sequence)
    }
}
