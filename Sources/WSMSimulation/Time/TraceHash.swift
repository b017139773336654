/// A rolling hash over everything that a simulation does, in the order of its doing: two runs with the same hash did the same.
///
/// Each word is folded in by a multiplication to 128 bits, as in wyhash; integers only, so that it is the same on every
/// machine.
struct TraceHash: Hashable, Sendable {
    private(set) var value: UInt64 = 0x9e37_79b9_7f4a_7c15

    @inline(__always)
    mutating func mix(_ word: UInt64) {
        let product = (value ^ word).multipliedFullWidth(by: 0xa076_1d64_78bd_642f)
        value = product.high ^ product.low ^ 0xe703_7ed1_a0b4_28db
    }

    @inline(__always)
    mutating func mix(_ first: UInt64, _ second: UInt64) {
        let product = (value ^ first).multipliedFullWidth(by: second ^ 0xa076_1d64_78bd_642f)
        value = product.high ^ product.low ^ 0xe703_7ed1_a0b4_28db
    }
}
