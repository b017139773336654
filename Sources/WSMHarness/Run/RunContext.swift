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
    /// The loops of clients in this process, and of the calibration's clients, which live as the run's own do.
    let clientLoops: SocketLoops
    /// The event loop of questions to Redis.
    let questions = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let fleet: any RunFleet
    let trace: RunTrace?
    let links: RunLinks
    /// What the clients trust and show; nothing of its own with a target.
    var security = PartSecurity()

    /// What is being done to the instances, for the progress.
    var board = InstanceBoard()

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
        let loops = try SocketLoops.forClients(ofParts: 1)
        let links = RunLinks(scenario)
        let start = ClusterStart(
            scenario: scenario, security: security, plan: plan, options: options, links: links, folder: folder,
            run: run, publishers: publishers, probes: probes, trace: trace, loops: loops)
        do {
            let (cluster, fleet) = try await start.perform()
            trace?.watch(fleet)
            return RunContext(
                scenario: scenario, plan: plan, run: run, publishers: publishers, probes: probes,
                system: .cluster(cluster), clientLoops: loops, fleet: fleet, trace: trace, links: links,
                security: security.parts)
        } catch {
            await links.shutDown()
            await loops.shutDown()
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
        let loops = try SocketLoops.forClients(ofParts: 1)
        let system: TargetSystem
        do {
            system = try await TargetSystem.start(
                target, run: run, publishers: publishers, loops: loops)
        } catch {
            await loops.shutDown()
            _ = try? await trace?.finish(nil)
            throw error
        }
        var options = FleetOptions(scenario)
        // A system that is not ours may take a query for something else.
        options.labelsClients = false
        let observers = ObserverMaker(scenario, run: run, numbers: publishers.numbers, trace: trace)
        let clients = ClientFleet(
            loops: loops.all, endpoints: system.endpoints, options: options, makeSink: observers.make)
        let fleet = try await LocalFleet(clients, loops: loops.all, instanceLoops: [])
        trace?.watch(fleet)
        return RunContext(
            scenario: scenario, plan: plan, run: run, publishers: publishers, probes: [], system: .target(system),
            clientLoops: loops, fleet: fleet, trace: trace, links: RunLinks(scenario))
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
        await clientLoops.shutDown()
        try? await questions.shutdownGracefully()
    }
}
