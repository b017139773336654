import NIOCore
import NIOPosix
import Testing
import WSMCore

@testable import WSMRedis

@Suite(.needsRedis, .timeLimit(.minutes(3)))
struct EmbeddedRedisClusterTests {
    private func withCluster(_ body: (EmbeddedRedisCluster) async throws -> Void) async throws {
        let cluster = try await EmbeddedRedisCluster.start()
        do {
            try await body(cluster)
        } catch {
            await cluster.stop()
            throw error
        }
        await cluster.stop()
    }

    private struct Listener {
        let subscription: RedisSubscription
        let events: Recorder<RedisSubscriptionEvent>

        var payloads: [[UInt8]] {
            events.all.compactMap { event in
                if case .message(_, let payload) = event { Array(payload.readableBytesView) } else { nil }
            }
        }

        var end: RedisError? {
            events.all.lazy.compactMap { if case .down(let error) = $0 { error } else { nil } }.first
        }
    }

    /// Listens to `channel` at the server that the router finds, without waiting for the confirmation.
    private func listen(_ router: RedisRouter, _ channel: ChannelName) async throws -> Listener {
        let events = Recorder<RedisSubscriptionEvent>()
        let subscription = try await router.connectSubscription(
            for: channel, on: loops.next(), deadline: patience
        ) { events.append($0) }.get()
        subscription.subscribe(channel)
        return Listener(subscription: subscription, events: events)
    }

    private func publish(_ router: RedisRouter, _ messages: [RedisPublisher.Publication]) async throws -> [Int64] {
        try await onThread { try RedisPublisher(router, deadline: patience).publish(messages) }
    }

    /// Gives the slot to the node of this number, as the last step of a migration does.
    private func move(_ slot: HashSlot, to target: Int, in cluster: EmbeddedRedisCluster) async throws {
        let reply = try await RedisQuestion.ask(cluster.urls[target], RedisCommand("CLUSTER", "MYID"))
        let id = try #require(reply[0].text)
        // The new owner first: whoever hears of it before the old one does is sent on to a node that takes it.
        for url in [cluster.urls[target]] + cluster.urls {
            _ = try await RedisQuestion.ask(url, RedisCommand("CLUSTER", "SETSLOT", "\(slot.number)", "NODE", id))
        }
    }

