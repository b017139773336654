import Testing
import WSMCore
import WSMRecord

@testable import WSMVerify

@Suite("The settlement of a run")
struct SettlementTests {
    @Test("A run in which nothing happened is zero and unknown, never a pass")
    func empty() throws {
        for loops in 0...2 {
            let settlement = try World(loops: loops).settle()
            #expect(settlement.delivery == DeliveryTotals())
            #expect(settlement.guarantees.map(\.id) == GuaranteeID.allCases)
            for outcome in settlement.guarantees {
                #expect(outcome.verdict == .unknown)
                #expect(outcome.checked == 0)
            }
        }
    }

    @Test("A session that received nothing proves nothing: what was published meanwhile is indeterminate")
    func deafSession() throws {
        let world = World()
        let session = world.open(client: 0, at: 0)
        for index in 0..<Int64(10) { _ = world.publish(at: 100 + index * 10) }
        world.close(session, .dropped, at: 1000)
        let settlement = try world.settle()
        #expect(settlement.delivery.expected == 10)
        #expect(settlement.delivery.indeterminate == 10)
        #expect(settlement.delivery.published == 10)
        #expect(settlement.verdict(.completeness) == .unknown)
        #expect(settlement.verdict(.noSilentLoss) == .unknown)
    }

    @Test("Only measured messages count in the totals; the guarantees see the warm-up too")
    func warmUp() throws {
        let world = World(measuredFrom: 1000)
        let session = world.open(client: 0, at: 0)
        world.deliver(world.fence(at: 10), to: session, at: 20)
        for index in 0..<20 {
            let message = world.publish(at: 103 + Int64(index) * 100)
            if index != 3 { world.deliver(message, to: session, at: 110 + Int64(index) * 100) }
        }
        world.deliver(world.fence(at: 5000), to: session, at: 5010)
        world.close(session, at: 6000)
        let settlement = try world.settle()
        #expect(settlement.delivery.published == 11)
        #expect(settlement.delivery.received == 11)
        #expect(settlement.delivery.lost == 0)
        #expect(settlement.violations(.noGap) == 1)
        #expect(settlement.stages.latency.summary.count == 11)
        #expect(settlement.stages.latency.summary.min == 10_000)
        #expect(settlement.stages.latencyFromActualSend.summary.min == 9000)
    }

    @Test("A message from before the connect, or after the close, is out of the session's bounds")
    func bounds() throws {
        let world = World()
        let old = world.publish(at: 100)
        let session = world.open(client: 0, at: 200)
        world.deliver(old, to: session, at: 210)
        let young = world.publish(at: 300)
        world.deliver(young, to: session, at: 310)
        world.close(session, at: 400)
        world.deliver(world.publish(at: 410), to: session, at: 420)
        let settlement = try world.settle()
        #expect(settlement.violations(.sessionBounds) == 2)
        #expect(settlement.outcome(.sessionBounds)?.witness?.contains("0:0") == true)
        #expect(settlement.delivery.received == 2)
        #expect(settlement.delivery.expected == 2)
    }

    @Test("What was confirmed just before a connect may still be on its way; what was confirmed long before may not")
    func inFlight() throws {
        for span in [0, 50, 200] as [Int64] {
            let world = World()
            let old = world.publish(at: 100)
            let session = world.open(client: 0, at: 200)
            world.deliver(old, to: session, at: 210)
            world.context.inFlight = span * 1000
            world.close(session, at: 400)
            #expect(try world.settle().violations(.sessionBounds) == (span < 100 ? 1 : 0))
        }
    }

    @Test("A stream of gaps beyond the ledger's limit is blurred: unknown, and the equation still holds")
    func blurred() throws {
        let world = World()
        let sessions = (0..<2).map { world.open(client: $0, at: 0) }
        for index in 0..<10_000 {
            let message = world.publish(at: 100 + Int64(index) * 10)
            world.deliver(message, to: sessions[0], at: 105 + Int64(index) * 10)
            if index % 2 == 0 { world.deliver(message, to: sessions[1], at: 106 + Int64(index) * 10) }
        }
        for session in sessions { world.close(session, at: 200_000) }
        let settlement = try world.settle()
        #expect(settlement.blurredSessions == 1)
        #expect(settlement.delivery.received == 15_000)
        #expect(settlement.delivery.indeterminate == 5000)
        #expect(settlement.delivery.expected == 20_000)
        for id in [GuaranteeID.completeness, .publisherOrder, .totalOrder] {
            #expect(settlement.verdict(id) == .unknown, "\(id)")
        }
    }

    @Test("A stream of gaps that all sessions share is known to the last message")
    func sharedGaps() throws {
        let world = World()
        let session = world.open(client: 0, at: 0)
        for index in 0..<10_000 {
            let message = world.publish(at: 100 + Int64(index) * 10)
            if index % 2 == 0 { world.deliver(message, to: session, at: 105 + Int64(index) * 10) }
        }
        world.close(session, at: 200_000)
        let settlement = try world.settle()
        #expect(settlement.blurredSessions == 0)
        #expect(settlement.delivery.received == 5000)
        #expect(settlement.delivery.lostByCause == [.unexplained: 4999])
        #expect(settlement.delivery.indeterminate == 1)
        #expect(settlement.violations(.noGap) == 4999)
    }

