internal import Foundation
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
final class InProcessCluster: Cluster {
    /// More instances than this share event loops.
    static let ownLoops = 64

    let instances: [LiveInstance]
    let redisURL: RedisURL?
    let embedded: EmbeddedRedis?
    private let plan: LoadPlan
    private let probes: [RunProbe]
    private let groups: [MultiThreadedEventLoopGroup]
    /// The thread of each instance's event loop.
    private let loopThreads: [Int?]

    /// Starts Redis, if the scenario wants a private one, and then the instances.
    ///
    /// - Throws: ``HarnessError`` of the environment: Redis, ports.
    static func start(
        _ cluster: ClusterSpec, plan: LoadPlan, seed: UInt64, probes: [RunProbe]
    ) async throws -> InProcessCluster {
        let (embedded, url) = try await startRedis(cluster)
        let loops = min(cluster.instances, ownLoops)
        let groups = (0..<loops).map { _ in MultiThreadedEventLoopGroup(numberOfThreads: 1) }
        var started: [LiveInstance] = []
        var threads: [Int?] = []
        do {
            for (index, probe) in probes.prefix(cluster.instances).enumerated() {
                let configuration = Self.configuration(cluster, seed: seed, index: index, redis: url)
                started.append(
                    try await LiveInstance.start(configuration, on: groups[index % loops], probe: probe))
                threads.append(
                    try await groups[index % loops].any().submit { ProcessUsage.currentThread() }.get())
            }
        } catch {
            for instance in started { _ = try? await instance.stop() }
            for group in groups { try? await group.shutdownGracefully() }
            await embedded?.stop()
            throw error
        }
        return InProcessCluster(
            instances: started, plan: plan, probes: probes, redisURL: url, embedded: embedded, groups: groups,
            loopThreads: threads)
    }

    private init(
        instances: [LiveInstance], plan: LoadPlan, probes: [RunProbe], redisURL: RedisURL?, embedded: EmbeddedRedis?,
        groups: [MultiThreadedEventLoopGroup], loopThreads: [Int?]
    ) {
        self.instances = instances
        self.plan = plan
        self.probes = probes
        self.loopThreads = loopThreads
        self.redisURL = redisURL
        self.embedded = embedded
        self.groups = groups
    }

    /// The Redis of a cluster: a private one, started here, or one that runs already; neither in memory.
    static func startRedis(_ cluster: ClusterSpec) async throws -> (EmbeddedRedis?, RedisURL?) {
        guard cluster.manager == .broadcast else { return (nil, nil) }
        switch cluster.redis {
        case .embedded:
            let server = try await EmbeddedRedis.start(cluster.redisOptions)
            return (server, server.url)
        case .url(let text): return (nil, try RedisURL(text))
        }
    }

    static func configuration(
        _ cluster: ClusterSpec, seed: UInt64, index: Int, redis: RedisURL?
    ) -> LiveInstance.Configuration {
        var manager = LiveWebSocketManager.Configuration(policies: cluster.policies, redis: redis)
        manager.seed = seed &+ UInt64(index) &* 0x9e37_79b9
        var configuration = LiveInstance.Configuration(manager: manager)
        configuration.name = "wsm\(index)"
        configuration.workers = cluster.workers
        configuration.hasBroadcastThread = cluster.executor == .threadpool
        configuration.seed = manager.seed
        return configuration
    }

    var instanceCount: Int { instances.count }
    var ports: [Int] { instances.map(\.port) }

    /// The event loop of an instance.
    func eventLoop(of instance: Int) -> any EventLoop { groups[instance % groups.count].any() }

    var eventLoops: [any EventLoop] { groups.map { $0.any() } }

    // MARK: The load

    func startLoad(_ clock: LoadClock) async throws -> any RunningLoad {
        Load(plan: plan, instances: instances, probes: probes, clock: clock)
    }

    func publishFences() async { await FencePublisher.publish(through: instances, probes: probes) }

    func submitted() async -> Int? { nil }

    func finishRecords() async throws {}

    func states() async -> [InstanceState] { instances.map { InstanceState($0) } }

    func counts() async -> [InstanceCounts] { instances.map { InstanceCounts($0.manager.counters) } }

    /// By their threads, which are named after them; an event loop that several share is divided among them evenly.
    func usage() async -> [PartUsage] {
        let threads = ProcessUsage.threads()
        var sharers: [Int: Int] = [:]
        for loop in loopThreads.compactMap({ $0 }) { sharers[loop, default: 0] += 1 }
        return loopThreads.enumerated().map { index, loop in
            var seconds = threads.values.filter { $0.name.hasPrefix("wsm\(index)-") }.reduce(0) { $0 + $1.cpuSeconds }
            if let loop, let shared = threads[loop] { seconds += shared.cpuSeconds / Double(sharers[loop] ?? 1) }
            return PartUsage(pid: getpid(), cpuSeconds: seconds)
        }
    }

    // MARK: The end

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

    func shutDown() async {
        await embedded?.stop()
        for group in groups { try? await group.shutdownGracefully() }
    }
}

extension InstanceState {
    /// An instance of this process.
    init(_ instance: LiveInstance) {
        let thread: ThreadEnd? =
            switch instance.broadcastThreadEnd {
            case nil: nil
            case .stopped: .stopped
            case .died: .dead
            }
        self.init(isUp: true, broadcastThread: thread, backlog: instance.backlog)
    }
}
