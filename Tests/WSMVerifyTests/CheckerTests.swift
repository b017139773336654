import Testing
import WSMCore
import WSMRecord

@testable import WSMVerify

@Suite("Deaf clients, lag, isolation, recovery and shutdown")
struct CheckerTests {
    @Test("A client that stays open and goes deaf has lost what was published before the end of the load")
    func deaf() throws {
        for isDeaf in [true, false] {
            let world = World()
            let session = world.open(client: 5, at: 0)
            let other = world.open(client: 6, at: 0)
            for index in 0..<Int64(10) {
                let message = world.publish(at: 100 + index * 10)
                world.deliver(message, to: other, at: 101 + index * 10)
                if index < 4 || !isDeaf { world.deliver(message, to: session, at: 102 + index * 10) }
            }
            let end = world.fence(at: 300)
            world.deliver(end, to: other, at: 310)
            if !isDeaf { world.deliver(end, to: session, at: 311) }
            world.context.endOfLoad = .init(fencedFrom: World.at(290), waitedUntil: World.at(900))
            for one in [session, other] { world.close(one, at: 1000) }
            let settlement = try world.settle()
            #expect(settlement.delivery.lostByCause == (isDeaf ? [.unexplained: 6] : [:]))
            #expect(settlement.delivery.indeterminate == 0)
            #expect(settlement.violations(.completeness) == (isDeaf ? 6 : 0))
            #expect(settlement.violations(.noSilentLoss) == (isDeaf ? 6 : 0))
            // Nothing came after it: that is no gap between two receipts.
            #expect(settlement.verdict(.noGap) == .holds)
        }
    }

    @Test("Who left, or is slow, or came while the fences went out, is not deaf")
    func notDeaf() throws {
        let world = World()
        let left = world.open(client: 0, at: 0)
        let slow = world.open(client: 1, slow: true, at: 0)
        let message = world.publish(at: 100)
        for session in [left, slow] { world.deliver(message, to: session, at: 110) }
        _ = world.publish(at: 200)
        world.close(left, .dropped, at: 400)
        world.context.endOfLoad = .init(fencedFrom: World.at(300), waitedUntil: World.at(900))
        world.close(slow, at: 1000)
        let delivery = try world.settle().delivery
        #expect(delivery.lost == 0)
        #expect(delivery.indeterminate == 2)
    }

    @Test("A delivery later than the scenario's bound is counted, of any client")
    func boundedLag() throws {
        for bound in [TimeSpan.microseconds(50), .microseconds(500), nil] {
            let world = World(bounds: LagBounds(isolation: .seconds(2), lag: bound))
            let session = world.open(client: 3, slow: true, at: 0)
            for (index, lag) in [10, 100, 40, 200, 1000].enumerated() {
                world.deliver(world.publish(at: 1000 + Int64(index)), to: session, at: 998 + Int64(index) + Int64(lag))
            }
            world.close(session, at: 9000)
            let settlement = try world.settle()
            guard let bound else {
                #expect(settlement.verdict(.boundedLag) == .unknown)
                continue
            }
            #expect(settlement.violations(.boundedLag) == (bound == .microseconds(50) ? 3 : 1))
            #expect(settlement.outcome(.boundedLag)?.checked == 5)
            #expect(settlement.outcome(.boundedLag)?.witness?.contains("client 3 (instance 0)") == true)
        }
    }

    @Test("Healthy clients that wait behind slow ones of their instance are a breach of isolation; others are not")
    func isolation() throws {
        let world = World(publisherInstances: [0, 1], bounds: LagBounds(isolation: .microseconds(100)))
        let sessions = [
            world.open(client: 0, instance: 0, slow: true, at: 0), world.open(client: 1, instance: 0, at: 0),
            world.open(client: 2, instance: 1, at: 0),
        ]
        for index in 0..<Int64(10) {
            let message = world.publish(Int(index % 2), at: 1000 + index * 10)
            let lag: Int64 = index == 4 || index == 7 ? 150 : 20
            for session in sessions { world.deliver(message, to: session, at: 998 + index * 10 + lag) }
        }
        for session in sessions { world.close(session, at: 9000) }
        let settlement = try world.settle()
        #expect(settlement.violations(.isolation) == 2)
        #expect(settlement.outcome(.isolation)?.checked == 10)
        #expect(settlement.outcome(.isolation)?.witness?.contains("client 1 (instance 0)") == true)
    }

