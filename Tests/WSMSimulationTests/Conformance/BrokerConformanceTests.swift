import Testing

/// One script, two brokers, one transcript.
@Suite("The simulated Redis does what the real one does", .timeLimit(.minutes(3)))
@MainActor
struct BrokerConformanceTests {
    @Test("The same script gives the same transcript", arguments: BrokerBehaviour.allCases)
    func conformance(behaviour: BrokerBehaviour) async throws {
        let simulated = SimulatedBroker()
        let live = try await LiveBroker.start()
        let told = try await behaviour.run(on: simulated)
        simulated.end()
        do {
            let seen = try await behaviour.run(on: live)
            #expect(told == seen, "simulated:\n\(told)\nlive:\n\(seen)")
        } catch {
            Issue.record(error)
        }
        await live.end()
    }

    @Test("A broker that loses one message in fifty gives another transcript")
    func plantedDifference() async throws {
        let (broken, sound) = (SimulatedBroker(lostEvery: 50), SimulatedBroker())
        let told = try await BrokerBehaviour.adjacency.run(on: sound)
        let seen = try await BrokerBehaviour.adjacency.run(on: broken)
        #expect(told != seen)
        broken.end()
        sound.end()
    }
}
