internal import NIOCore
internal import NIOPosix
internal import WSMCore
internal import WSMInstance
internal import WSMManagers
internal import WSMRedis
internal import WSMScenario

/// The instances of a run in this process, and the Redis that they share.
///
/// Each instance has an event loop thread of its own (up to ``ownLoops``), as each instance of the reference has one.
final class InProcessCluster: Sendable {
    /// More instances than this share event loops.
    static let ownLoops = 64

    let instances: [LiveInstance]
    let redisURL: RedisURL?
    let embedded: EmbeddedRedis?
    private let groups: [MultiThreadedEventLoopGroup]

    /// Starts Redis, if the scenario wants a private one, and then the instances.
    ///
    /// - Throws: ``HarnessError`` of the environment: Redis, ports.
    static func start(_ cluster: ClusterSpec, seed: UInt64, probes: [RunProbe]) async throws -> InProcessCluster {
        var embedded: EmbeddedRedis?
        var url: RedisURL?
        if cluster.manager == .broadcast {
            switch cluster.redis {
            case .embedded:
                let server = try await EmbeddedRedis.start()
                embedded = server
                url = server.url
            case .url(let text): url = try RedisURL(text)
            }
        }
        let loops = min(cluster.instances, ownLoops)
        let groups = (0..<loops).map { _ in MultiThreadedEventLoopGroup(numberOfThreads: 1) }
        var started: [LiveInstance] = []
        do {
            for (index, probe) in probes.enumerated() {
                let configuration = Self.configuration(cluster, seed: seed, index: index, redis: url)
                started.append(
                    try await LiveInstance.start(configuration, on: groups[index % loops], probe: probe))
            }
        } catch {
            for instance in started { _ = try? await instance.stop() }
            for group in groups { try? await group.shutdownGracefully() }
            await embedded?.stop()
            throw error
        }
        return InProcessCluster(instances: started, redisURL: url, embedded: embedded, groups: groups)
    }

    private init(
        instances: [LiveInstance], redisURL: RedisURL?, embedded: EmbeddedRedis?,
        groups: [MultiThreadedEventLoopGroup]
    ) {
        self.instances = instances
        self.redisURL = redisURL
        self.embedded = embedded
        self.groups = groups
    }

    private static func configuration(
        _ cluster: ClusterSpec, seed: UInt64, index: Int, redis: RedisURL?
    ) -> LiveInstance.Configuration {
        var manager = LiveWebSocketManager.Configuration(policies: cluster.policies, redis: redis)
        manager.seed = seed &+ UInt64(index) &* 0x9e37_79b9
        var configuration = LiveInstance.Configuration(manager: manager)
        configuration.name = "wsm\(index)"
        configuration.workers = cluster.workers
        configuration.seed = manager.seed
        return configuration
    }

    /// The event loop of an instance, for the fences and the measuring of its CPU.
    func eventLoop(of instance: Int) -> any EventLoop { groups[instance % groups.count].any() }

    /// The event loops of all instances, each once.
    var eventLoops: [any EventLoop] { groups.map { $0.any() } }

    var sharesLoops: Bool { groups.count < instances.count }

    /// Stops the instances, all at once.
    ///
    /// What they leave behind is in the reports.
    func stopInstances(deadline: TimeSpan) async throws -> [LiveInstance.StopReport] {
        try await withThrowingTaskGroup(of: (Int, LiveInstance.StopReport).self) { group in
            for (index, instance) in instances.enumerated() {
                group.addTask { (index, try await instance.stop(deadline: deadline)) }
            }
            var reports = [LiveInstance.StopReport](repeating: .init(), count: instances.count)
            for try await (index, report) in group { reports[index] = report }
            return reports
        }
    }

    /// Subscriptions to events that the private Redis still has once the instances have stopped, at the deadline or as soon
    /// as there are none; 0 where Redis may have other subscribers.
    func subscriptionsLeft(deadline: MonotonicInstant) async -> Int {
        guard let url = embedded?.url, let loop = groups.first?.any() else { return 0 }
        let connect = RedisConnection.connect(to: url, on: loop, deadline: .seconds(1))
        guard let connection = try? await connect.get() else { return 0 }
        defer { connection.close() }
        while true {
            // Asked at or after the deadline, the answer is the last one, however late this task gets its turn.
            let isLast = MonotonicInstant.now() >= deadline
            let reply = try? await connection.send("PUBSUB", "NUMSUB", ChannelName.events.name).get()
            guard case .array(let parts)? = reply, parts.count == 2, case .integer(let count) = parts[1] else {
                return 0
            }
            if count == 0 || isLast { return Int(count) }
            try? await Task.sleep(nanoseconds: 5_000_000)
        }
    }

    /// Ends Redis and the threads.
    ///
    /// To be called however the run ends.
    func shutDown() async {
        await embedded?.stop()
        for group in groups { try? await group.shutdownGracefully() }
    }
}
