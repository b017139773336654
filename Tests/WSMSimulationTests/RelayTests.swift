import Testing
import WSMCore

@testable import WSMSimulation

/// Simulated relays under several cuts, one after the other.
struct RelayTests {
    /// What became of one connection.
    private final class Seen {
        var reached = 0
        var resets = 0
        var arrived = 0
    }

    private func accept(_ relay: Relay, _ seen: Seen) -> RelayedConnection {
        relay.accept(
            RelayedConnection.Owner(
                reach: {
                    seen.reached += 1
                    return true
                }, reset: { seen.resets += 1 }))
    }

    @Test("Who came during a cut and is cut again before anybody noticed still reaches the upstream in the end")
    func reachesLater() {
        let (simulator, seen) = (Simulator(), Seen())
        let relay = Relay(simulator, seed: 1)
        let first = relay.begin(.cut(.reset(within: .seconds(1))), share: 1)
        let connection = accept(relay, seen)
        relay.heal(first.id)
        let second = relay.begin(.cut(.resume), share: 1)
        relay.heal(second.id)
        connection.send(from: .client, bytes: 10) { seen.arrived += 1 }
        simulator.run(until: simulator.now + .seconds(5))
        #expect(seen.reached == 1 && seen.resets == 0 && seen.arrived == 1)
    }

    @Test("What was said during a cut that went on does not hasten the reset after the next")
    func forgets() {
        let (simulator, seen) = (Simulator(), Seen())
        let relay = Relay(simulator, seed: 1)
        let connection = accept(relay, seen)
        let first = relay.begin(.cut(.resume), share: 1)
        connection.send(from: .client, bytes: 10) { seen.arrived += 1 }
        relay.heal(first.id)
        #expect(seen.arrived == 1)
        let second = relay.begin(.cut(.reset(within: .seconds(1))), share: 1)
        relay.heal(second.id)
        simulator.run(until: simulator.now + .milliseconds(900))
        #expect(seen.resets == 0)
        simulator.run(until: simulator.now + .milliseconds(200))
        #expect(seen.resets == 1)
    }

    @Test("Who speaks during a cut is reset as soon as it heals")
    func resetsAtOnce() {
        let (simulator, seen) = (Simulator(), Seen())
        let relay = Relay(simulator, seed: 1)
        let connection = accept(relay, seen)
        let cut = relay.begin(.cut(.reset(within: .seconds(1))), share: 1)
        connection.send(from: .upstream, bytes: 10) { seen.arrived += 1 }
        relay.heal(cut.id)
        #expect(seen.resets == 1 && seen.arrived == 0 && connection.isClosed)
    }
}
