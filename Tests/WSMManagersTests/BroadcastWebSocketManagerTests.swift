import Testing
import WSMCore
import WSMManagers

@Suite("The Broadcast manager (websocket/managers/broadcast_websocket_manager.py)")
struct BroadcastWebSocketManagerTests {
    func script(_ change: (inout ManagerPolicies) -> Void = { _ in }, of profile: Profile, mark: GapMark = .close)
        -> Script<BroadcastWebSocketManager<String>>
    {
        var policies = ManagerPolicies.of(profile)
        change(&policies)
        return Script(BroadcastWebSocketManager(policies: policies, gapMark: mark, seed: 1))
    }

    let first = SubscriptionID(0)
    let second = SubscriptionID(1)

    @Test("The reference subscribes on a connection of its own for each client, which it has already accepted")
    func subscriptionPerClient() {
        var script = script(of: .reference)
        script.tell(.start(channels: [.events]), expecting: [])
        script.tell(
            .clientOpened(client(0), .events), expecting: [.subscribe(first, .events), .admit(client(0), .events)])
        script.tell(
            .clientOpened(client(1), .events), expecting: [.subscribe(second, .events), .admit(client(1), .events)])
        script.tell(.brokerSubscribed(first), expecting: [])
        script.tell(.brokerMessage(first, "a"), expecting: [.send("a", to: .client(client(0)))])
        script.tell(.clientClosed(client(0)), expecting: [.forget(client(0)), .unsubscribe(first)])
        script.tell(.brokerMessage(first, "late"), expecting: [])
    }

    @Test("A client beyond the Redis pool is accepted and dropped without a close frame")
    func poolLimit() {
        var script = script({ $0.redisPool = 2 }, of: .reference)
        script.open(2)
        script.tell(
            .clientOpened(client(2), .events),
            expecting: [.trace(.poolExhausted(client(2))), .drop(.client(client(2)))])
        script.tell(.clientClosed(client(2)), expecting: [])
        script.tell(.clientClosed(client(0)))
        #expect(script.tell(.clientOpened(client(3), .events)).contains(.admit(client(3), .events)))
    }

    @Test("The pool of the reference holds 100 connections (redis-py 8)")
    func referencePool() {
        var script = script(of: .reference)
        script.open(101)
        #expect(script.machine.clientCount == 100)
    }

    @Test("A full socket stops the reading of its Redis connection until it drains")
    func backPressure() {
        var script = script(of: .reference)
        script.open(1)
        script.tell(.writabilityChanged(client(0), writable: false), expecting: [.pauseReading(first)])
        script.tell(.writabilityChanged(client(0), writable: true), expecting: [.resumeReading(first)])
    }

    @Test("The hardened manager has one subscription a channel, kept without clients, and one effect a message")
    func sharedSubscription() {
        var script = script(of: .hardened)
        script.tell(.start(channels: [.events]), expecting: [.subscribe(first, .events)])
        script.tell(.clientOpened(client(0), .events), expecting: [.admit(client(0), .events)])
        script.tell(.clientOpened(client(1), .events), expecting: [.admit(client(1), .events)])
        script.tell(.brokerSubscribed(first), expecting: [])
        script.tell(.brokerMessage(first, "a"), expecting: [.send("a", to: .channel(.events))])
        script.tell(.clientClosed(client(0)), expecting: [.forget(client(0))])
        script.tell(.clientClosed(client(1)), expecting: [.forget(client(1))])
    }

    @Test("A shared subscription that was taken for clients ends with the last of them")
    func sharedSubscriptionEnds() {
        var script = script(of: .hardened)
        let own = ChannelName("processes")
        script.tell(
            .clientOpened(client(0), own), expecting: [.subscribe(first, own), .admit(client(0), own)])
        script.tell(.clientClosed(client(0)), expecting: [.forget(client(0)), .unsubscribe(first)])
    }

    /// Tells the loss of a subscription and returns the delay of the next try, or `nil` when there is none.
    func lose(_ script: inout Script<BroadcastWebSocketManager<String>>) -> TimeSpan? {
        for effect in script.tell(.brokerDown(first)) {
            if case .schedule(.resubscribe(first), let instant) = effect { return instant - script.now }
        }
        return nil
    }

