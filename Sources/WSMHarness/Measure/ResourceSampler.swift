internal import Foundation
internal import WSMCore
internal import WSMRedis

/// What the parts of a run have used up to an instant: two samples give the use of the time between.
struct ResourceSample: Sendable {
    var instances: [PartUsage]
    var clients: [PartUsage]
    var workers: [PartUsage] = []
    /// The private servers, in their order; one that is away has used nothing.
    var redis: [PartUsage] = []
    /// The named processes of a target, in their order.
    var processes: [ProcessTreeUsage] = []
    /// CPU seconds of the run's own process, with whatever parts are inside of it.
    var ownCPUSeconds: Double = 0
    var at: MonotonicInstant
}

/// Tells the CPU of the parts of a run apart.
struct ResourceSampler: Sendable {
    private let cluster: (any Cluster)?
    private let fleet: any RunFleet
    private let watch: TargetWatch?

    init(_ system: SystemUnderTest, _ fleet: any RunFleet) async {
        cluster = system.cluster
        self.fleet = fleet
        if case .target(let target) = system { watch = target.watch } else { watch = nil }
    }

    func sample() async -> ResourceSample {
        var redis: [PartUsage] = []
        for server in cluster?.redis?.servers ?? [] {
            let pid = await server.pid ?? 0
            // By its threads, which are counted in nanoseconds: the process itself is in ticks of 10 ms.
            let seconds = ProcessUsage.threads(of: "\(pid)").values.reduce(0) { $0 + $1.cpuSeconds }
            redis.append(PartUsage(pid: pid, cpuSeconds: seconds))
        }
        return ResourceSample(
            instances: await cluster?.usage() ?? [], clients: await fleet.usage(),
            workers: await cluster?.workerUsage() ?? [], redis: redis,
            processes: watch?.mark() ?? [], ownCPUSeconds: ProcessUsage.cpuSeconds(of: getpid()) ?? 0, at: .now())
    }
}

extension Resources {
    /// The use between two samples, a delivery of `deliveries`.
    ///
    /// - Parameter redis: As it was at both ends; `nil` without Redis.
    init(
        from start: ResourceSample, to end: ResourceSample, deliveries: Int,
        redis: (before: RedisInspection.State?, after: RedisInspection.State)?
    ) {
        func usage(_ parts: (from: PartUsage, to: PartUsage)) -> ResourceUsage {
            // A part that began anew in between has used what it has used.
            let before = parts.from.pid == parts.to.pid ? parts.from.cpuSeconds : 0
            return ResourceUsage(
                pid: parts.to.pid, cpuSeconds: max(0, parts.to.cpuSeconds - before), deliveries: deliveries,
                rssBytes: parts.to.rssBytes, peakRssBytes: parts.to.peakRssBytes)
        }
        let processes = zip(start.processes, end.processes).map { from, to in
            ResourceUsage(
                pid: to.pid, cpuSeconds: max(0, to.cpuSeconds - from.cpuSeconds), deliveries: deliveries,
                rssBytes: to.rssBytes, peakRssBytes: to.peakRssBytes)
        }
        self.init(
            instances: zip(start.instances, end.instances).map { usage(($0, $1)) } + processes,
            clients: zip(start.clients, end.clients).map { usage(($0, $1)) },
            workers: zip(start.workers, end.workers).map { usage(($0, $1)) },
            redis: redis.map { redis in
                var sum = RedisUsage(
                    connections: redis.after.connections, servers: zip(start.redis, end.redis).map { usage(($0, $1)) })
                let traffic = redis.before.flatMap { redis.after.traffic.since($0.traffic) }
                sum.commands = traffic?.commands
                sum.bytesIn = traffic?.bytesIn
                sum.bytesOut = traffic?.bytesOut
                return sum
            })
    }
}

extension ResourceSample {
    /// The part of the machine's CPU time since `start` that others than the run and the system under test used.
    ///
    /// - Parameters:
    ///   - used: What each part used in between.
    ///   - machineBusy: The part of it that anybody used.
    /// - Returns: `nil` where a part of the system is not seen: a Redis that runs elsewhere, a target without its processes.
    func otherPrograms(since start: ResourceSample, used: Resources, machineBusy: Double, cores: Int) -> Double? {
        let seconds = (at - start.at).seconds
        guard seconds > 0, cores > 0, !used.instances.isEmpty else { return nil }
        var run = ownCPUSeconds - start.ownCPUSeconds
        if let redis = used.redis {
            guard let cpu = redis.cpuSeconds else { return nil }
            run += cpu
        }
        let others = (used.instances + used.clients + (used.workers ?? [])).filter { $0.pid != getpid() }
        run += others.reduce(0) { $0 + $1.cpuSeconds }
        return min(1, max(0, machineBusy - run / (seconds * Double(cores))))
    }
}
