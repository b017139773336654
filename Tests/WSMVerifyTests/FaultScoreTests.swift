import Testing
import WSMCore
import WSMRecord

@testable import WSMVerify

/// Times are microseconds into the run, as everywhere in ``World``.
@Suite("What a fault did is told from receipts, losses and sessions")
struct FaultScoreTests {
    /// Two clients that get a message every 100 µs up to 1,000; the fault is from there to `healed`.
    private func world(healed: Int64? = 1500, clients: UInt32 = 2) -> (World, [Int]) {
        let world = World()
        let sessions = (0..<clients).map { world.open(client: $0, at: 0) }
        for observer in world.observers { observer.tell(.expected) }
        for at in stride(from: Int64(100), through: 900, by: 100) { deliver(world, sessions, at: at) }
        world.observers[0].tell(.began(fault: 0, at: World.at(1000)))
        world.context.faults = [.init(at: World.at(1000), healedAt: healed.map { World.at($0) })]
        return (world, sessions)
    }

    private func deliver(_ world: World, _ sessions: [Int], at: Int64, late: Int64 = 10) {
        let message = world.publish(at: at)
        for session in sessions { world.deliver(message, to: session, at: at + late) }
    }

    private func heal(_ world: World, at: Int64 = 1500) {
        world.observers[0].tell(.healed(fault: 0, at: World.at(at)))
    }

    private func finish(_ world: World, _ sessions: [Int], at: Int64 = 3000) {
        let fence = world.fence(at: at)
        for session in sessions {
            world.deliver(fence, to: session, at: at + 10)
            world.close(session, at: at + 100)
        }
        world.context.endOfLoad = .init(fencedFrom: World.at(at), waitedUntil: World.at(at + 50))
    }

    @Test("A silence counts from the first message that should have come, to the first that came")
    func blackout() throws {
        let (world, sessions) = world()
        // Nobody publishes until 1,200: that is no silence of the system's.
        _ = world.publish(at: 1200)
        heal(world)
        deliver(world, [sessions[0]], at: 1600)
        deliver(world, sessions, at: 1800)
        finish(world, sessions)
        world.context.brokerOutages = [.init(instance: nil, from: World.at(1000), until: World.at(1700))]
        let score = try #require(try world.settle().faults.first)
        // The one that waited longest got its first message at 1,810; the one before was submitted at 1,198.
        #expect(score.blackout == .microseconds(612))
        #expect(score.firstDeliveryAfter == .microseconds(110))
        #expect(score.fullDeliveryAfter == .microseconds(310))
        #expect(score.recoveredAfter == .microseconds(310))
        #expect(score.connectedClients == 2 && score.droppedClients == 0 && score.deafClients == 0)
    }

    @Test("Losses belong to the last fault that had begun, by cause, and are silent only without a marker")
    func losses() throws {
        for marked in [false, true] {
            let (world, sessions) = world()
            for at in [1100, 1200, 1300] as [Int64] { _ = world.publish(at: at) }
            heal(world)
            if marked { world.context.gapMarkers = [.init(instance: 0, at: World.at(1550))] }
            deliver(world, sessions, at: 1600)
            world.observers[0].tell(.began(fault: 1, at: World.at(2000)))
            world.context.faults?.append(.init(at: World.at(2000), healedAt: World.at(2050)))
            _ = world.publish(at: 2010, outcome: .failed)
            world.observers[0].tell(.healed(fault: 1, at: World.at(2050)))
            deliver(world, sessions, at: 2100)
            finish(world, sessions)
            world.context.brokerOutages = [.init(instance: nil, from: World.at(1000), until: World.at(1550))]
            let settlement = try world.settle()
            #expect(settlement.faults.map(\.lostByCause) == [[.brokerGap: 6], [.publishFailed: 2]])
            #expect(settlement.faults.map(\.lost).reduce(0, +) == settlement.delivery.lost)
            let silent = settlement.faults[0].silentlyMissed
            #expect(silent.clients == (marked ? 0 : 2))
            #expect(silent.messages == (marked ? 0 : 6))
            #expect(silent.fewest == (marked ? 0 : 3) && silent.most == (marked ? 0 : 3))
            #expect(settlement.faults[0].markedClients == (marked ? 2 : 0))
            // Its publisher was told: that is a loss, and no silent one.
            #expect(settlement.faults[1].silentlyMissed.clients == 0)
        }
    }

    @Test("Who was dropped, closed with 1012, came back, or did not, is counted once each")
    func sessions() throws {
        let (world, sessions) = world(clients: 5)
        world.close(sessions[0], .dropped, at: 1100)
        world.close(sessions[1], .dropped, at: 1100)
        world.close(sessions[2], .closedByServer(code: 1012), at: 1550)
        heal(world)
        let again = [world.open(client: 0, at: 1560), world.open(client: 2, at: 1570)]
        deliver(world, sessions.suffix(2) + again, at: 1700)
        finish(world, sessions.suffix(2) + again)
        let score = try #require(try world.settle().faults.first)
        #expect(score.connectedClients == 5)
        #expect(score.droppedClients == 2 && score.closedClients == 1 && score.markedClients == 1)
        #expect(score.reconnectedClients == 2)
        #expect(score.fullDeliveryAfter == .microseconds(210))
        // One client has not come back.
        #expect(score.recoveredAfter == nil)
    }

