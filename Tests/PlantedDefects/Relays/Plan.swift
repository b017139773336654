import Synchronization
import WSMCore
import WSMScenario

/// A message of the load's broadcasters.
struct MessageKey: Hashable, Sendable {
    var publisher: UInt32
    var sequence: UInt64

    init(publisher: UInt32, sequence: UInt64) {
        self.publisher = publisher
        self.sequence = sequence
    }

    /// `nil` for a fence and for what is not stamped.
    init?(_ message: UnsafeRawBufferPointer) {
        guard case .stamped(let stamp, _) = ProbeStamp.read(message), stamp.kind == .load else { return nil }
        publisher = stamp.publisher.rawValue
        sequence = stamp.sequence
    }
}

/// Which messages a relay hits, drawn from the seed before the run, and how many it has hit.
final class RelayPlan: Sendable {
    /// By client; a message is among the hits of one client only.
    let hits: [UInt32: Set<MessageKey>]
    private let planted = Mutex<Int64>(0)
    private let passed = Mutex<(count: Int64, last: MonotonicInstant)>((0, .now()))
    private let undone: Mutex<Set<MessageKey>>

    /// - Parameters:
    ///   - perClient: At most so many hits a client, and at least one.
    ///   - clients: Whom the relay hits.
    ///   - isEarly: Whether it hits in the first third of the load, so that what follows falls into the load, too.
    init(_ scenario: Scenario, seed: UInt64, perClient: Int = 3, clients: Range<Int>, isEarly: Bool = false) {
        var random = CounterRNG(seed: seed, stream: .faults, entity: 3)
        var messages: [MessageKey] = []
        for broadcaster in LoadPlan(scenario).broadcasters {
            // The first and the last few of each publisher stay whole: a swap needs a neighbour.
            let count = broadcaster.sendsAt.count
            for sequence in 3..<(isEarly ? count / 3 : count - 8) {
                messages.append(MessageKey(publisher: UInt32(broadcaster.index), sequence: UInt64(sequence)))
            }
        }
        var hits: [UInt32: Set<MessageKey>] = [:]
        for client in clients {
            for _ in 0..<(1 + random.below(perClient)) {
                let hit = messages.remove(at: random.below(messages.count))
                // Two hits side by side would count as one.
                messages.removeAll {
                    $0.publisher == hit.publisher && abs(Int($0.sequence) - Int(hit.sequence)) <= 2
                }
                hits[UInt32(client), default: []].insert(hit)
            }
        }
        self.hits = hits
        undone = Mutex(hits.values.reduce(into: []) { $0.formUnion($1) })
    }

    var total: Int64 { hits.values.reduce(0) { $0 + Int64($1.count) } }

    func isHit(_ key: MessageKey, of client: UInt32) -> Bool { hits[client]?.contains(key) == true }

    /// Whether the message is a hit of anyone that was not yet taken.
    func take(_ key: MessageKey) -> Bool { undone.withLock { $0.remove(key) != nil } }

    /// Messages that have come to all clients together.
    var messagesPassed: Int64 { passed.withLock { $0.count } }
    /// When the last of them came.
    var lastPass: MonotonicInstant { passed.withLock { $0.last } }

    func pass() { passed.withLock { $0 = ($0.count + 1, .now()) } }

    func count() { planted.withLock { $0 += 1 } }

    /// How many defects the relay has planted.
    var plantedSoFar: Int64 { planted.withLock { $0 } }
}
