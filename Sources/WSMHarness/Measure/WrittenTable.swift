internal import Synchronization
internal import WSMCore

/// When an instance wrote a message to its clients' sockets, for the clients of the same process to look up.
///
/// A fixed table without locks: a newer message takes the slot of an older one with the same hash, and a look-up that
/// comes too late finds nothing, which costs a sample of the wire stage and never gives a wrong one.
final class WrittenTable: @unchecked Sendable {
    // @unchecked: the slots are atomics behind pointers that live as long as the table.
    private struct Slot: ~Copyable {
        let key = Atomic<UInt64>(0)
        let instant = Atomic<Int64>(0)
    }

    private static let slots = 1 << 16
    private let table: UnsafeMutablePointer<Slot>

    init() {
        table = .allocate(capacity: Self.slots)
        for index in 0..<Self.slots { (table + index).initialize(to: Slot()) }
    }

    deinit {
        table.deinitialize(count: Self.slots)
        table.deallocate()
    }

    /// - Parameter client: The only client that it was written to, or `nil` for all of an instance's.
    func store(client: UInt32?, publisher: UInt32, sequence: UInt64, at instant: MonotonicInstant) {
        let key = Self.key(client, publisher, sequence)
        let slot = table + Int(key & UInt64(Self.slots - 1))
        slot.pointee.key.store(0, ordering: .releasing)
        slot.pointee.instant.store(instant.nanoseconds, ordering: .releasing)
        slot.pointee.key.store(key, ordering: .releasing)
    }

    func instant(client: UInt32?, publisher: UInt32, sequence: UInt64) -> MonotonicInstant? {
        let key = Self.key(client, publisher, sequence)
        let slot = table + Int(key & UInt64(Self.slots - 1))
        guard slot.pointee.key.load(ordering: .acquiring) == key else { return nil }
        let instant = slot.pointee.instant.load(ordering: .acquiring)
        guard slot.pointee.key.load(ordering: .acquiring) == key else { return nil }
        return MonotonicInstant(nanoseconds: instant)
    }

    /// A key that is never 0; two messages share one only with a probability of some 2⁻⁶³.
    private static func key(_ client: UInt32?, _ publisher: UInt32, _ sequence: UInt64) -> UInt64 {
        var key = UInt64(publisher) << 40 ^ sequence
        if let client { key ^= (UInt64(client) + 1) &* 0xd6e8_feb8_6659_fd93 }
        key ^= key >> 32
        key = key &* 0xd6e8_feb8_6659_fd93
        key ^= key >> 29
        return key | 1 << 63
    }
}
