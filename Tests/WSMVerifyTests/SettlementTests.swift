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

    @Test("A tail that is missing before the end fence is lost; without the fence it is indeterminate")
    func tailLoss() throws {
        for receivesEnd in [true, false] {
            let world = World()
            let session = world.open(client: 7, at: 0)
            world.deliver(world.fence(at: 10), to: session, at: 20)
            for index in 0..<Int64(10) {
                let message = world.publish(at: 100 + index * 10)
                if index < 6 { world.deliver(message, to: session, at: 102 + index * 10) }
            }
            let end = world.fence(at: 500)
            if receivesEnd { world.deliver(end, to: session, at: 510) }
            world.close(session, at: 600)
            let settlement = try world.settle()
            #expect(settlement.delivery.received == 6)
            #expect(settlement.delivery.lost == (receivesEnd ? 4 : 0))
            #expect(settlement.delivery.indeterminate == (receivesEnd ? 0 : 4))
            #expect(settlement.verdict(.completeness) == (receivesEnd ? .violated : .holds))
            #expect(
                settlement.outcome(.completeness)?.witness
                    == (receivesEnd
                        ? "client 7 (instance 0) never got 0:6, published 0.000 s into the run on instance 0: unexplained"
                        : nil))
        }
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

    @Test("What a memory manager published on another instance is lost by design, and violates only the reach")
    func memoryOnTwoInstances() throws {
        let world = World(publisherInstances: [0, 1], manager: .memory)
        let sessions = [world.open(client: 0, instance: 0, at: 0), world.open(client: 1, instance: 1, at: 0)]
        for session in sessions { world.deliver(world.fence(at: 10), to: session, at: 20) }
        for index in 0..<100 {
            let publisher = index % 2
            let message = world.publish(publisher, at: 100 + Int64(index) * 10)
            world.deliver(message, to: sessions[publisher], at: 105 + Int64(index) * 10)
        }
        for session in sessions {
            world.deliver(world.fence(at: 2000), to: session, at: 2010)
            world.close(session, at: 3000)
        }
        let settlement = try world.settle()
        #expect(settlement.delivery.expected == 200)
        #expect(settlement.delivery.received == 100)
        #expect(settlement.delivery.lostByCause == [.otherInstance: 100])
        #expect(settlement.violations(.crossInstanceReach) == 100)
        #expect(settlement.outcome(.crossInstanceReach)?.witness?.contains("every client of instance 1") == true)
        for id in GuaranteeID.allCases where id != .crossInstanceReach && id != .processOrder {
            #expect(settlement.verdict(id) == .holds, "\(id)")
        }
        #expect(settlement.verdict(.processOrder) == .unknown)
        let promised = promisedGuarantees(PromiseContext(manager: .memory, instances: 2))
        #expect(!promised.contains(.crossInstanceReach))
        #expect(promised.contains(.completeness))
    }

    @Test("A loss gets the cause that the context or the publisher knows")
    func causes() throws {
        let world = World()
        let session = world.open(client: 3, at: 0)
        world.deliver(world.fence(at: 10), to: session, at: 20)
        let outcomes: [PublishOutcome] = [.queueDropped, .threadDead, .failed, .maybePublished]
        for (index, outcome) in outcomes.enumerated() {
            _ = world.publish(at: 100 + Int64(index) * 10, outcome: outcome)
        }
        _ = world.publish(at: 200)
        world.context.abortedFanOuts = [.init(instance: 0, publisher: 0, sequence: 4)]
        _ = world.publish(at: 300)
        world.context.brokerOutages = [.init(instance: 0, from: World.at(290), until: World.at(310))]
        _ = world.publish(at: 400)
        world.context.instanceDowntimes = [.init(instance: nil, from: World.at(390), until: World.at(410))]
        _ = world.publish(at: 500)
        world.context.slowClientDrops = [.init(client: 3, instance: 0, from: World.at(490), until: World.at(510))]
        _ = world.publish(at: 600)
        world.deliver(world.fence(at: 1000), to: session, at: 1010)
        world.close(session, at: 1100)
        let settlement = try world.settle()
        #expect(
            settlement.delivery.lostByCause == [
                .queueDropped: 1, .threadDead: 1, .publishFailed: 2, .fanOutAborted: 1, .brokerGap: 1, .instanceDown: 1,
                .evicted: 1, .unexplained: 1,
            ])
        #expect(settlement.violations(.noGap) == 3)
        // All but the broker's outage and the instance's downtime, which are fault windows.
        #expect(settlement.violations(.completeness) == 7)
        #expect(settlement.violations(.noSilentLoss) == 8)
    }

    @Test("What a dead broadcast thread left in its queue is lost to the dead thread")
    func deadThread() throws {
        for isDead in [true, false] {
            let world = World()
            let session = world.open(client: 0, at: 0)
            world.deliver(world.fence(at: 10), to: session, at: 20)
            for index in 0..<Int64(5) { _ = world.publish(at: 100 + index * 10, outcome: .pending) }
            if isDead { world.context.threadDeaths = [.init(instance: 0, at: World.at(90))] }
            world.deliver(world.fence(at: 1000), to: session, at: 1010)
            world.close(session, at: 1100)
            let delivery = try world.settle().delivery
            #expect(delivery.lostByCause == (isDead ? [.threadDead: 5] : [:]))
            #expect(delivery.indeterminate == (isDead ? 0 : 5))
            #expect(delivery.published == 0)
        }
    }

    @Test("An evicted client loses what was published before its eviction, and that is no violation")
    func eviction() throws {
        for byCode in [true, false] {
            let world = World()
            let session = world.open(client: 4, slow: true, at: 0)
            for index in 0..<Int64(10) {
                let message = world.publish(at: 100 + index * 10)
                if index < 4 { world.deliver(message, to: session, at: 101 + index * 10) }
            }
            if byCode {
                world.context.evictionCloseCode = 1008
            } else {
                world.context.evictions = [.init(client: 4, instance: 0, at: World.at(300))]
            }
            world.close(session, byCode ? .closedByServer(code: 1008) : .dropped, at: 310)
            _ = world.publish(at: 400)
            let settlement = try world.settle()
            #expect(settlement.delivery.lostByCause == [.evicted: 6])
            #expect(settlement.delivery.missedOffline == 1)
            #expect(settlement.verdict(.completeness) == .holds)
            #expect(settlement.verdict(.noSilentLoss) == .holds)
            #expect(settlement.stages.slowReaderLatency.summary.count == 4)
            #expect(settlement.stages.latency.summary.count == 0)
        }
    }

    @Test("What is published between two sessions of a client is missed offline, not lost")
    func churn() throws {
        let world = World()
        let first = world.open(client: 0, at: 0)
        world.deliver(world.fence(at: 10), to: first, at: 20)
        world.deliver(world.publish(at: 100), to: first, at: 110)
        world.close(first, .churned, at: 200)
        for at in [250, 300] as [Int64] { _ = world.publish(at: at) }
        let second = world.open(client: 0, at: 400)
        _ = world.publish(at: 410)
        world.deliver(world.publish(at: 450), to: second, at: 460)
        world.close(second, .runEnded, at: 500)
        _ = world.publish(at: 600)
        let delivery = try world.settle().delivery
        #expect(delivery.missedOffline == 2)
        #expect(delivery.received == 2)
        #expect(delivery.indeterminate == 1)
        #expect(delivery.lost == 0)
    }

    @Test("A client that never connects misses everything from its first try on")
    func neverConnected() throws {
        let world = World()
        _ = world.publish(at: 50)
        world.observers[0].connectFailed(client: 9, instance: 0, at: World.at(100))
        world.observers[0].connectFailed(client: 9, instance: 0, at: World.at(200))
        for at in [150, 250] as [Int64] { _ = world.publish(at: at) }
        let settlement = try world.settle()
        #expect(settlement.delivery.missedOffline == 2)
        #expect(settlement.connectFailures == 2)
        #expect(settlement.neverConnected == 1)
        #expect(settlement.delivery.expected == 0)
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

    @Test("A broker's silence is silent without a marker, and not with one")
    func markers() throws {
        for isMarked in [true, false] {
            let world = World()
            let session = world.open(client: 0, at: 0)
            world.deliver(world.publish(at: 100), to: session, at: 110)
            _ = world.publish(at: 200)
            world.deliver(world.publish(at: 300), to: session, at: 310)
            world.context.brokerOutages = [.init(instance: nil, from: World.at(190), until: World.at(250))]
            if isMarked { world.context.gapMarkers = [.init(instance: 0, at: World.at(250))] }
            world.close(session, at: 400)
            let settlement = try world.settle()
            #expect(settlement.delivery.lostByCause == [.brokerGap: 1])
            #expect(settlement.verdict(.noSilentLoss) == (isMarked ? .holds : .violated))
            #expect(settlement.violations(.noSilentLoss) == (isMarked ? 0 : 1))
        }
    }

    @Test("A stream of gaps beyond the ledger's limit is blurred: unknown, and the equation still holds")
    func blurred() throws {
        let world = World()
        let session = world.open(client: 0, at: 0)
        for index in 0..<10_000 {
            let message = world.publish(at: 100 + Int64(index) * 10)
            if index % 2 == 0 { world.deliver(message, to: session, at: 105 + Int64(index) * 10) }
        }
        world.close(session, at: 200_000)
        let settlement = try world.settle()
        #expect(settlement.blurredSessions == 1)
        #expect(settlement.delivery.received == 5000)
        #expect(settlement.delivery.indeterminate == 5000)
        #expect(settlement.delivery.expected == 10_000)
        #expect(settlement.verdict(.completeness) == .unknown)
        #expect(settlement.verdict(.publisherOrder) == .unknown)
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
}
