internal import NIOCore
internal import WSMCore
internal import WSMInstance
internal import WSMRecord

/// A cluster whose processes run in worker processes beside its instances (`executor: worker`).
struct ClusterWithWorkers: Cluster {
    let base: any Cluster
    let workers: WorkerProcesses
    let processes: RunProcesses

    var instanceCount: Int { base.instanceCount }
    var ports: [Int] { base.ports }
    var redis: RunRedis? { base.redis }
    var eventLoops: [any EventLoop] { base.eventLoops }

    func startLoad(_ clock: LoadClock) async throws -> any RunningLoad {
        let load = try await base.startLoad(clock)
        try await workers.startLoad(LoadWindow(clock))
        return LoadWithWorkers(base: load, workers: workers)
    }

    func publishFences() async { await base.publishFences() }

    /// An instance counts as busy while some worker is.
    func states() async -> [InstanceState] {
        await workers.refresh()
        let isWorking = workers.isWorking
        return await base.states().map { state in
            var state = state
            if isWorking { state.backlog = max(1, state.backlog) }
            return state
        }
    }

    /// What the instances submitted is in the logs where they share the run's process, and else counted.
    func glance() async -> ClusterGlance {
        await workers.refresh()
        var glance = await base.glance()
        if let submitted = glance.submitted { glance.submitted = submitted + workers.submitted }
        return glance
    }

    func stopInstances(deadline: TimeSpan) async throws -> [LiveInstance.StopReport] {
        await workers.stop(deadline: deadline)
        return try await base.stopInstances(deadline: deadline)
    }

    func finishRecords() async throws {
        try await base.finishRecords()
        try await DedicatedThread.perform(name: "journal-reader") {
            try workers.tellRecords(upTo: MonotonicInstant(nanoseconds: .max))
        }
    }

    func counts() async -> [InstanceCounts] { await base.counts() }
    func usage() async -> [PartUsage] { await base.usage() }
    func workerUsage() async -> [PartUsage] { workers.usage() }
    func failures() async -> [PartFailure] { await base.failures() + workers.failures }

    func kill(_ instance: Int) async throws { try await base.kill(instance) }
    func stop(_ instance: Int, deadline: TimeSpan) async throws { try await base.stop(instance, deadline: deadline) }
    func pause(_ instance: Int) async throws { try await base.pause(instance) }
    func resume(_ instance: Int) async throws { try await base.resume(instance) }
    func startAgain(_ instance: Int) async throws { try await base.startAgain(instance) }

    func shutDown() async {
        await processes.shutDown()
        await base.shutDown()
    }
}

/// The load of the instances and that of the workers.
private struct LoadWithWorkers: RunningLoad {
    let base: any RunningLoad
    let workers: WorkerProcesses

    var hasEnded: Bool { base.hasEnded && workers.loadHasEnded }

    var figures: LoadFigures {
        var sum = base.figures
        var own = workers.loadFigures
        // It is part of what the workers' processes used.
        own.cpu = .zero
        sum.add(own)
        return sum
    }

    func stop() {
        base.stop()
        workers.stopLoad()
    }
}
