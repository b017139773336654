public import NIOCore
public import WSMCore

extension RedisRouter {
    /// Connects to the server that `channel` is to be subscribed at; nothing is subscribed yet.
    ///
    /// What is subscribed then may still be answered with a redirection: ``follows(_:of:)`` says what to do about it.
    public func connectSubscription(
        for channel: ChannelName, on eventLoop: any EventLoop, deadline: TimeSpan,
        handler: @escaping RedisSubscription.Handler
    ) -> EventLoopFuture<RedisSubscription> {
        var options = RedisSubscription.Options()
        options.isSharded = topology.isSharded
        options.requiresMaster = topology.requiresMaster
        return open(for: channel, on: eventLoop, deadline: deadline) { [options] url, left in
            RedisSubscription.connect(to: url, on: eventLoop, deadline: left, options: options, handler: handler)
        }
    }

    /// Connects for commands that any server may answer; of a sentinel's, the master.
    public func connect(on eventLoop: any EventLoop, deadline: TimeSpan) -> EventLoopFuture<RedisConnection> {
        var options = RedisConnection.Options()
        options.requiresMaster = topology.requiresMaster
        return open(for: nil, on: eventLoop, deadline: deadline) { [options] url, left in
            RedisConnection.connect(to: url, on: eventLoop, deadline: left, options: options)
        }
    }

    /// Whether the end of a subscription at `url` means only that its channel is elsewhere: connect again, at once.
    public func follows(_ error: RedisError, of url: RedisURL) -> Bool {
        guard let redirection = error.redirection else { return false }
        do throws(RedisError) {
            try follow(redirection, askedAt: url)
            return true
        } catch {
            return false
        }
    }

    /// Tells `changed`, on the event loop, when the sentinels have changed the master; `nil` where there are none.
    ///
    /// On the event loop. The watch lasts until the returned closure is called.
    public func watchMaster(
        on eventLoop: any EventLoop, deadline: TimeSpan, changed: @escaping (RedisURL) -> Void
    ) -> (() -> Void)? {
        eventLoop.assertInEventLoop()
        guard case .sentinel(let sentinels, let master) = topology else { return nil }
        let watch = SentinelWatch(sentinels, master: master, on: eventLoop, connectDeadline: deadline) { url in
            self.masterChanged(to: url)
            if let url { changed(url) }
        }
        watch.start()
        return { watch.stop() }
    }

    private typealias Opening<Link> = @Sendable (_ url: RedisURL, _ left: TimeSpan) -> EventLoopFuture<Link>

    /// Opens a connection to the right server of `channel`, or to any where there is no channel.
    private func open<Link: Sendable>(
        for channel: ChannelName?, on eventLoop: any EventLoop, deadline: TimeSpan,
        _ opening: @escaping Opening<Link>
    ) -> EventLoopFuture<Link> {
        let end = eventLoop.instant + deadline
        let loop = eventLoop
        switch topology {
        case .single, .clusterBus:
            return firstOf(topology.seeds[...], on: loop, until: end, opening)
        case .sentinel(let sentinels, let master):
            return firstOf(sentinels[...], on: loop, until: end) { sentinel, left in
                self.ask(sentinel, SentinelAnswer.question(master), on: loop, left).flatMapThrowing { reply in
                    try self.master(in: reply, named: master, by: sentinel)
                }.flatMap { opening($0, end - loop.instant) }
            }
        case .clusterSharded(let nodes):
            guard let channel else { return firstOf(nodes[...], on: loop, until: end, opening) }
            let slot = HashSlot(of: channel)
            if let owner = owner(of: slot) {
                return opening(owner, end - loop.instant).flatMapErrorThrowing { error in
                    self.forgetSlots()
                    throw error
                }
            }
            return firstOf(nodes[...], on: loop, until: end) { node, left in
                self.ask(node, RedisCommand("CLUSTER", "SLOTS"), on: loop, left).flatMapThrowing { reply in
                    self.learn(try SlotTable(try reply.success(), askedAt: node))
                    guard let owner = self.owner(of: slot) else { throw self.noOwner(of: slot) }
                    return owner
                }.flatMap { opening($0, end - loop.instant) }
            }
        }
    }

    /// Tries the servers in turn; fails with the last one's error.
    private func firstOf<Link: Sendable>(
        _ servers: ArraySlice<RedisURL>, on eventLoop: any EventLoop, until end: MonotonicInstant,
        _ opening: @escaping Opening<Link>
    ) -> EventLoopFuture<Link> {
        guard let server = servers.first else { return eventLoop.makeFailedFuture(Self.noServer) }
        let rest = servers.dropFirst()
        return opening(server, end - eventLoop.instant).flatMapError { error in
            guard !rest.isEmpty, eventLoop.instant < end else { return eventLoop.makeFailedFuture(error) }
            return self.firstOf(rest, on: eventLoop, until: end, opening)
        }
    }

    /// One question on a connection of its own.
    private func ask(
        _ url: RedisURL, _ command: RedisCommand, on eventLoop: any EventLoop, _ left: TimeSpan
    ) -> EventLoopFuture<RedisReply> {
        let deadline = min(left, questionDeadline)
        return RedisConnection.connect(to: url, on: eventLoop, deadline: deadline).flatMap { connection in
            connection.send(command, deadline: deadline).always { _ in connection.close() }
        }
    }
}
