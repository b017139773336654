import WSMCore
import WSMManagers

/// The subscriptions of one instance at Redis, each on a connection of its own.
final class BrokerLinks {
    private enum Entry {
        case connecting
        case connected(RedisLink)
    }

    private unowned let instance: Instance
    private var entries: [SubscriptionID: Entry] = [:]
    /// Subscriptions that nobody reads at present, and whether their connection has ended meanwhile, which nobody notices
    /// before reading again.
    private var unread: [SubscriptionID: Bool] = [:]

    init(_ instance: Instance) { self.instance = instance }

    func subscribe(_ id: SubscriptionID, to channel: ChannelName) {
        guard let redis = instance.setup.redis else { return }
        entries[id] = .connecting
        instance.simulator.at(instance.loopNow, .redisCommand, Int(id.rawValue)) { [self] in
            redis.connect { [self] link in connected(id, link, channel, redis) }
        }
    }

    private func connected(_ id: SubscriptionID, _ link: RedisLink?, _ channel: ChannelName, _ redis: RedisServer) {
        guard case .connecting? = entries[id] else {
            // Nobody wants it any more.
            if let link { redis.close(link) }
            return
        }
        guard let link else { return down(id) }
        entries[id] = .connected(link)
        link.receive = { [self] in received($0, for: id) }
        link.closed = { [self] in
            if unread[id] == nil { down(id) } else { unread[id] = true }
        }
        redis.send(.subscribe(channel), on: link)
    }

    private func received(_ output: [RedisOutput], for id: SubscriptionID) {
        var messages: [Message] = []
        for item in output {
            switch item {
            case .subscribed: instance.socketEvent(.brokerSubscribed(id))
            case .message(let message): messages.append(message)
            case .published: break
            }
        }
        if !messages.isEmpty { instance.socketEvent(.brokerMessages(id, messages)) }
    }

    private func down(_ id: SubscriptionID) {
        guard entries.removeValue(forKey: id) != nil else { return }
        instance.socketEvent(.brokerDown(id))
    }

    func unsubscribe(_ id: SubscriptionID) {
        unread[id] = nil
        guard case .connected(let link)? = entries.removeValue(forKey: id) else { return }
        instance.setup.redis?.close(link)
    }

    func setReading(_ id: SubscriptionID, _ reads: Bool) {
        guard case .connected(let link)? = entries[id] else { return }
        guard reads else {
            unread[id] = unread[id] ?? false
            instance.setup.redis?.setReading(false, of: link)
            return
        }
        if unread.removeValue(forKey: id) == true { return down(id) }
        instance.setup.redis?.setReading(true, of: link)
    }

    func closeAll() {
        for id in entries.keys.sorted() { unsubscribe(id) }
    }
}
