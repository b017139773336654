import WSMCore
import WSMManagers

/// The subscriptions of one instance at Redis, each on a connection of its own.
final class BrokerLinks {
    /// How long Redis may take to accept a connection and to answer on it, as in the live client.
    private static let connectDeadline = TimeSpan.seconds(5)

    private unowned let instance: Instance
    private var entries: [SubscriptionID: BrokerSubscription] = [:]

    init(_ instance: Instance) { self.instance = instance }

    private var redis: RedisServer? { instance.setup.redis }

    func subscribe(_ id: SubscriptionID, to channel: ChannelName) {
        guard let redis else { return }
        let entry = BrokerSubscription(channel)
        entries[id] = entry
        let number = Int(id.rawValue)
        instance.simulator.at(instance.loopNow, .redisCommand, number) { [self] in
            redis.connect(through: instance.setup.redisRelay) { [self] link in connected(id, entry, link) }
        }
        instance.simulator.at(instance.loopNow + Self.connectDeadline, .redisCommand, number) { [self] in
            if entries[id] === entry, !entry.isGreeted { down(id, entry) }
        }
    }

    private func connected(_ id: SubscriptionID, _ entry: BrokerSubscription, _ link: RedisLink?) {
        guard entries[id] === entry else {
            // Nobody wants it any more.
            if let link { redis?.close(link) }
            return
        }
        guard let link else { return down(id, entry) }
        entry.link = link
        link.receive = { [self] in received($0, for: id, entry) }
        link.closed = { [self] in
            if entry.reads { down(id, entry) } else { entry.hasEndedUnread = true }
        }
        redis?.send(.ping, on: link)
    }

    private func received(_ output: [RedisOutput], for id: SubscriptionID, _ entry: BrokerSubscription) {
        entry.health?.heard(now: instance.simulator.now)
        var messages: [Message] = []
        for item in output {
            switch item {
            case .pong: if !entry.isGreeted { greeted(id, entry) }
            case .subscribed: instance.socketEvent(.brokerSubscribed(id))
            case .message(let message): messages.append(message)
            case .published: break
            }
        }
        if !messages.isEmpty { instance.socketEvent(.brokerMessages(id, messages)) }
    }

    /// Redis has answered: the connection can be relied on.
    private func greeted(_ id: SubscriptionID, _ entry: BrokerSubscription) {
        entry.health = BrokerSubscription.healthCheck(now: instance.simulator.now)
        if let link = entry.link { redis?.send(.subscribe(entry.channel), on: link) }
        checkHealth(id, entry)
    }

    private func checkHealth(_ id: SubscriptionID, _ entry: BrokerSubscription) {
        guard entries[id] === entry, let action = entry.health?.timerFired(now: instance.simulator.now) else { return }
        let span: TimeSpan
        switch action {
        case .wait(let left): span = left
        case .ask(let left):
            if let link = entry.link { redis?.send(.ping, on: link) }
            span = left
        case .dead: return down(id, entry)
        }
        instance.simulator.after(span, .redisCommand, Int(id.rawValue)) { [self] in
            // An instance that stands still notices nothing before it goes on.
            instance.pass { [self] in checkHealth(id, entry) }
        }
    }

    private func down(_ id: SubscriptionID, _ entry: BrokerSubscription) {
        guard entries[id] === entry else { return }
        entries[id] = nil
        if let link = entry.link { redis?.close(link) }
        instance.socketEvent(.brokerDown(id))
    }

    func unsubscribe(_ id: SubscriptionID) {
        if let link = entries.removeValue(forKey: id)?.link { redis?.close(link) }
    }

    func setReading(_ id: SubscriptionID, _ reads: Bool) {
        guard let entry = entries[id], let link = entry.link else { return }
        entry.reads = reads
        guard reads else {
            entry.health?.pause()
            redis?.setReading(false, of: link)
            return
        }
        entry.health?.resume(now: instance.simulator.now)
        if entry.hasEndedUnread { return down(id, entry) }
        redis?.setReading(true, of: link)
    }

    func closeAll() {
        for id in entries.keys.sorted() { unsubscribe(id) }
    }
}
