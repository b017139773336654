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
    let cluster: InProcessCluster
    let clientGroup: MultiThreadedEventLoopGroup
    let fleet: ClientFleet<DeliveryObserver>
    let trace: RunTrace?

    var clientLoops: [any EventLoop] { Array(clientGroup.makeIterator()) }

    /// Starts Redis and the instances, and makes the fleet; no client connects yet.
    ///
    /// - Parameter openTrace: Makes the trace, once it is known who publishes; `nil` goes without one.
    static func start(
        _ scenario: Scenario, openTrace: ((_ run: UInt32, _ publishers: PublisherTable) throws -> RunTrace)? = nil
    ) async throws -> RunContext {
        let plan = LoadPlan(scenario)
        let spec = scenario.cluster
        // Not from the seed: two runs of one scenario may share a broker.
        let now = UInt64(bitPattern: MonotonicInstant.now().nanoseconds)
        let run = UInt32(truncatingIfNeeded: (now &* 0x9e37_79b9_7f4a_7c15) >> 24)
        let shape = PublisherTable(plan: plan, instances: spec.instances, workers: spec.workers)
        let trace = try openTrace?(run, shape)
        let publishers = PublisherTable(
            plan: plan, instances: spec.instances, workers: spec.workers, trace: trace?.publisherLane)
        let probes = (0..<spec.instances).map {
            RunProbe(run: run, instance: $0, publishers: publishers, trace: trace?.instanceLane($0))
        }
        let cluster: InProcessCluster
        do {
            cluster = try await InProcessCluster.start(spec, seed: scenario.seed, probes: probes)
        } catch {
            _ = try? await trace?.finish(nil)
            throw error
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, System.coreCount / 2))
        let endpoints = cluster.instances.map {
            ClientEndpoint(host: "127.0.0.1", port: $0.port, path: "/api/ws/events")
        }
        let ping = scenario.clients.ping
        let options = FleetOptions(
            pingInterval: ping > .zero ? ping : nil, reconnect: scenario.clients.reconnect.policy, seed: scenario.seed,
            labelsClients: true)
        let isPerClient = spec.manager == .broadcast && spec.subscription == .perClient
        let bounds = LagBounds(isolation: scenario.expect.bounds.isolation, lag: scenario.expect.bounds.lag)
        let fleet = ClientFleet<DeliveryObserver>(group: group, endpoints: endpoints, options: options) { loop in
            DeliveryObserver(
                run: run, publisherCount: publishers.count, channel: publishers.number(of: .events) ?? 0,
                bounds: bounds, written: FleetWrittenInstants(probes, isPerClient: isPerClient),
                trace: trace?.clientLane(loop))
        }
        trace?.watch(fleet)
        return RunContext(
            scenario: scenario, plan: plan, run: run, publishers: publishers, probes: probes, cluster: cluster,
            clientGroup: group, fleet: fleet, trace: trace)
    }

    /// Open sessions that have received nothing that was published at `instant` or later.
    func sessionsBehind(_ instant: MonotonicInstant) async throws -> Int {
        try await fleet.withSinks { $0.openSessions(behind: instant) }.reduce(0, +)
    }

    /// Ends the threads and Redis, however the run went.
    func shutDown() async {
        await fleet.endSessions(deadline: .now())
        _ = try? await cluster.stopInstances(deadline: .seconds(1))
        await cluster.shutDown()
        await trace?.closeLanes(of: fleet, logs: publishers.logs)
        try? await clientGroup.shutdownGracefully()
    }
}
