internal import WSMCore
internal import WSMRedis
internal import WSMScenario

/// The Redis of a run: servers that it starts and ends, or one that runs already.
enum RunRedis: Sendable {
    /// One server, and how instances log in there.
    case server(EmbeddedRedis, login: RedisURL)
    case cluster(EmbeddedRedisCluster, ClusterPublish)
    case sentinels(EmbeddedRedisSentinels)
    case external(RedisURL)

    /// Starts what the scenario asks for; `nil` in memory.
    ///
    /// - Throws: `RedisError` when it does not come up, `RedisURLError`.
    static func start(_ cluster: ClusterSpec, _ security: RunSecurity) async throws -> RunRedis? {
        guard cluster.manager == .broadcast else { return nil }
        let options = security.redis
        switch cluster.redis {
        case .embedded:
            let server = try await EmbeddedRedis.start(options)
            return .server(server, login: security.instancesURL(of: server))
        case .cluster(let spec):
            let servers = try await EmbeddedRedisCluster.start(
                nodes: spec.nodes, configuration: options.configuration)
            return .cluster(servers, spec.publish)
        case .sentinel(let spec):
            let servers = try await EmbeddedRedisSentinels.start(
                .init(replicas: spec.replicas, downAfter: spec.downAfter, configuration: options.configuration))
            return .sentinels(servers)
        case .url(let text): return .external(try RedisURL(text))
        }
    }

    /// How an instance finds its server.
    ///
    /// Instances go to the nodes of a cluster and to the sentinels in turn: the first prefers the first one, and so on, and
    /// the others follow for when that one is gone.
    func topology(instance: Int) -> RedisTopology {
        switch self {
        case .server(_, let login): .single(login)
        case .external(let url): .single(url)
        case .cluster(let cluster, .bus): .clusterBus(Self.rotated(cluster.urls, by: instance))
        case .cluster(let cluster, .sharded): .clusterSharded(Self.rotated(cluster.urls, by: instance))
        case .sentinels(let group):
            .sentinel(
                Self.rotated(group.sentinelURLs, by: instance), master: EmbeddedRedisSentinels.masterName)
        }
    }

    /// The private servers that carry messages: no sentinels.
    var servers: [EmbeddedRedis] {
        switch self {
        case .server(let server, _): [server]
        case .cluster(let cluster, _): cluster.nodes
        case .sentinels(let group): group.servers
        case .external: []
        }
    }

    /// Where its servers listen.
    var urls: [RedisURL] {
        if case .external(let url) = self { [url] } else { servers.map(\.url) }
    }

    var isSharded: Bool { if case .cluster(_, .sharded) = self { true } else { false } }

    /// Ends what ``start(_:)`` started.
    func stop() async {
        switch self {
        case .server(let server, _): await server.stop()
        case .cluster(let cluster, _): await cluster.stop()
        case .sentinels(let group): await group.stop()
        case .external: break
        }
    }

    private static func rotated(_ urls: [RedisURL], by count: Int) -> [RedisURL] {
        guard !urls.isEmpty else { return [] }
        let first = count % urls.count
        return Array(urls[first...] + urls[..<first])
    }
}
