import Testing
import WSMCore
import WSMRecord

@testable import WSMVerify

/// Streams with a known number of planted defects: the checkers find exactly those, and none in the clean twin.
@Suite("Planted defects")
struct PlantedDefectTests {
    enum Defect: CaseIterable {
        case none, drop, duplicate, swap, corrupt, replay, wrongChannel, lateFill, unknownPublisher, neverSubmitted
    }

    private static let messageCount = 3000

    /// Delivers 4 × 750 messages to 3 sessions on 2 loops; each session is hit by the defect once in 1,000 messages.
    private func planted(_ defect: Defect, seed: UInt64) throws -> (settlement: Settlement, planted: Int64) {
        let world = World(publisherInstances: [0, 0, 1, 1], loops: 2)
        var random = CounterRNG(seed: seed, stream: .payload, entity: 7)
        let sessions = (0..<3).map { world.open(client: UInt32($0), instance: UInt16($0 % 2), loop: $0 % 2, at: 0) }
        for session in sessions { world.deliver(world.fence(at: 10), to: session, at: 20) }
        var messages: [World.Message] = []
        for index in 0..<PlantedDefectTests.messageCount {
            messages.append(
                world.publish(
                    index % 4, at: 100 + Int64(index) * 10, process: UInt32(index / 16 * 4 + index % 4),
                    step: UInt16(index / 4 % 4)))
        }
        let end = world.fence(at: 200_000)
        var planted: Int64 = 0
        for session in sessions {
            // The last hundred stay whole, so that no defect lies at the end.
            let hits = Set((0..<3).map { $0 * 980 + 50 + random.below(900) })
            planted += Int64(defect == .none ? 0 : hits.count)
            deliver(messages, hits, defect, session, world)
            world.deliver(end, to: session, at: 200_010)
            world.close(session, at: 300_000)
        }
        return (try world.settle(), planted)
    }

    private func deliver(
        _ messages: [World.Message], _ hits: Set<Int>, _ defect: Defect, _ session: Int, _ world: World
    ) {
        var stream = messages.indices.map { (bytes: messages[$0].bytes, at: 150 + Int64($0) * 10) }
        var extra: [(after: Int, bytes: [UInt8])] = []
        var gone: Set<Int> = []
        for hit in hits {
            switch defect {
            case .none: break
            case .drop: gone.insert(hit)
            case .duplicate: extra.append((hit, messages[hit].bytes))
            case .replay: extra.append((min(hit + 400, PlantedDefectTests.messageCount - 1), messages[hit].bytes))
            case .swap: (stream[hit].bytes, stream[hit + 4].bytes) = (stream[hit + 4].bytes, stream[hit].bytes)
            case .corrupt: stream[hit].bytes[3] ^= 1
            case .lateFill:
                gone.insert(hit)
                extra.append((hit + 40, messages[hit].bytes))
            case .wrongChannel, .unknownPublisher, .neverSubmitted:
                var stamp = messages[hit].stamp
                if defect == .wrongChannel { stamp.channel = 3 }
                if defect == .unknownPublisher { stamp.publisher = PublisherID(77) }
                // Each forged number is another: the ledger holds the same one for a duplicate.
                if defect == .neverSubmitted { stamp.sequence = 1 << 38 + UInt64(hit) }
                extra.append((PlantedDefectTests.messageCount - 1, World.message(stamp).bytes))
            }
        }
        for index in stream.indices {
            if !gone.contains(index) { world.deliver(stream[index].bytes, to: session, at: stream[index].at) }
            for item in extra where item.after == index {
                world.deliver(item.bytes, to: session, at: stream[index].at + 1)
            }
        }
    }

