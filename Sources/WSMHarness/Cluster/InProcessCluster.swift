internal import Foundation
internal import NIOCore
internal import NIOPosix
internal import WSMCore
internal import WSMInstance
internal import WSMManagers
internal import WSMRecord
internal import WSMRedis
internal import WSMScenario

/// The instances of a run in this process, and the Redis that they share.
///
/// Each instance has an event loop thread of its own (up to ``ownLoops``), as each instance of the reference has one.
final class InProcessCluster: Cluster {
    /// More instances than this share event loops.
    static let ownLoops = Limits.pausableInstances

    let redis: RunRedis?
    let slots: [InstanceSlot]
    private let plan: LoadPlan
    private let groups: [MultiThreadedEventLoopGroup]
    /// The thread of each instance's event loop.
    private let loopThreads: [Int?]

    /// Starts Redis, if the scenario wants a private one, and then the instances.
    ///
    /// - Throws: ``HarnessError`` of the environment: Redis, ports.
    static func start(
        _ cluster: ClusterSpec, plan: LoadPlan, security: RunSecurity, seed: UInt64, probes: [RunProbe],
        links: RunLinks, wrap: @escaping @Sendable (any InstanceProbe) -> any InstanceProbe
    ) async throws -> InProcessCluster {
        let redis = try await RunRedis.start(cluster, security)
        let loops = min(cluster.instances, ownLoops)
        let groups = (0..<loops).map { _ in MultiThreadedEventLoopGroup(numberOfThreads: 1) }
        var slots: [InstanceSlot] = []
        var threads: [Int?] = []
        do {
            for (index, probe) in probes.prefix(cluster.instances).enumerated() {
                let topology = try await links.redis(of: index, redis)
                var configuration = LiveInstance.Configuration(cluster, seed: seed, index: index, redis: topology)
                security.parts.apply(to: &configuration)
                slots.append(
                    InstanceSlot(configuration, probe: probe, group: groups[index % loops], wrap: wrap))
            }
            for (index, slot) in slots.enumerated() {
                try await slot.start()
                threads.append(
                    try await groups[index % loops].any().submit { ProcessUsage.currentThread() }.get())
            }
        } catch {
            for slot in slots { _ = try? await slot.stop(deadline: .seconds(1)) }
            for group in groups { try? await group.shutdownGracefully() }
            await redis?.stop()
            throw error
        }
        return InProcessCluster(
            slots: slots, plan: plan, redis: redis, groups: groups, loopThreads: threads)
    }

    private init(
        slots: [InstanceSlot], plan: LoadPlan, redis: RunRedis?,
        groups: [MultiThreadedEventLoopGroup], loopThreads: [Int?]
    ) {
        self.slots = slots
        self.plan = plan
        self.loopThreads = loopThreads
        self.redis = redis
        self.groups = groups
    }

    var instanceCount: Int { slots.count }
    var ports: [Int] { slots.map(\.port) }

    /// The event loop of an instance.
    func eventLoop(of instance: Int) -> any EventLoop { groups[instance % groups.count].any() }

    var eventLoops: [any EventLoop] { groups.map { $0.any() } }

    // MARK: The load

    func startLoad(_ clock: LoadClock) async throws -> any RunningLoad {
        Load(plan: plan, places: slots, clock: clock)
    }

    func publishFences() async { await FencePublisher.publish(through: slots) }

    func glance() async -> ClusterGlance {
        ClusterGlance(states: slots.map(\.standing), counts: slots.map(\.counts))
    }

    func finishRecords() async throws {}

    func states() async -> [InstanceState] { slots.map(\.standing) }

    func counts() async -> [InstanceCounts] { slots.map(\.counts) }

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
        for slot in slots { slot.resume() }
        return try await withThrowingTaskGroup(of: (Int, LiveInstance.StopReport).self) { group in
            for (index, slot) in slots.enumerated() {
                group.addTask { (index, try await slot.end(deadline: deadline)) }
            }
            var reports = [LiveInstance.StopReport](repeating: .init(), count: slots.count)
            for try await (index, report) in group { reports[index] = report }
            return reports
        }
    }

    // MARK: Faults

    func kill(_ instance: Int) async throws { try await slots[instance].kill() }
    func stop(_ instance: Int, deadline: TimeSpan) async throws {
        _ = try await slots[instance].stop(deadline: deadline)
    }
    func pause(_ instance: Int) async throws { try await slots[instance].pause() }
    func resume(_ instance: Int) async throws { slots[instance].resume() }
    func startAgain(_ instance: Int) async throws { try await slots[instance].start() }

    func shutDown() async {
        await redis?.stop()
        for group in groups { try? await group.shutdownGracefully() }
    }
}