    @Test("What a dead client's aborted fan-out takes from others is a breach of isolation")
    func abortedFanOut() throws {
        let world = World(manager: .memory)
        let session = world.open(client: 8, at: 0)
        for index in 0..<Int64(5) {
            let message = world.publish(at: 100 + index * 10)
            if index != 2 { world.deliver(message, to: session, at: 105 + index * 10) }
        }
        world.context.abortedFanOuts = [.init(instance: 0, publisher: 0, sequence: 2)]
        world.close(session, at: 9000)
        let settlement = try world.settle()
        #expect(settlement.violations(.isolation) == 1)
        #expect(settlement.outcome(.isolation)?.witness?.contains("never got 0:2") == true)
        #expect(settlement.delivery.lostByCause == [.fanOutAborted: 1])
    }

    @Test("What is still lost once the time to recover is over violates recovery, and so does a client that stays away")
    func recovery() throws {
        for loses in [true, false] {
            let world = World()
            let session = world.open(client: 1, at: 0)
            let away = world.open(client: 2, at: 0)
            world.deliver(world.fence(at: 10), to: session, at: 20)
            world.close(away, .dropped, at: 150)
            if !loses { world.close(world.open(client: 2, at: 280), at: 9000) }
            for index in 0..<Int64(40) {
                let message = world.publish(at: 100 + index * 10)
                // Away from 200 on; healed at 220, to be well at 300.
                let isMissing = (10..<15).contains(index) || (loses && (25..<28).contains(index))
                if !isMissing { world.deliver(message, to: session, at: 105 + index * 10) }
            }
            world.context.brokerOutages = [.init(instance: nil, from: World.at(195), until: World.at(250))]
            world.context.recovery = .init(healedAt: World.at(220), bound: .microseconds(80))
            world.close(session, at: 9000)
            let settlement = try world.settle()
            #expect(settlement.violations(.recovery) == (loses ? 4 : 0))
            #expect(settlement.verdict(.recovery) == (loses ? .violated : .holds))
            #expect(settlement.outcome(.recovery)?.witness?.contains("client 1") == (loses ? true : nil))
        }
    }

    @Test("Each client that does not get exactly one close 1001 violates a clean shutdown, and so does what is left")
    func cleanShutdown() throws {
        let ends: [(SessionEnd, Int64)] = [
            (.closedByServer(code: 1001), 0), (.closedByServer(code: 1000), 1), (.dropped, 1), (.runEnded, 1),
        ]
        for (end, violations) in ends {
            let world = World()
            let early = world.open(client: 9, at: 0)
            world.close(early, .dropped, at: 500)
            let session = world.open(client: 4, at: 0)
            let last = world.open(client: 5, at: 0)
            world.context.shutdown = .init(at: World.at(1000), leftovers: [.init(instance: 0)])
            world.close(session, end, at: 1100)
            world.close(last, .closedByServer(code: 1001), at: 1100)
            let settlement = try world.settle()
            #expect(settlement.violations(.cleanShutdown) == violations, "\(end)")
            #expect(settlement.outcome(.cleanShutdown)?.checked == 3)
            if violations > 0 {
                #expect(settlement.outcome(.cleanShutdown)?.witness?.contains("client 4 (instance 0)") == true)
            }
            world.context.shutdown = .init(
                at: World.at(1000), leftovers: [.init(instance: 0), .init(instance: 1, queued: 3)], subscriptions: 1,
                repeatedCloses: 2)
            #expect(try world.settle().violations(.cleanShutdown) == violations + 4)
        }
    }
}
