import WSMCore

/// The masks and handshake keys of one shard, drawn from the seed: RFC 6455 wants them unpredictable to protect proxies
/// from hostile scripts, which a load test has none of.
struct FleetRandom: RandomNumberGenerator {
    private var numbers: CounterRNG

    init(seed: UInt64, shard: Int) {
        numbers = CounterRNG(seed: seed, stream: .clientFrames, entity: UInt64(shard))
    }

    mutating func next() -> UInt64 { numbers.next() }

    mutating func mask() -> UInt32 { UInt32(truncatingIfNeeded: next()) }
}