    @Test("Foreign messages and messages of other runs are counted and are no errors")
    func foreign() throws {
        let world = World(measuredFrom: 100)
        let session = world.open(client: 0, at: 0)
        world.deliver(Array("{}".utf8), to: session, at: 50)
        world.deliver([], to: session, at: 150)
        var stamp = world.publish(at: 200).stamp
        stamp.run = 1
        world.deliver(World.message(stamp), to: session, at: 210)
        let settlement = try world.settle()
        #expect(settlement.delivery.foreign == 2)
        #expect(settlement.verdict(.integrity) == .unknown)
    }

    @Test("A message received before it was sent violates integrity")
    func beforeSent() throws {
        let world = World()
        let session = world.open(client: 0, at: 0)
        world.deliver(world.publish(at: 200), to: session, at: 150)
        let settlement = try world.settle()
        #expect(settlement.violations(.integrity) == 1)
        #expect(settlement.delivery.received == 1)
        #expect(settlement.stages.latency.negativeCount == 1)
    }

    @Test("Observers and settlement that disagree on what is measured are told so")
    func disagreement() throws {
        let world = World()
        let session = world.open(client: 0, at: 0)
        world.deliver(world.publish(at: 200), to: session, at: 250)
        world.context.measuredFrom = World.at(10_000)
        let error = #expect(throws: SettlementError.self) { try world.settle() }
        #expect(error?.code == .countsDiffer)
    }

    @Test("A history of a publisher that nobody knows is refused")
    func unknownPublisher() throws {
        let world = World()
        let stranger = PublishLog(publisher: PublisherID(50), instance: 0)
        let error = #expect(throws: SettlementError.self) {
            try settle(
                loops: world.observers.map { $0.snapshot() }, history: [stranger.snapshot()], context: world.context)
        }
        #expect(error?.code == .unknownPublisher)
    }

    @Test("Sessions spread over several loops settle as on one", arguments: UInt64(1)...10)
    func merging(seed: UInt64) throws {
        let settlements = try [1, 4].map { loops in
            var random = CounterRNG(seed: seed, stream: .payload, entity: 3)
            let world = World(publisherInstances: [0, 1], loops: loops)
            let sessions = (0..<8).map {
                world.open(client: UInt32($0), instance: UInt16($0 % 2), loop: $0 % loops, slow: $0 == 7, at: 0)
            }
            for index in 0..<300 {
                let message = world.publish(index % 2, at: 100 + Int64(index) * 10, process: UInt32(index / 6))
                for session in sessions where random.below(20) > 0 {
                    for _ in 0...(random.below(30) / 29) {
                        world.deliver(message, to: session, at: 105 + Int64(index) * 10 + Int64(random.below(50)))
                    }
                }
            }
            for session in sessions { world.close(session, at: 9000) }
            world.observers[loops - 1].connectFailed(client: 90, instance: 0, at: World.at(50))
            return try world.settle()
        }
        #expect(settlements[0].delivery == settlements[1].delivery, "seed \(seed)")
        #expect(settlements[0].guarantees == settlements[1].guarantees, "seed \(seed)")
        #expect(settlements[0].stages.latency.summary == settlements[1].stages.latency.summary)
        #expect(settlements[0].fanOutSkew.summary == settlements[1].fanOutSkew.summary)
        #expect(settlements[0].delivery.lost > 0)
        #expect(settlements[0].delivery.duplicated > 0)
    }

    @Test("The wire stage counts from the instant that the instance had written the frames")
    func wire() throws {
        final class Written: WrittenInstants {
            let isPerClient: Bool
            var asked = 0
            init(isPerClient: Bool) { self.isPerClient = isPerClient }
            func writtenAt(instance: UInt16, client: UInt32, publisher: UInt32, sequence: UInt64) -> MonotonicInstant? {
                asked += 1
                return sequence == 1 ? nil : World.at(100 + Int64(sequence) * 10 + 7)
            }
        }
        for isPerClient in [false, true] {
            let written = Written(isPerClient: isPerClient)
            let observer = DeliveryObserver(
                run: World.run, publisherCount: 2, channel: 0, measuredFrom: World.at(0), written: written)
            let world = World()
            let sessions = (0..<5).map {
                observer.sessionOpened(
                    client: $0, instance: 3, slowReader: false, attemptedAt: World.at(0), openedAt: World.at(1))
            }
            for index in 0..<3 as Range<Int64> {
                world.publish(at: 100 + index * 10).bytes.withUnsafeBytes { bytes in
                    for session in sessions {
                        observer.received(session: session, message: bytes, at: World.at(110 + index * 10))
                    }
                }
            }
            let summary = observer.snapshot().stages.wire.summary
            #expect(summary.count == 10)
            #expect(summary.min == 3000)
            #expect(summary.max == 3000)
            // Once for each of the two that are known, and each time for the one that is not; or for every client.
            #expect(written.asked == (isPerClient ? 15 : 7))
            #expect(observer.measuredDeliveries == 15)
            #expect(observer.latencySoFar.count == 15)
        }
    }
}
