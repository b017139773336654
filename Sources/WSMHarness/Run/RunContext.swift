internal import NIOCore
internal import NIOPosix
internal import WSMClients
internal import WSMCore
internal import WSMInstance
internal import WSMRecord
internal import WSMScenario
internal import WSMVerify

/// What a run is made of once the cluster is up: who publishes, who listens, who measures.
struct RunContext: Sendable {
    let scenario: Scenario
    let plan: LoadPlan
    /// Tells this run's messages from those of others on the same broker.
    let run: UInt32
    let publishers: PublisherTable
    let probes: [RunProbe]
    let system: SystemUnderTest
    /// The event loops of clients in this process, of questions to Redis, and of the calibration.
    let clientGroup: MultiThreadedEventLoopGroup
    let fleet: any RunFleet
    let trace: RunTrace?
    let links: RunLinks
    /// What the clients trust and show; nothing of its own with a target.
    var security = PartSecurity()

    /// What is being done to the instances, for the progress.
    var board = InstanceBoard()

    /// Where the calibration's clients live, as the run's own do.
    var calibrationLoops: [any EventLoop] { Array(clientGroup.makeIterator()) }

    /// Makes the trace of a run, by the number in its stamps and its publishers.
    typealias OpenTrace = (_ run: UInt32, _ publishers: PublisherTable) throws -> RunTrace

    /// Starts Redis and the instances, and makes the fleet; no client connects yet.
    ///
    /// - Parameters:
    ///   - scenario: What is to run.
    ///   - options: What the run is told beside it.
    ///   - folder: The run folder's path.
    ///   - openTrace: Makes the trace, once it is known who publishes; `nil` goes without one.
    static func start(
        _ scenario: Scenario, options: RunOptions, folder: String, openTrace: OpenTrace? = nil
    ) async throws -> RunContext {
        if case .target(let target) = scenario.system {
            return try await start(scenario, target: target, openTrace: openTrace)
        }
        let plan = LoadPlan(scenario)
        let spec = scenario.cluster
        let security = try RunSecurity(spec, plan: plan, redis: scenario.redisOptions)
        let run = drawRun()
        let numbers = PublisherNumbers(scenario, plan: plan)
        let shape = PublisherTable(numbers, plan: plan, instances: spec.instances)
        let trace = try openTrace?(run, shape)
        let publishers = PublisherTable(
            numbers, plan: plan, instances: spec.instances, trace: trace?.publisherLane)
        let probes = (0..<numbers.instances).map {
            RunProbe(
                run: run, instance: $0, publishers: publishers, brokerLoss: spec.brokerLoss,
                marksByClose: spec.gapMark == .close, trace: trace?.instanceLane($0))
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, System.coreCount / 2))
        let links = RunLinks(scenario)
        let start = ClusterStart(
            scenario: scenario, security: security, plan: plan, options: options, links: links, folder: folder,
            run: run, publishers: publishers, probes: probes, trace: trace, group: group)
        do {
            let (cluster, fleet) = try await start.perform()
            trace?.watch(fleet)
            return RunContext(
                scenario: scenario, plan: plan, run: run, publishers: publishers, probes: probes,
                system: .cluster(cluster), clientGroup: group, fleet: fleet, trace: trace, links: links,
                security: security.parts)
        } catch {
            await links.shutDown()
            try? await group.shutdownGracefully()
            _ = try? await trace?.finish(nil)
            throw error
        }
    }

    /// Makes sure that the target is there, and makes the fleet; no client connects yet.
    private static func start(
        _ scenario: Scenario, target: TargetSpec, openTrace: OpenTrace?
    ) async throws -> RunContext {
        let plan = LoadPlan(scenario)
        let run = drawRun()
        let instance = TargetSystem.publisherInstance(target)
        let trace = try openTrace?(run, PublisherTable(plan: plan, targetInstance: instance))
        let publishers = PublisherTable(plan: plan, targetInstance: instance, trace: trace?.publisherLane)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, System.coreCount / 2))
        let system: TargetSystem
        do {
            system = try await TargetSystem.start(
                target, run: run, publishers: publishers, loops: Array(group.makeIterator()))
        } catch {
            try? await group.shutdownGracefully()
            _ = try? await trace?.finish(nil)
            throw error
        }
        var options = FleetOptions(scenario)
        // A system that is not ours may take a query for something else.
        options.labelsClients = false
        let observers = ObserverMaker(scenario, run: run, numbers: publishers.numbers, trace: trace)
        let clients = ClientFleet(
            group: group, endpoints: system.endpoints, options: options, makeSink: observers.make)
        let fleet = try await LocalFleet(clients, loops: Array(group.makeIterator()), instanceLoops: [])
        trace?.watch(fleet)
        return RunContext(
            scenario: scenario, plan: plan, run: run, publishers: publishers, probes: [], system: .target(system),
            clientGroup: group, fleet: fleet, trace: trace, links: RunLinks(scenario))
    }

    /// Not from the seed: two runs of one scenario may share a broker.
    private static func drawRun() -> UInt32 {
        let now = UInt64(bitPattern: MonotonicInstant.now().nanoseconds)
        return UInt32(truncatingIfNeeded: (now &* 0x9e37_79b9_7f4a_7c15) >> 24)
    }

    /// Ends the threads and Redis, however the run went.
    func shutDown() async {
        await fleet.endSessions(deadline: .now())
        _ = try? await system.stopInstances(deadline: .seconds(1))
        await trace?.closeLanes(of: fleet, logs: publishers.logs)
        await links.shutDown()
        await system.shutDown()
        try? await clientGroup.shutdownGracefully()
    }
}