    @Test("A message that is published at one node arrives at a subscriber of each other, and the end leaves nothing")
    func bus() async throws {
        var pids: [Int32] = []
        var folders: [String] = []
        try await withCluster { cluster in
            for node in cluster.nodes {
                pids.append(try #require(await node.pid))
                folders.append(node.folder)
            }
            var listeners: [Listener] = []
            for url in cluster.urls { listeners.append(try await listen(RedisRouter(.clusterBus([url])), .events)) }
            for listener in listeners {
                try await eventually("the confirmation") { listener.events.all.contains(.subscribed(.events)) }
            }
            let counts = try await publish(RedisRouter(.clusterBus(cluster.urls)), [(.events, [1, 2])])
            #expect(counts == [1], "a node counts its own subscribers only")
            for listener in listeners {
                try await eventually("the message") { listener.payloads == [[1, 2]] }
            }
        }
        #expect(pids.count == 3)
        #expect(!pids.contains { isAlive($0) })
        #expect(!folders.contains { exists($0) })
    }

    @Test("A node that is gone is passed over by publishers and subscribers, and comes back to its cluster")
    func nodeKilled() async throws {
        try await withCluster { cluster in
            try await cluster.nodes[0].kill()
            let router = RedisRouter(.clusterBus(cluster.urls))
            let listener = try await listen(router, .events)
            #expect(listener.subscription.url == cluster.urls[1])
            try await eventually("the confirmation") { listener.events.all.contains(.subscribed(.events)) }
            _ = try await publish(router, [(.events, [1])])
            try await eventually("the message") { listener.payloads == [[1]] }
            try await cluster.nodes[0].startAgain()
            try await cluster.awaitAgreement()
        }
    }

    @Test("Sharded, each channel lives at the node that has its slot, whichever node is asked first")
    func sharded() async throws {
        try await withCluster { cluster in
            let channels: [ChannelName] = (0..<12).map { ChannelName("channel-\($0)") }
            var listeners: [Listener] = []
            for (index, channel) in channels.enumerated() {
                let first = index % 3
                let seeds = Array(cluster.urls[first...] + cluster.urls[..<first])
                listeners.append(try await listen(RedisRouter(.clusterSharded(seeds)), channel))
            }
            for (listener, channel) in zip(listeners, channels) {
                try await eventually("the confirmation") { listener.events.all.contains(.subscribed(channel)) }
            }
            #expect(Set(listeners.map(\.subscription.url)).count == 3)
            // More slots than one in a transaction would be refused with CROSSSLOT.
            let messages = channels.enumerated().map { (channel: $1, payload: [UInt8($0)]) }
            let router = RedisRouter(.clusterSharded(cluster.urls))
            #expect(try await publish(router, messages + messages) == Array(repeating: 1, count: 24))
            let urls = cluster.urls
            let outcomes = try await onThread {
                let publisher = try RedisPublisher(RedisRouter(.clusterSharded(urls)), deadline: patience)
                var outcomes: [RedisPublishAcknowledgement] = []
                publisher.publishPipelined([messages, [], [messages[0]], [messages[5]]]) { outcomes.append($0) }
                return outcomes
            }
            #expect(outcomes.map(\.index) == [0, 1, 2, 3])
            #expect(try outcomes.map { try $0.receivers.get().count } == [12, 0, 1, 1])
            for (index, listener) in listeners.enumerated() {
                let count = [0, 5].contains(index) ? 4 : 3
                try await eventually("the messages of \(channels[index])") { listener.payloads.count == count }
                #expect(listener.payloads.allSatisfy { $0 == [UInt8(index)] })
            }
        }
    }

    @Test("When a slot has gone to another node, publishers and subscribers that do not know follow the redirection")
    func movedSlot() async throws {
        try await withCluster { cluster in
            let slot = HashSlot(of: .events)
            let router = RedisRouter(.clusterSharded(cluster.urls))
            let before = try await listen(router, .events)
            try await eventually("the confirmation") { before.events.all.contains(.subscribed(.events)) }
            let old = try #require(cluster.urls.firstIndex(of: before.subscription.url))
            let target = (old + 1) % 3
            try await move(slot, to: target, in: cluster)
            // Redis takes the channel from who listened at the old node, and leaves the connection.
            try await eventually("the end of the channel") { before.events.all.contains(.unsubscribed(.events)) }

            let refused = try await listen(router, .events)
            try await eventually("the refusal") { refused.end != nil }
            let error = try #require(refused.end)
            #expect(error.code == .redirected)
            #expect(router.follows(error, of: refused.subscription.url))
            let after = try await listen(router, .events)
            #expect(after.subscription.url == cluster.urls[target])
            try await eventually("the confirmation") { after.events.all.contains(.subscribed(.events)) }

            // A publisher of its own that still has the old table.
            let stale = RedisRouter(.clusterSharded(cluster.urls))
            stale.learn(try SlotTable(.array([]), askedAt: cluster.urls[old]))
            try stale.follow(
                try #require(RedisRedirection("MOVED \(slot.number) :\(cluster.urls[old].port ?? 0)")),
                askedAt: cluster.urls[old])
            #expect(stale.owner(of: slot) == cluster.urls[old])
            #expect(try await publish(stale, [(.events, [7]), (.events, [8])]) == [1, 1])
            #expect(stale.owner(of: slot) == cluster.urls[target])
            try await eventually("the messages") { after.payloads == [[7], [8]] }
        }
    }
}
