internal import NIOCore
internal import WSMCore
internal import WSMManagers
internal import WSMRedis

/// The subscriptions of one manager at Redis, each on a connection of its own.
///
/// Confined to the manager's event loop.
final class BrokerLink {
    private enum Entry {
        case connecting
        case connected(RedisSubscription)
    }

    /// What a subscription tells.
    enum Event {
        case subscribed
        case message(ByteBuffer)
        /// The messages of one read have all been told.
        case batchComplete
        case down
    }

    static let connectDeadline = TimeSpan.seconds(5)

    private let url: RedisURL
    private let eventLoop: any EventLoop
    private let handler: (SubscriptionID, Event) -> Void
    private var entries: [SubscriptionID: Entry] = [:]
    /// Subscriptions that nobody reads at present, because their client's socket is full, and whether their connection has
    /// ended meanwhile: as the reference's `sender`, which waits in a send, nobody notices before reading again.
    private var unread: [SubscriptionID: Bool] = [:]
    /// Why the last connection failed or ended.
    private(set) var lastError: RedisError?

    init(url: RedisURL, eventLoop: any EventLoop, handler: @escaping (SubscriptionID, Event) -> Void) {
        self.url = url
        self.eventLoop = eventLoop
        self.handler = handler
    }

    func subscribe(_ id: SubscriptionID, to channel: ChannelName) {
        entries[id] = .connecting
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        RedisSubscription.connect(to: url, on: eventLoop, deadline: Self.connectDeadline) { event in
            bound.value.received(event, for: id)
        }.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let subscription): self.connected(subscription, id, channel)
            case .failure(let error): self.down(id, error as? RedisError)
            }
        }
    }

    func unsubscribe(_ id: SubscriptionID) {
        unread[id] = nil
        if case .connected(let subscription)? = entries.removeValue(forKey: id) { subscription.close() }
    }

    func setReading(_ id: SubscriptionID, _ reads: Bool) {
        guard case .connected(let subscription)? = entries[id] else { return }
        guard reads else {
            unread[id] = unread[id] ?? false
            subscription.pauseReading()
            return
        }
        if unread.removeValue(forKey: id) == true {
            // Not at once: this is part of what the manager does about another event.
            eventLoop.assumeIsolated().execute { self.down(id, self.lastError) }
            return
        }
        subscription.resumeReading()
    }

    func closeAll() {
        for id in entries.keys.sorted() { unsubscribe(id) }
    }

    private func connected(_ subscription: RedisSubscription, _ id: SubscriptionID, _ channel: ChannelName) {
        // Nobody wants it any more: it was unsubscribed while it connected.
        guard entries[id] != nil else {
            subscription.close()
            return
        }
        entries[id] = .connected(subscription)
        subscription.subscribe(channel)
    }

    private func received(_ event: RedisSubscriptionEvent, for id: SubscriptionID) {
        guard entries[id] != nil else { return }
        switch event {
        case .subscribed: handler(id, .subscribed)
        case .unsubscribed: break
        case .message(_, let payload): handler(id, .message(payload))
        case .batchComplete: handler(id, .batchComplete)
        case .down(let error):
            lastError = error
            if unread[id] == nil { down(id, error) } else { unread[id] = true }
        }
    }

    private func down(_ id: SubscriptionID, _ error: RedisError?) {
        lastError = error
        guard entries.removeValue(forKey: id) != nil else { return }
        handler(id, .down)
    }
}
