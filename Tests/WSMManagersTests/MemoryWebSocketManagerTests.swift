import Testing
import WSMCore
import WSMManagers

@Suite("The Memory manager (websocket/managers/memory_websocket_manager.py)")
struct MemoryWebSocketManagerTests {
    func script(_ policies: ManagerPolicies) -> Script<MemoryWebSocketManager<String>> {
        Script(MemoryWebSocketManager(policies: policies))
    }

    @Test("A broadcast to a channel is one effect for all its clients, and is done at once, when clients are isolated")
    func isolatedFanOut() {
        var script = script(.hardened)
        script.open(3)
        script.tell(
            publish(7, "a"), expecting: [.send("a", to: .channel(.events)), .broadcastDone(BroadcastID(7), .delivered)])
    }

    @Test("Every ping of a known client is answered, and nobody else's")
    func ping() {
        var script = script(.hardened)
        script.open(1)
        script.tell(.clientText(client(0), ClientText("__ping__")), expecting: [.pong(client(0))])
        script.tell(.clientText(client(0), ClientText("__ping__ ")), expecting: [])
        script.tell(.clientText(client(9), .ping), expecting: [])
    }

    @Test("The serial walk sends to the clients in the order of their connecting")
    func serialOrder() {
        var script = script(.reference)
        script.open(3)
        script.tell(
            publish(1, "a"), expecting: [.send("a", to: walk(0...2)), .broadcastDone(BroadcastID(1), .delivered)])
    }

    @Test("A dead socket silences every later client of the serial walk (upstream issue 1903)")
    func deadSocketAbortsTheWalk() {
        var script = script(.reference)
        script.open(4)
        script.tell(.sendFailed(client(1)), expecting: [])
        script.tell(
            publish(1, "a"),
            expecting: [
                .send("a", to: walk(0...0)),
                .trace(.fanOutAborted(BroadcastID(1), at: client(1), missed: 2)),
                .broadcastDone(BroadcastID(1), .aborted(missed: 2)),
            ])
        script.tell(.clientClosed(client(1)), expecting: [.forget(client(1))])
        let effects = script.tell(publish(2, "b"))
        #expect(effects.contains(.broadcastDone(BroadcastID(2), .delivered)))
    }

    @Test("A dead socket takes nothing from others when clients are isolated")
    func deadSocketIsIsolated() {
        var script = script(.hardened)
        script.open(3)
        script.tell(.sendFailed(client(1)))
        script.tell(
            publish(1, "a"), expecting: [.send("a", to: .channel(.events)), .broadcastDone(BroadcastID(1), .delivered)])
    }

    @Test("A stalled client holds the serial walk and its publisher until it reads again")
    func stalledClientHoldsTheWalk() {
        var script = script(.reference)
        script.open(3)
        script.tell(.writabilityChanged(client(1), writable: false), expecting: [])
        script.tell(
            publish(1, "a"),
            expecting: [.send("a", to: walk(0...1)), .trace(.fanOutStalled(BroadcastID(1), at: client(1)))])
        #expect(script.machine.stalledBroadcasts == 1)
        script.tell(
            .writabilityChanged(client(1), writable: true),
            expecting: [.send("a", to: .clients([client(2)][...])), .broadcastDone(BroadcastID(1), .delivered)])
        #expect(script.machine.stalledBroadcasts == 0)
    }

    @Test("A walk that a stalled client holds up to the manager's stop is aborted, and says how many it missed")
    func stopEndsStalledWalks() {
        var script = script(.reference)
        script.open(4)
        script.tell(.writabilityChanged(client(1), writable: false))
        script.tell(publish(1, "a"))
        script.tell(.clientClosed(client(3)))
        let effects = script.tell(.shutdown)
        #expect(effects.contains(.trace(.fanOutAborted(BroadcastID(1), at: client(1), missed: 1))))
        #expect(effects.contains(.broadcastDone(BroadcastID(1), .aborted(missed: 1))))
        #expect(script.machine.stalledBroadcasts == 0)
    }

    @Test("A stalled client that leaves lets the walk go on, past others that left meanwhile")
    func stalledClientLeaves() {
        var script = script(.reference)
        script.open(4)
        script.tell(.writabilityChanged(client(1), writable: false))
        script.tell(publish(1, "a"))
        script.tell(.clientClosed(client(2)), expecting: [.forget(client(2))])
        let effects = script.tell(.clientClosed(client(1)))
        #expect(effects.first == .forget(client(1)))
        #expect(effects.last == .broadcastDone(BroadcastID(1), .delivered))
        let sent = effects.compactMap { effect -> [UInt64]? in
            if case .send("a", let recipients) = effect { recipients.numbers } else { nil }
        }
        #expect(sent == [[3]])
    }

    @Test(
        "Data with \"close\": true closes the clients that it was sent to", arguments: [Profile.reference, .hardened])
    func closingData(profile: Profile) {
        var script = script(.of(profile))
        script.open(2)
        let effects = script.tell(publish(1, "bye", closes: true))
        #expect(effects.last == .broadcastDone(BroadcastID(1), .delivered))
        #expect(effects.filter { if case .forget = $0 { true } else { false } }.count == 2)
        #expect(script.machine.clientCount == 0)
    }

    @Test("disconnect_all skips every second client, since it changes the list that it walks")
    func skippingDisconnect() {
        var script = script(.reference)
        script.open(5)
        let reached = [client(0), client(2), client(4)]
        script.tell(.shutdown, expecting: [.close(.clients(reached[...]), .normal), .trace(.skippedAtShutdown(2))])
    }

    @Test("The hardened disconnect_all closes each client once with 1001, and nobody comes after it")
    func completeDisconnect() {
        var script = script(.hardened)
        script.open(3)
        let all = (0..<3).map { client($0) }
        script.tell(.shutdown, expecting: [.close(.clients(all[...]), .shuttingDown(.complete))])
        script.tell(.shutdown, expecting: [])
        script.tell(
            .clientOpened(client(9), .events), expecting: [.close(.client(client(9)), .shuttingDown(.complete))])
        script.tell(publish(1, "a"), expecting: [.broadcastDone(BroadcastID(1), .refused)])
    }
}
