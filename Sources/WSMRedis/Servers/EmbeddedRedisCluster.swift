public import WSMCore

/// A private cluster of masters, each with its share of the slots, none with a replica.
///
/// The nodes end like any ``EmbeddedRedis``: with ``stop()``, and soon after this process however that ends.
public final class EmbeddedRedisCluster: Sendable {
    /// The masters, in the order of their slots.
    public let nodes: [EmbeddedRedis]

    private init(nodes: [EmbeddedRedis]) {
        self.nodes = nodes
    }

    /// Where the nodes listen.
    public var urls: [RedisURL] { nodes.map(\.url) }

    /// Starts `count` masters and makes a cluster of them; returns when every node knows and reaches all others.
    ///
    /// - Parameters:
    ///   - count: How many; Redis itself asks for at least three.
    ///   - configuration: Lines for each node's configuration file.
    ///   - deadline: How long each of the two steps may take.
    /// - Throws: ``RedisError`` `serverNotStarted`.
    public static func start(
        nodes count: Int = 3, configuration: [String] = [], deadline: TimeSpan = .seconds(30)
    ) async throws -> EmbeddedRedisCluster {
        precondition((1...1000).contains(count), "a cluster has between 1 and 1000 masters")
        var options = EmbeddedRedis.Options(configuration: configuration, deadline: deadline)
        options.kind = .clusterNode
        let nodes = try await EmbeddedRedis.startAll(Array(repeating: options, count: count))
        do {
            try await join(nodes.map(\.url), deadline: deadline)
            try await awaitAgreement(nodes.map(\.url), deadline: deadline)
        } catch {
            await EmbeddedRedis.stopAll(nodes)
            throw error
        }
        return EmbeddedRedisCluster(nodes: nodes)
    }

    /// The node that got the slot of `channel` at the start.
    public func node(of channel: ChannelName) -> EmbeddedRedis {
        let slot = HashSlot(of: channel).number
        let index = nodes.indices.last { $0 * HashSlot.count / nodes.count <= slot }
        return nodes[index ?? 0]
    }

    /// Waits until every node knows and reaches all others: after a node was started again.
    public func awaitAgreement(deadline: TimeSpan = .seconds(30)) async throws {
        try await Self.awaitAgreement(urls, deadline: deadline)
    }

    /// Ends all nodes and removes their folders.
    public func stop() async {
        await EmbeddedRedis.stopAll(nodes)
    }

    /// Gives each node its slots and an epoch of its own, as `redis-cli --cluster create` does, then introduces them.
    private static func join(_ urls: [RedisURL], deadline: TimeSpan) async throws {
        for (index, url) in urls.enumerated() {
            let first = index * HashSlot.count / urls.count
            let last = (index + 1) * HashSlot.count / urls.count - 1
            _ = try await RedisQuestion.ask(
                url, RedisCommand("CLUSTER", "SET-CONFIG-EPOCH", "\(index + 1)"),
                RedisCommand("CLUSTER", "ADDSLOTSRANGE", "\(first)", "\(last)"), within: deadline)
        }
        // Everyone is introduced to everyone, so that nobody waits for gossip.
        for (index, url) in urls.enumerated() {
            for other in urls[(index + 1)...] {
                let command = RedisCommand("CLUSTER", "MEET", other.host ?? "", "\(other.port ?? 0)")
                _ = try await RedisQuestion.ask(url, command, within: deadline)
            }
        }
    }

    private static func awaitAgreement(_ urls: [RedisURL], deadline: TimeSpan) async throws {
        try await ServersWait.until("the Redis cluster", within: deadline) {
            for url in urls {
                let replies = try await RedisQuestion.ask(
                    url, RedisCommand("CLUSTER", "INFO"), RedisCommand("CLUSTER", "NODES"))
                guard let info = replies[0].text, let view = replies[1].text.flatMap({ ClusterView($0) }) else {
                    return "the node at \(url) does not say what it knows"
                }
                if let missing = view.missing(of: urls.count) { return missing }
                guard info.contains("cluster_state:ok"), info.contains("cluster_slots_ok:\(HashSlot.count)") else {
                    return "the node at \(url) does not call the cluster ok"
                }
            }
            return nil
        }
    }
}

extension EmbeddedRedis {
    /// Starts several servers at once, in the order of their options; when one does not come up, none is left.
    static func startAll(_ options: [Options]) async throws -> [EmbeddedRedis] {
        let starting = options.map { one in Task { try await start(one) } }
        var started: [EmbeddedRedis] = []
        var failure: (any Error)?
        for task in starting {
            do { started.append(try await task.value) } catch { failure = failure ?? error }
        }
        guard let failure else { return started }
        await stopAll(started)
        throw failure
    }

    /// Ends several servers at once.
    static func stopAll(_ servers: [EmbeddedRedis]) async {
        await withTaskGroup(of: Void.self) { group in
            for server in servers { group.addTask { await server.stop() } }
        }
    }
}
