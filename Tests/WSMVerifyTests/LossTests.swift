import Foundation
import Testing
import WSMCore
import WSMRecord

@testable import WSMVerify

@Suite("A missing delivery gets a cause")
struct LossTests {
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
        // Nobody shares a message, there are no processes, nobody is slow, nothing breaks, and nothing is stopped.
        let withoutEvidence: Set<GuaranteeID> = [
            .processOrder, .totalOrder, .isolation, .boundedLag, .recovery, .cleanShutdown,
        ]
        for id in GuaranteeID.allCases where id != .crossInstanceReach {
            #expect(settlement.verdict(id) == (withoutEvidence.contains(id) ? .unknown : .holds), "\(id)")
        }
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

    @Test("A client with a subscription of its own has its own outage and its own marker")
    func outageOfOneClient() throws {
        let world = World()
        let sessions = (0..<3).map { world.open(client: UInt32($0), at: 0) }
        for session in sessions { world.deliver(world.publish(at: 100), to: session, at: 110) }
        _ = world.publish(at: 200)
        let next = world.publish(at: 300)
        for session in sessions {
            world.deliver(next, to: session, at: 310)
            world.close(session, at: 400)
        }
        for client in [0, 1] as [UInt32] {
            let outage = SettlementContext.InstanceWindow(
                instance: 0, client: client, from: World.at(190), until: World.at(250))
            world.context.brokerOutages.append(outage)
        }
        world.context.gapMarkers = [.init(instance: 0, client: 1, at: World.at(250))]
        let settlement = try world.settle()
        // Each of the first three messages went to one client only.
        #expect(settlement.delivery.lostByCause[.brokerGap] == 2)
        #expect(settlement.delivery.lostByCause[.unexplained] == settlement.delivery.lost - 2)
        let silent = settlement.violations(.noSilentLoss)
        world.context.gapMarkers = []
        #expect(try world.settle().violations(.noSilentLoss) == silent + 1)
    }

    @Test("A walk that nobody waited for any longer is a fan-out that was aborted, not a failed publish")
    func abandonedWalk() throws {
        let world = World(manager: .memory)
        let session = world.open(client: 0, at: 0)
        world.deliver(world.fence(at: 10), to: session, at: 20)
        _ = world.publish(at: 100, outcome: .maybePublished)
        world.context.abortedFanOuts = [.init(instance: 0, publisher: 0, sequence: 0)]
        world.deliver(world.fence(at: 1000), to: session, at: 1010)
        world.close(session, at: 1100)
        #expect(try world.settle().delivery.lostByCause == [.fanOutAborted: 1])
    }

    @Test("The totals are written as the contract names them")
    func json() throws {
        var totals = DeliveryTotals()
        totals.lost = 3
        totals.lostByCause = [.otherInstance: 3]
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let text = String(decoding: try encoder.encode(totals), as: UTF8.self)
        #expect(
            text == #"{"duplicated":0,"expected":0,"foreign":0,"indeterminate":0,"lost":3,"#
                + #""lostByCause":{"other-instance":3},"lostBySlowReaders":0,"missedOffline":0,"published":0,"#
                + #""received":0,"reordered":0}"#)
    }
}
