internal import NIOCore
internal import WSMCore
internal import WSMManagers
internal import WSMRedis

/// The subscriptions of one manager at Redis, each on a connection of its own.
///
/// Confined to the manager's event loop.
final class BrokerLink {
    private enum Entry {
        /// `redirections` nodes of a cluster have named another so far.
        case connecting(redirections: Int)
        case connected(RedisSubscription, Wanted)
    }

    /// What a connected subscription is for, until it is confirmed.
    private struct Wanted {
        var channel: ChannelName
        var redirections: Int
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

    private let router: RedisRouter
    private let eventLoop: any EventLoop
    private let handler: (SubscriptionID, Event) -> Void
    private var stopWatching: (() -> Void)?
    private var entries: [SubscriptionID: Entry] = [:]
    /// Subscriptions that nobody reads at present, because their client's socket is full, and whether their connection has
    /// ended meanwhile: as the reference's `sender`, which waits in a send, nobody notices before reading again.
    private var unread: [SubscriptionID: Bool] = [:]
    /// Why the last connection failed or ended.
    private(set) var lastError: RedisError?

    init(router: RedisRouter, eventLoop: any EventLoop, handler: @escaping (SubscriptionID, Event) -> Void) {
        self.router = router
        self.eventLoop = eventLoop
        self.handler = handler
        stopWatching = router.watchMaster(on: eventLoop, deadline: Self.connectDeadline) { [weak self] _ in
            self?.masterChanged()
        }
    }

    func subscribe(_ id: SubscriptionID, to channel: ChannelName) {
        connect(id, to: channel, redirections: 0)
    }

    private func connect(_ id: SubscriptionID, to channel: ChannelName, redirections: Int) {
        entries[id] = .connecting(redirections: redirections)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        router.connectSubscription(for: channel, on: eventLoop, deadline: Self.connectDeadline) { event in
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
        if case .connected(let subscription, _)? = entries.removeValue(forKey: id) { subscription.close() }
    }

    func setReading(_ id: SubscriptionID, _ reads: Bool) {
        guard case .connected(let subscription, _)? = entries[id] else { return }
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
        stopWatching?()
        stopWatching = nil
    }

    private func connected(_ subscription: RedisSubscription, _ id: SubscriptionID, _ channel: ChannelName) {
        // Nobody wants it any more: it was unsubscribed while it connected.
        guard case .connecting(let redirections)? = entries[id] else {
            subscription.close()
            return
        }
        guard !router.isFormerMaster(subscription.url) else {
            subscription.close()
            return down(id)
        }
        entries[id] = .connected(subscription, Wanted(channel: channel, redirections: redirections))
        subscription.subscribe(channel)
    }

    private func received(_ event: RedisSubscriptionEvent, for id: SubscriptionID) {
        guard entries[id] != nil else { return }
        switch event {
        case .subscribed: handler(id, .subscribed)
        // Never asked for, since a connection is for one channel: its slot has gone to another node.
        case .unsubscribed: moved(id)
        case .message(_, let payload): handler(id, .message(payload))
        case .batchComplete: handler(id, .batchComplete)
        case .down(let error):
            lastError = error
            if unread[id] == nil { ended(id, error) } else { unread[id] = true }
        }
    }

    /// A subscription that is refused by the wrong node of a cluster is made at the right one; nothing was heard yet.
    private func ended(_ id: SubscriptionID, _ error: RedisError) {
        guard case .connected(let subscription, let wanted)? = entries[id],
            wanted.redirections < RedisRouter.maximumRedirections, router.follows(error, of: subscription.url)
        else { return down(id, error) }
        connect(id, to: wanted.channel, redirections: wanted.redirections + 1)
    }

    /// Leaves a server that is the master no more, before it is made to let go.
    private func masterChanged() {
        for id in entries.keys.sorted() {
            guard case .connected(let subscription, _)? = entries[id], router.isFormerMaster(subscription.url) else {
                continue
            }
            subscription.close()
            if unread[id] == nil { down(id) } else { unread[id] = true }
        }
    }

    private func moved(_ id: SubscriptionID) {
        if case .connected(let subscription, _)? = entries[id] { subscription.close() }
        router.forgetSlots()
        down(id)
    }

    private func down(_ id: SubscriptionID, _ error: RedisError? = nil) {
        if let error { lastError = error }
        guard entries.removeValue(forKey: id) != nil else { return }
        handler(id, .down)
    }
}