    @Test("Nothing is found in a clean run", arguments: UInt64(1)...20)
    func clean(seed: UInt64) throws {
        let settlement = try planted(.none, seed: seed).settlement
        let delivery = settlement.delivery
        #expect(delivery.published == 3000)
        #expect(delivery.expected == 9000)
        #expect(delivery.received == 9000)
        #expect(delivery.lost + delivery.indeterminate + delivery.duplicated + delivery.reordered == 0)
        #expect(delivery.lostByCause == [:])
        let withoutOccasion: Set<GuaranteeID> = [.isolation, .boundedLag, .recovery, .cleanShutdown]
        for outcome in settlement.guarantees where !withoutOccasion.contains(outcome.id) {
            #expect(outcome.verdict == .holds, "\(outcome)")
            #expect(outcome.witness == nil)
            #expect(outcome.checked > 0)
        }
        #expect(settlement.stages.latency.summary.count == 9000)
        #expect(settlement.fanOutSkew.summary.count == 3000)
    }

    @Test("A dropped message is an unexplained loss, each of them", arguments: UInt64(1)...20)
    func drop(seed: UInt64) throws {
        let (settlement, planted) = try planted(.drop, seed: seed)
        #expect(settlement.delivery.lost == planted)
        #expect(settlement.delivery.lostByCause == [.unexplained: planted])
        #expect(settlement.delivery.received == 9000 - planted)
        #expect(settlement.violations(.completeness) == planted)
        #expect(settlement.violations(.noGap) == planted)
        #expect(settlement.violations(.noSilentLoss) == planted)
        #expect(settlement.verdict(.publisherOrder) == .holds)
        #expect(settlement.verdict(.atMostOnce) == .holds)
        #expect(settlement.outcome(.noGap)?.witness?.contains("never got") == true)
    }

    @Test("A message delivered again is a duplicate, at once or later", arguments: UInt64(1)...20)
    func duplicate(seed: UInt64) throws {
        for defect in [Defect.duplicate, .replay] {
            let (settlement, planted) = try planted(defect, seed: seed)
            #expect(settlement.delivery.duplicated == planted)
            #expect(settlement.delivery.received == 9000)
            #expect(settlement.violations(.atMostOnce) == planted)
            #expect(settlement.verdict(.publisherOrder) == .holds)
            #expect(settlement.verdict(.processOrder) == .holds)
            #expect(settlement.verdict(.completeness) == .holds)
        }
    }

    @Test("Two neighbours swapped are one message out of order", arguments: UInt64(1)...20)
    func swap(seed: UInt64) throws {
        let (settlement, planted) = try planted(.swap, seed: seed)
        #expect(settlement.delivery.reordered == planted)
        #expect(settlement.violations(.publisherOrder) == planted)
        #expect(settlement.delivery.lost == 0)
        #expect(settlement.verdict(.noGap) == .holds)
        // Neighbours belong to one process three times in four.
        #expect(settlement.violations(.processOrder) <= planted)
        #expect(settlement.violations(.processOrder) > 0)
    }

    @Test("A message that comes late fills its gap", arguments: UInt64(1)...20)
    func lateFill(seed: UInt64) throws {
        let (settlement, planted) = try planted(.lateFill, seed: seed)
        #expect(settlement.delivery.reordered == planted)
        #expect(settlement.delivery.lost == 0)
        #expect(settlement.delivery.received == 9000)
    }

    @Test("A corrupted message violates integrity, and the true one is lost", arguments: UInt64(1)...20)
    func corrupt(seed: UInt64) throws {
        let (settlement, planted) = try planted(.corrupt, seed: seed)
        #expect(settlement.violations(.integrity) == planted)
        #expect(settlement.delivery.lost == planted)
        #expect(settlement.outcome(.integrity)?.witness?.contains("broken checksum") == true)
    }

    @Test("A message that nobody sent on this channel violates integrity", arguments: UInt64(1)...20)
    func forged(seed: UInt64) throws {
        for defect in [Defect.wrongChannel, .unknownPublisher, .neverSubmitted] {
            let (settlement, planted) = try planted(defect, seed: seed)
            #expect(settlement.violations(.integrity) == planted, "\(defect)")
            #expect(settlement.delivery.received == 9000)
            #expect(settlement.delivery.lost == 0)
            #expect(settlement.verdict(.completeness) == .holds)
        }
    }
}
