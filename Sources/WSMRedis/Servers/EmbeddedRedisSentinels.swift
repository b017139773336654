public import WSMCore

/// A private master with replicas, and three sentinels that make one of them the master when it dies.
///
/// The servers end like any ``EmbeddedRedis``: with ``stop()``, and soon after this process however that ends.
public final class EmbeddedRedisSentinels: Sendable {
    /// What to start.
    public struct Options: Sendable {
        /// Replicas of the first master.
        public var replicas: Int
        /// How long the master may be silent before a sentinel calls it down.
        public var downAfter: TimeSpan
        /// Lines for each data server's configuration file.
        public var configuration: [String]
        /// How long each of the steps of the start may take.
        public var deadline: TimeSpan

        public init(
            replicas: Int = 1, downAfter: TimeSpan = .milliseconds(500), configuration: [String] = [],
            deadline: TimeSpan = .seconds(30)
        ) {
            self.replicas = replicas
            self.downAfter = downAfter
            self.configuration = configuration
            self.deadline = deadline
        }
    }

    /// What the sentinels call the master.
    public static let masterName = "wsmlab"
    private static let sentinelCount = 3
    /// Of three sentinels two must agree.
    private static let quorum = 2
    /// How long an attempt of a failover may take before another is made.
    private static let failoverTimeout = TimeSpan.seconds(3)

    /// The first master, then its replicas.
    public let servers: [EmbeddedRedis]
    public let sentinels: [EmbeddedRedis]

    private init(servers: [EmbeddedRedis], sentinels: [EmbeddedRedis]) {
        self.servers = servers
        self.sentinels = sentinels
    }

    /// Where the sentinels listen.
    public var sentinelURLs: [RedisURL] { sentinels.map(\.url) }

    /// Starts all servers; returns when the replicas follow the master and every sentinel knows all others.
    ///
    /// - Throws: ``RedisError`` `serverNotStarted`.
    public static func start(_ options: Options = Options()) async throws -> EmbeddedRedisSentinels {
        precondition((1...100).contains(options.replicas), "a failover needs a replica")
        let servers = try await startServers(options)
        do {
            let sentinels = try await startSentinels(of: servers[0].url, options)
            let group = EmbeddedRedisSentinels(servers: servers, sentinels: sentinels)
            do {
                try await group.awaitAgreement(deadline: options.deadline)
                return group
            } catch {
                await EmbeddedRedis.stopAll(sentinels)
                throw error
            }
        } catch {
            await EmbeddedRedis.stopAll(servers)
            throw error
        }
    }

    /// The master and its replicas, which follow it.
    private static func startServers(_ options: Options) async throws -> [EmbeddedRedis] {
        var server = EmbeddedRedis.Options(configuration: options.configuration, deadline: options.deadline)
        server.kind = .replicated
        let master = try await EmbeddedRedis.start(server)
        do {
            server.configuration.append("replicaof \(master.url.host ?? "") \(master.url.port ?? 0)")
            let replicas = try await EmbeddedRedis.startAll(Array(repeating: server, count: options.replicas))
            do {
                try await awaitReplicas(replicas, deadline: options.deadline)
                return [master] + replicas
            } catch {
                await EmbeddedRedis.stopAll(replicas)
                throw error
            }
        } catch {
            await master.stop()
            throw error
        }
    }

    /// The server that the first sentinel to answer calls the master, if it is one of ours.
    ///
    /// - Throws: ``RedisError`` `unavailable` when no sentinel answers.
    public func master() async throws -> EmbeddedRedis {
        let named = await namedMasters()
        guard let master = named.compactMap(server).first else {
            throw RedisError(.unavailable, "no sentinel names a Redis master")
        }
        return master
    }

    /// The server of the group that listens there.
    private func server(at url: RedisURL) -> EmbeddedRedis? { servers.first { $0.url.port == url.port } }

