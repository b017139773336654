import WSMCore

/// Publishes with `SPUBLISH`, each message at the node that has its channel's slot.
///
/// It belongs to one thread. A node that says `MOVED` is believed, a bounded number of times; a message that was sent on was
/// certainly not published. When a connection fails it is no longer usable, and what was known of the slots is forgotten.
final class ShardedPublisher {
    typealias Publication = BlockingRedisConnection.Publication

    /// The messages of one broadcast that lie in one slot: what `MULTI` can hold together.
    private struct Part {
        let batch: Int
        /// The messages' places in the broadcast.
        var places: [Int] = []
        var messages: [Publication] = []
        let slot: HashSlot
        /// Who was asked last.
        var server: RedisURL?
        var receivers: Result<[Int64], RedisError>
        var at: MonotonicInstant
    }

    private let router: RedisRouter
    private let deadline: TimeSpan
    private var connections: [RedisURL: BlockingRedisConnection] = [:]
    private(set) var isUsable = true

    /// Learns the slots, before `deadline` has passed.
    init(_ router: RedisRouter, deadline: TimeSpan) throws(RedisError) {
        self.router = router
        self.deadline = deadline
        if router.needsSlots { try learnSlots(until: .now() + deadline) }
    }

    func close() {
        isUsable = false
        for connection in connections.values { connection.close() }
        connections = [:]
    }

    /// Publishes the broadcasts; `acknowledged` hears of each once, in order, when all are settled.
    ///
    /// - Parameters:
    ///   - batches: The broadcasts, each a list of messages.
    ///   - plainSingles: Whether a message that is alone in its broadcast and slot goes without `MULTI`.
    ///   - acknowledged: Is told with the instant of each broadcast's own last reply.
    func publish(
        _ batches: [[Publication]], plainSingles: Bool, acknowledged: (RedisPublishAcknowledgement) -> Void
    ) {
        let end = MonotonicInstant.now() + deadline
        var parts = batches.enumerated().flatMap { split($1, of: $0) }
        var pending = Array(parts.indices)
        var rounds = 0
        while !pending.isEmpty, rounds <= RedisRouter.maximumRedirections {
            rounds += 1
            send(pending, of: &parts, plainSingles: plainSingles, until: end)
            pending = pending.filter { follow(&parts[$0]) }
        }
        for index in pending {
            guard case .failure(let error) = parts[index].receivers else { continue }
            parts[index].receivers = .failure(RedisRouter.tooManyRedirections(error))
        }
        if !pending.isEmpty { fail() }
        report(parts, of: batches, acknowledged)
    }

    /// The parts of a broadcast, in the order of their first messages.
    private func split(_ messages: [Publication], of batch: Int) -> [Part] {
        var parts: [Part] = []
        for (place, message) in messages.enumerated() {
            let slot = HashSlot(of: message.channel)
            var index = parts.firstIndex { $0.slot == slot }
            if index == nil {
                index = parts.count
                parts.append(
                    Part(batch: batch, slot: slot, receivers: .failure(router.noOwner(of: slot)), at: .now()))
            }
            guard let index else { continue }
            parts[index].places.append(place)
            parts[index].messages.append(message)
        }
        return parts
    }

    /// Sends the parts to their nodes, one write a node.
    private func send(
        _ pending: [Int], of parts: inout [Part], plainSingles: Bool, until end: MonotonicInstant
    ) {
        var servers: [RedisURL] = []
        var groups: [RedisURL: [Int]] = [:]
        for index in pending {
            do throws(RedisError) {
                let server = try owner(of: parts[index].slot, until: end)
                if groups[server] == nil { servers.append(server) }
                groups[server, default: []].append(index)
            } catch {
                parts[index].receivers = .failure(error)
            }
        }
        for server in servers {
            let group = groups[server] ?? []
            for index in group { parts[index].server = server }
            do throws(RedisError) {
                let connection = try connection(to: server, until: end)
                connection.publish(group.map { parts[$0].messages }, plainSingles: plainSingles, until: end) { reply in
                    parts[group[reply.index]].receivers = reply.receivers
                    parts[group[reply.index]].at = reply.at
                }
                if !connection.isUsable { fail() }
            } catch {
                for index in group { parts[index].receivers = .failure(error) }
                fail()
            }
        }
    }

    /// Whether the part is to be sent again, since the node that had it named another.
    private func follow(_ part: inout Part) -> Bool {
        guard case .failure(let error) = part.receivers, let redirection = error.redirection, let server = part.server
        else { return false }
        do throws(RedisError) {
            try router.follow(redirection, askedAt: server)
            return true
        } catch {
            part.receivers = .failure(error)
            return false
        }
    }

    private func report(
        _ parts: [Part], of batches: [[Publication]], _ acknowledged: (RedisPublishAcknowledgement) -> Void
    ) {
        var next = 0
        for (index, messages) in batches.enumerated() {
            var receivers = [Int64](repeating: 0, count: messages.count)
            var failure: RedisError?
            var isPublished = false
            var at: MonotonicInstant?
            while next < parts.count, parts[next].batch == index {
                let part = parts[next]
                next += 1
                at = max(at ?? part.at, part.at)
                switch part.receivers {
                case .success(let counts):
                    isPublished = true
                    for (place, count) in zip(part.places, counts) { receivers[place] = count }
                case .failure(let error):
                    if error.maybePublished { isPublished = true }
                    failure = failure ?? error
                }
            }
            let result: Result<[Int64], RedisError> =
                if let failure { .failure(isPublished ? failure.afterSending() : failure) } else { .success(receivers) }
            acknowledged(RedisPublishAcknowledgement(index: index, receivers: result, at: at ?? .now()))
        }
    }

    // MARK: Nodes

    private func owner(of slot: HashSlot, until end: MonotonicInstant) throws(RedisError) -> RedisURL {
        if let owner = router.owner(of: slot) { return owner }
        try learnSlots(until: end)
        guard let owner = router.owner(of: slot) else { throw router.noOwner(of: slot) }
        return owner
    }

    private func connection(to server: RedisURL, until end: MonotonicInstant) throws(RedisError)
        -> BlockingRedisConnection
    {
        if let connection = connections[server], connection.isUsable { return connection }
        let left = end - MonotonicInstant.now()
        guard left > .zero else { throw RedisBootstrap.timedOut(url: server, deadline: deadline) }
        let connection = try BlockingRedisConnection(url: server, deadline: left)
        connection.publishWord = .sharded
        connections[server] = connection
        return connection
    }

    /// Asks the nodes in turn until one answers.
    private func learnSlots(until end: MonotonicInstant) throws(RedisError) {
        var failure = RedisRouter.noServer
        for node in router.topology.seeds {
            let left = min(end - MonotonicInstant.now(), router.questionDeadline)
            guard left > .zero else { break }
            do throws(RedisError) {
                let connection = try BlockingRedisConnection(url: node, deadline: left)
                router.learn(try SlotTable(try connection.send(RedisCommand("CLUSTER", "SLOTS")), askedAt: node))
                return
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private func fail() {
        router.forgetSlots()
        close()
    }
}
