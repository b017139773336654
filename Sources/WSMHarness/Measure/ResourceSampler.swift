internal import Foundation
internal import NIOCore
internal import WSMCore
internal import WSMRedis

/// What the parts of a run have used up to an instant: two samples give the use of the time between.
struct ResourceSample: Sendable {
    /// CPU seconds by part; instances by their index.
    var instances: [Double]
    var clients: Double
    var redis: Double?
    /// The named processes of a target, in their order.
    var processes: [ProcessTreeUsage] = []
    var at: MonotonicInstant
}

/// Tells the CPU of the parts of a run apart that share this process, by their threads.
final class ResourceSampler: Sendable {
    private let instanceLoops: [Int?]
    private let clientLoops: [Int]
    private let redisPID: Int32?
    private let watch: TargetWatch?

    /// - Parameters:
    ///   - system: A cluster's instances' threads are named after them, their event loops are asked for their number.
    ///   - clientLoops: The event loops of the fleet.
    init(_ system: SystemUnderTest, clientLoops loops: [any EventLoop]) async throws {
        var instanceLoops: [Int?] = []
        var redisPID: Int32?
        var watch: TargetWatch?
        switch system {
        case .cluster(let cluster):
            for index in cluster.instances.indices {
                let loop = cluster.eventLoop(of: index)
                instanceLoops.append(try await loop.submit { ProcessUsage.currentThread() }.get())
            }
            redisPID = await cluster.embedded?.pid
        case .target(let target): watch = target.watch
        }
        var clientLoops: [Int] = []
        for loop in loops {
            if let thread = try await loop.submit({ ProcessUsage.currentThread() }).get() { clientLoops.append(thread) }
        }
        self.instanceLoops = instanceLoops
        self.clientLoops = clientLoops
        self.redisPID = redisPID
        self.watch = watch
    }

    func sample() -> ResourceSample {
        let threads = ProcessUsage.threads()
        // An event loop that several instances share is divided among them evenly.
        var sharers: [Int: Int] = [:]
        for loop in instanceLoops.compactMap({ $0 }) { sharers[loop, default: 0] += 1 }
        let instances = instanceLoops.enumerated().map { index, loop in
            let own = threads.values.filter { $0.name.hasPrefix("wsm\(index)-") }.reduce(0) { $0 + $1.cpuSeconds }
            guard let loop, let shared = threads[loop] else { return own }
            return own + shared.cpuSeconds / Double(sharers[loop] ?? 1)
        }
        let loops = clientLoops.reduce(0) { $0 + (threads[$1]?.cpuSeconds ?? 0) }
        let load = threads.values.filter { $0.name.hasPrefix("load-") }.reduce(0) { $0 + $1.cpuSeconds }
        return ResourceSample(
            instances: instances, clients: loops + load, redis: redisPID.flatMap { ProcessUsage.cpuSeconds(of: $0) },
            processes: watch?.mark() ?? [], at: .now())
    }

    /// The use between two samples, a delivery of `deliveries`.
    func resources(
        from start: ResourceSample, to end: ResourceSample, deliveries: Int, redisConnections: Int?
    ) -> Resources {
        let pid = getpid()
        let memory = ProcessUsage.memory(of: pid) ?? (0, 0)
        func usage(_ cpuSeconds: Double) -> ResourceUsage {
            ResourceUsage(
                pid: pid, cpuSeconds: max(0, cpuSeconds), deliveries: deliveries, rssBytes: Int64(memory.now),
                peakRssBytes: Int64(memory.peak))
        }
        var redis: RedisUsage?
        if let connections = redisConnections {
            var process: ResourceUsage?
            if let redisPID, let from = start.redis, let to = end.redis,
                let memory = ProcessUsage.memory(of: redisPID)
            {
                process = ResourceUsage(
                    pid: redisPID, cpuSeconds: to - from, deliveries: deliveries, rssBytes: Int64(memory.now),
                    peakRssBytes: Int64(memory.peak))
            }
            redis = RedisUsage(connections: connections, process: process)
        }
        let processes = zip(start.processes, end.processes).map { from, to in
            ResourceUsage(
                pid: to.pid, cpuSeconds: max(0, to.cpuSeconds - from.cpuSeconds), deliveries: deliveries,
                rssBytes: to.rssBytes, peakRssBytes: to.peakRssBytes)
        }
        return Resources(
            instances: zip(start.instances, end.instances).map { usage($1 - $0) } + processes,
            clients: [usage(end.clients - start.clients)], redis: redis)
    }
}
