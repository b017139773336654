import Testing
import WSMCore
import WSMRecord

@testable import WSMVerify

@Suite("Latencies by instance")
struct InstanceLatencyTests {
    @Test("Each instance has its own, over all event loops, and all of them together are those of the run")
    func exact() throws {
        let world = World(loops: 2)
        // Clients of instance 1 hear each message twice as late, those of instance 3 nothing.
        let sessions = [(0, 0), (1, 0), (1, 1), (0, 1)].enumerated().map { client, place in
            world.open(client: UInt32(client), instance: UInt16(place.0), loop: place.1, at: 0)
        }
        let silent = world.open(client: 9, instance: 3, at: 0)
        for session in sessions { world.deliver(world.fence(at: 10), to: session, at: 20) }
        for index in 0..<10 {
            let message = world.publish(at: 103 + Int64(index) * 100)
            for (client, session) in sessions.enumerated() {
                let isFar = [1, 2].contains(client)
                world.deliver(message, to: session, at: 100 + Int64(index) * 100 + (isFar ? 40 : 20))
            }
        }
        for session in sessions + [silent] { world.close(session, at: 6000) }
        let settlement = try world.settle()
        let near = try #require(settlement.latencies[0]).summary
        let far = try #require(settlement.latencies[1]).summary
        #expect(near.count == 20 && near.min == 20_000 && near.max == 20_000)
        #expect(far.count == 20 && far.min == 40_000 && far.max == 40_000)
        #expect(settlement.latencies[2] == nil && settlement.latencies[3] == nil && settlement.latencies[4] == nil)
        #expect(settlement.latencies.total.summary == settlement.stages.latency.summary)
        #expect(settlement.stages.latency.count == 40)
    }

    @Test("Beyond the last that is told apart nothing is lost from the sum")
    func many() {
        var latencies = InstanceLatencies()
        for instance in 0..<(InstanceLatencies.limit + 20) {
            latencies.prepare(instance: instance)
            latencies.record(.milliseconds(Int64(instance) + 1), instance: instance)
        }
        var merged = InstanceLatencies()
        merged.add(latencies)
        merged.add(latencies)
        #expect(merged.count == Int64(InstanceLatencies.limit + 20) * 2)
        #expect(merged.total.count == merged.count)
        #expect(merged[InstanceLatencies.limit - 1]?.count == 2)
        #expect(merged[InstanceLatencies.limit] == nil && merged[-1] == nil)
    }
}