    /// Waits until all sentinels that answer name the same master, another than `old`, and it takes writes; returns it.
    ///
    /// Before they agree, whoever asks one that has not heard of the failover may be sent to the old master.
    public func awaitMaster(
        otherThan old: EmbeddedRedis? = nil, deadline: TimeSpan = .seconds(30)
    ) async throws -> EmbeddedRedis {
        var found: EmbeddedRedis?
        try await ServersWait.until("a new Redis master", within: deadline) {
            let named = await namedMasters()
            guard named.count >= Self.quorum, let first = named.first else { return "too few sentinels answer" }
            guard named.allSatisfy({ $0 == first }) else { return "the sentinels do not agree" }
            guard let master = server(at: first), master !== old else {
                return "the sentinels still name the old one"
            }
            let role = try await RedisQuestion.ask(master.url, RedisCommand("ROLE"))
            guard case .array(let parts) = role[0], parts.first?.text == "master" else {
                return "the new one is not a master yet"
            }
            // A server that is to become a replica refuses this.
            _ = try await RedisQuestion.ask(
                master.url, RedisCommand("SET", "wsmlab:writable", "1"), RedisCommand("DEL", "wsmlab:writable"))
            found = master
            return nil
        }
        guard let found else { throw RedisError(.unavailable, "there is no Redis master") }
        return found
    }

    /// Whom each sentinel that answers calls the master.
    private func namedMasters() async -> [RedisURL] {
        var named: [RedisURL] = []
        for sentinel in sentinels {
            let question = SentinelAnswer.question(Self.masterName)
            guard let reply = try? await RedisQuestion.ask(sentinel.url, question).first,
                let url = try? SentinelAnswer.master(reply, named: Self.masterName, by: sentinel.url)
            else { continue }
            named.append(url)
        }
        return named
    }

    /// Has the sentinels make a replica the master, in order, though the old one is well (`SENTINEL FAILOVER`).
    public func failOver() async throws {
        var failure: (any Error)?
        for sentinel in sentinels {
            do {
                _ = try await RedisQuestion.ask(sentinel.url, RedisCommand("SENTINEL", "FAILOVER", Self.masterName))
                return
            } catch {
                failure = error
            }
        }
        throw RedisError(.unavailable, "no sentinel began a failover", cause: failure)
    }

    /// Ends all servers and removes their folders; the sentinels first, so that they see no master go.
    public func stop() async {
        await EmbeddedRedis.stopAll(sentinels)
        await EmbeddedRedis.stopAll(servers)
    }

    // MARK: Starting

    private static func startSentinels(of master: RedisURL, _ options: Options) async throws -> [EmbeddedRedis] {
        var sentinel = EmbeddedRedis.Options(deadline: options.deadline)
        sentinel.kind = .sentinel
        sentinel.configuration = [
            "sentinel monitor \(masterName) \(master.host ?? "") \(master.port ?? 0) \(quorum)",
            "sentinel down-after-milliseconds \(masterName) \(max(1, options.downAfter.nanoseconds / 1_000_000))",
            "sentinel failover-timeout \(masterName) \(failoverTimeout.nanoseconds / 1_000_000)",
        ]
        return try await EmbeddedRedis.startAll(Array(repeating: sentinel, count: sentinelCount))
    }

    private static func awaitReplicas(_ replicas: [EmbeddedRedis], deadline: TimeSpan) async throws {
        try await ServersWait.until("the replication of the Redis master", within: deadline) {
            for replica in replicas {
                let info = try await RedisQuestion.ask(replica.url, RedisCommand("INFO", "replication"))
                guard info[0].text?.contains("master_link_status:up") == true else {
                    return "the replica at \(replica.url) has not caught up"
                }
            }
            return nil
        }
    }

    private func awaitAgreement(deadline: TimeSpan) async throws {
        try await ServersWait.until("the agreement of the sentinels", within: deadline) {
            for sentinel in sentinels {
                let reply = try await RedisQuestion.ask(
                    sentinel.url, RedisCommand("SENTINEL", "MASTER", Self.masterName),
                    RedisCommand("SENTINEL", "CKQUORUM", Self.masterName))
                let state = Self.fields(of: reply[0])
                guard state["flags"] == "master", state["num-slaves"] == "\(servers.count - 1)",
                    state["num-other-sentinels"] == "\(sentinels.count - 1)"
                else { return "the sentinel at \(sentinel.url) does not know all servers" }
            }
            return nil
        }
    }

    /// A flat list of names and values.
    private static func fields(of reply: RedisReply) -> [String: String] {
        guard case .array(let parts) = reply else { return [:] }
        var fields: [String: String] = [:]
        for index in stride(from: 0, to: parts.count - 1, by: 2) {
            if let name = parts[index].text { fields[name] = parts[index + 1].text }
        }
        return fields
    }
}
