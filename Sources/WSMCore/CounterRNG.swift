/// A counter-based random number generator: a draw is a pure function of (seed, stream, entity, counter).
///
/// Taking one entity out of a scenario therefore shifts no other entity's draws, and the same key gives the same numbers
/// on every machine. The function is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy as 1, 2,
/// 3", SC 2011): the key is the seed, the counter holds stream, entity and the running number.
public struct CounterRNG: Sendable {
    /// What the numbers are for.
    ///
    /// Each use has a stream of its own, so that a new use leaves the others as they were.
    public enum Stream: UInt32, Sendable, CaseIterable {
        case processArrivals = 1
        case processSteps = 2
        case processIdentity = 3
        case broadcastArrivals = 4
        case engineStatusArrivals = 5
        case assignment = 6
        case churn = 7
        case reconnect = 8
        case payload = 9
        case faults = 10
        case slowReaders = 11
        case clientFrames = 12
        case credentials = 13
        case resampling = 14
        case serviceTimes = 15
    }

    private let seed: UInt64
    private let stream: UInt32
    private let entity: UInt64
    private var block: UInt32 = 0
    private var buffered: UInt64?

    /// The numbers of `entity` in `stream`, from the first.
    public init(seed: UInt64, stream: Stream, entity: UInt64) {
        self.seed = seed
        self.stream = stream.rawValue
        self.entity = entity
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        if let second = buffered {
            buffered = nil
            return second
        }
        let words = Philox.block(
            counter: (block, stream, UInt32(truncatingIfNeeded: entity), UInt32(truncatingIfNeeded: entity >> 32)),
            key: (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
        block &+= 1
        buffered = UInt64(words.2) | UInt64(words.3) << 32
        return UInt64(words.0) | UInt64(words.1) << 32
    }

    /// A number in [0, 1) with 53 random bits.
    public mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// A number in 0 ..< `bound`, each as likely as the other (Lemire's multiplication, without its rejection: the bias
    /// is below `bound` / 2⁶⁴).
    ///
    /// `bound` must be positive.
    public mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0, "a draw needs at least one outcome")
        return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// A random UUID, version 4 (RFC 9562).
    public mutating func uuid() -> OrchestratorUUID {
        let high = next() & 0xffff_ffff_ffff_0fff | 0x4000
        let low = next() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
        return OrchestratorUUID(high: high, low: low)
    }
}

/// The Philox4x32-10 bijection.
package enum Philox {
    package typealias Counter = (UInt32, UInt32, UInt32, UInt32)
    package typealias Key = (UInt32, UInt32)

    package static func block(counter start: Counter, key startKey: Key) -> Counter {
        var counter = start
        var key = startKey
        for _ in 0..<10 {
            let first = counter.0.multipliedFullWidth(by: 0xd251_1f53)
            let second = counter.2.multipliedFullWidth(by: 0xcd9e_8d57)
            counter = (second.high ^ counter.1 ^ key.0, second.low, first.high ^ counter.3 ^ key.1, first.low)
            key = (key.0 &+ 0x9e37_79b9, key.1 &+ 0xbb67_ae85)
        }
        return counter
    }
}