    @Test("A client that stays open and hears not even the fences is deaf, and nothing has recovered")
    func deaf() throws {
        let (world, sessions) = world()
        heal(world)
        for at in [1600, 1700, 1800] as [Int64] { deliver(world, [sessions[0]], at: at) }
        finish(world, [sessions[0]])
        world.close(sessions[1], at: 3100)
        let settlement = try world.settle()
        let score = try #require(settlement.faults.first)
        #expect(score.deafClients == 1)
        #expect(score.firstDeliveryAfter == .microseconds(110))
        #expect(score.fullDeliveryAfter == nil && score.recoveredAfter == nil)
        #expect(score.silentlyMissed.clients == 1 && score.silentlyMissed.messages == 3)
        // From the first message of 1,600, submitted 2 µs before, to the fences in vain.
        #expect(score.blackout == .microseconds(3000 - 1598))
        #expect(settlement.verdict(.noSilentLoss) == .violated)
    }

    @Test("What waited in an instance that went down is lost to the fault that took it down")
    func pending() throws {
        let (world, sessions) = world(healed: 1200)
        _ = world.publish(at: 990, outcome: .pending)
        world.observers[0].tell(.healed(fault: 0, at: World.at(1200)))
        deliver(world, sessions, at: 1300)
        finish(world, sessions)
        world.context.instanceDowntimes = [.init(instance: 0, from: World.at(1000), until: World.at(1200))]
        let settlement = try world.settle()
        #expect(settlement.delivery.lostByCause == [.instanceDown: 2])
        #expect(settlement.faults[0].lostByCause == [.instanceDown: 2])
        #expect(settlement.faults[0].silentlyMissed.clients == 0)
    }

    @Test("What a client received between the healing and the word of it counts as heard")
    func lateWord() throws {
        let (world, sessions) = world()
        deliver(world, sessions, at: 1600)
        heal(world, at: 1500)
        finish(world, sessions)
        let score = try #require(try world.settle().faults.first)
        #expect(score.firstDeliveryAfter == .microseconds(110))
        #expect(score.recoveredAfter == .microseconds(110))
    }

    @Test("A fault that was not injected has no score, and a run without faults none at all")
    func none() throws {
        let (world, sessions) = world()
        finish(world, sessions)
        world.context.faults = [.init(at: nil)]
        #expect(try world.settle().faults == [FaultScore()])
        world.context.faults = nil
        #expect(try world.settle().faults.isEmpty)
    }
}

@Suite("Receipts over time")
struct TimelineTests {
    @Test("Every latency lies in the step that it is counted in, and steps are a sixteenth wide at most")
    func steps() {
        var value: Int64 = 0
        while value < 3_600_000_000_000 {
            let index = LatencyBuckets.index(of: value)
            let floor = LatencyBuckets.floor(of: index)
            let next = LatencyBuckets.floor(of: index + 1)
            #expect(floor <= value && value < next, "\(value)")
            #expect(next - floor <= max(1024, floor / 16), "\(value)")
            value += max(1, value / 37)
        }
        #expect(LatencyBuckets.index(of: -5) == 0)
        #expect(LatencyBuckets.index(of: .max) == LatencyBuckets.count - 1)
    }

    @Test("Receipts are counted in their bucket and group, also those that come late or too late")
    func buckets() {
        var timeline = Timeline(
            .init(from: MonotonicInstant(nanoseconds: 1000), width: TimeSpan(nanoseconds: 100), groups: 2))
        func at(_ nanoseconds: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: 1000 + nanoseconds) }
        timeline.record(.milliseconds(1), at: at(0), instance: 0)
        timeline.record(.milliseconds(4), at: at(99), instance: 1)
        timeline.record(nil, at: at(350), instance: 0)
        timeline.record(.milliseconds(2), at: at(1 << 40), instance: 7)
        #expect(timeline.count == Timeline.bucketLimit)
        #expect(timeline.received(in: 0) == 2 && timeline.received(in: 1) == 0 && timeline.received(in: 3) == 1)
        #expect(timeline.received(in: Timeline.bucketLimit - 1) == 1)
        #expect(timeline.latencies(in: 0..<1).total == 2)
        #expect(timeline.latencies(in: 0..<1) { $0 == 1 }.total == 1)
        // A slow reader's latency says nothing.
        #expect(timeline.latencies(in: 3..<4).total == 0)
        let median = timeline.latencies(in: 0..<1).percentile(50)
        #expect(median.map { $0 <= .milliseconds(1) && $0 > .microseconds(937) } == true)
    }

    @Test("A run has as many buckets as fit", arguments: [(59, 100), (60, 1000), (599, 1000), (600, 10_000)])
    func width(_ seconds: Int64, _ milliseconds: Int64) {
        #expect(Timeline.Plan.width(for: .seconds(seconds)) == .milliseconds(milliseconds))
    }
}
