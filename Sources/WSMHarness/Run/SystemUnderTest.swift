internal import NIOCore
internal import WSMClients
internal import WSMCore
internal import WSMInstance
internal import WSMScenario

/// What a run measures: a cluster that it starts and ends, or a target that runs already.
enum SystemUnderTest: Sendable {
    case cluster(any Cluster)
    case target(TargetSystem)

    /// The cluster; `nil` for a target.
    var cluster: (any Cluster)? {
        if case .cluster(let cluster) = self { cluster } else { nil }
    }

    /// The event loops of the instances in this process.
    var eventLoops: [any EventLoop] {
        switch self {
        case .cluster(let cluster): cluster.eventLoops
        case .target: []
        }
    }

    /// Whether more fences would not help, since none can be published.
    var refusesFences: Bool {
        switch self {
        case .cluster: false
        case .target(let target): target.refusesFences
        }
    }

    /// Stops the instances of a cluster, all at once; a target goes on.
    func stopInstances(deadline: TimeSpan) async throws -> [LiveInstance.StopReport] {
        switch self {
        case .cluster(let cluster): try await cluster.stopInstances(deadline: deadline)
        case .target: []
        }
    }

    /// Ends what the run started, however it ends.
    func shutDown() async {
        switch self {
        case .cluster(let cluster): await cluster.shutDown()
        case .target(let target): target.shutDown()
        }
    }

    /// Whether it is a system that ran already.
    var isTarget: Bool { if case .target = self { true } else { false } }

    /// The number that stands for publishers which belong to no URL of a target.
    var outside: UInt16? {
        guard case .target(let target) = self, target.endpoints.count > 1 else { return nil }
        return UInt16(target.endpoints.count)
    }

    /// What a target showed from outside; `nil` for a cluster.
    func targetResult(clock: LoadClock, _ fleet: FleetStatistics) -> TargetResult? {
        guard case .target(let target) = self else { return nil }
        let ended = target.watch.ended.sorted { $0.key < $1.key }.map { pid, at in
            TargetResult.EndedProcess(pid: pid, atNanoseconds: (at - clock.start).nanoseconds)
        }
        var result = TargetResult(publishFailures: target.publishFailures.counts, endedProcesses: ended)
        result.sessionsClosed = fleet.closedByServer
        result.sessionsDropped = fleet.dropped
        return result
    }
}

extension RunContext {
    /// The number that stands for publishers which belong to no instance; `nil` where there are none.
    var outside: UInt16? {
        guard system.cluster != nil else { return system.outside }
        return scenario.cluster.executor == .worker ? UInt16(scenario.cluster.instances) : nil
    }

    /// Starts the load's threads; they wait for the clock's start.
    func startLoad(_ clock: LoadClock) async throws -> any RunningLoad {
        switch system {
        case .cluster(let cluster): try await cluster.startLoad(clock)
        case .target(let target): Load(plan: plan, target: target, clock: clock)
        }
    }

    /// Publishes one fence through each instance, or one to the target.
    func publishFences() async {
        switch system {
        case .cluster(let cluster): await cluster.publishFences()
        case .target(let target): await target.publishFence()
        }
    }

    /// Makes sure that the fences have reached at least one session of a target: without any a run shows nothing.
    ///
    /// - Parameter silent: Open sessions that have received nothing.
    /// - Throws: ``HarnessError`` of the environment that says what may be wrong.
    func checkTargetIsHeard(_ silent: Int) async throws {
        guard case .target(let target) = system, !plan.clients.isEmpty, silent >= fleet.connectedCount else { return }
        throw target.silence(openSessions: fleet.connectedCount, await fleet.statistics())
    }
}