    @Test("The reference tries twice, 50 to 100 and 100 to 200 ms later, then drops the socket (utils/redis_client.py)")
    func retryThenDrop() throws {
        var script = script(of: .reference)
        script.open(1)
        script.tell(.brokerSubscribed(first))
        for range in [50...100, 100...200] as [ClosedRange<Int64>] {
            let delay = try #require(lose(&script))
            #expect((TimeSpan.milliseconds(range.lowerBound)...TimeSpan.milliseconds(range.upperBound)).contains(delay))
            script.tell(.timer(.resubscribe(first)), expecting: [.subscribe(first, .events)])
        }
        script.tell(
            .brokerDown(first),
            expecting: [
                .trace(.gaveUp(first, of: client(0))), .drop(.client(client(0))), .forget(client(0)),
                .unsubscribe(first),
            ])
        #expect(script.machine.clientCount == 0)
    }

    @Test("A reference client whose subscription comes back is told nothing of the gap")
    func silentResubscription() throws {
        var script = script(of: .reference)
        script.open(1)
        script.tell(.brokerSubscribed(first))
        _ = try #require(lose(&script))
        script.tell(.timer(.resubscribe(first)))
        script.tell(.brokerSubscribed(first), expecting: [.trace(.resubscribed(first, of: client(0), attempts: 1))])
    }

    @Test("The hardened manager keeps trying and marks the gap for every client of the channel")
    func markedResubscription() throws {
        var script = script(of: .hardened)
        script.tell(.start(channels: [.events]))
        script.open(2)
        script.tell(.brokerSubscribed(first), expecting: [])
        for _ in 0..<20 {
            _ = try #require(lose(&script))
            script.tell(.timer(.resubscribe(first)), expecting: [.subscribe(first, .events)])
        }
        script.tell(
            .brokerSubscribed(first),
            expecting: [.trace(.resubscribed(first, of: nil, attempts: 20)), .close(.channel(.events), .brokerGap)])
    }

    @Test("A gap may be marked with an event, and the connections stay")
    func markedByEvent() throws {
        var script = script(of: .hardened, mark: .event("gap"))
        script.tell(.start(channels: [.events]))
        script.open(1)
        script.tell(.brokerSubscribed(first))
        _ = try #require(lose(&script))
        script.tell(.timer(.resubscribe(first)))
        #expect(script.tell(.brokerSubscribed(first)).last == .markGap(.channel(.events)))
        #expect(script.machine.clientCount == 1)
    }

    @Test("resubscribe-silently keeps the clients and tells them nothing")
    func silent() throws {
        var script = script({ $0.brokerLoss = .resubscribeSilently }, of: .hardened)
        script.tell(.start(channels: [.events]))
        script.open(1)
        script.tell(.brokerSubscribed(first))
        _ = try #require(lose(&script))
        script.tell(.timer(.resubscribe(first)))
        script.tell(.brokerSubscribed(first), expecting: [.trace(.resubscribed(first, of: nil, attempts: 1))])
    }

    @Test("A second loss while a try is due changes nothing")
    func repeatedLoss() throws {
        var script = script(of: .hardened)
        script.tell(.start(channels: [.events]))
        script.tell(.brokerSubscribed(first))
        _ = try #require(lose(&script))
        script.tell(.brokerDown(first), expecting: [])
    }

    @Test("disconnect_all of the reference skips every second client and sends its reason as a text of its own")
    func skippingDisconnect() throws {
        var script = script(of: .reference)
        script.open(3)
        let effects = script.tell(.shutdown)
        let close = ClientClose(code: 1001, lastText: "\"Shutting down\"")
        #expect(effects.first == .close(.clients([client(0), client(2)][...]), close))
        #expect(effects.contains(.trace(.skippedAtShutdown(1))))
        #expect(effects.filter { if case .unsubscribe = $0 { true } else { false } }.count == 3)
    }

    @Test("The same events give the same effects, delays included")
    func determinism() {
        func run() -> [[ManagerEffect<String>]] {
            var script = script(of: .hardened)
            return [
                script.tell(.start(channels: [.events])), script.tell(.brokerSubscribed(first)),
                script.tell(.brokerDown(first)), script.tell(.timer(.resubscribe(first))),
                script.tell(.brokerDown(first)),
            ]
        }
        #expect(run() == run())
    }
}
