internal import Foundation
internal import NIOCore
internal import NIOPosix
internal import WSMClients
internal import WSMCore
internal import WSMInstance
internal import WSMScenario
internal import WSMVerify

/// Starts the instances and makes the clients of a run, in this process or in processes of their own.
struct ClusterStart: Sendable {
    let scenario: Scenario
    let security: RunSecurity
    let plan: LoadPlan
    let options: RunOptions
    let links: RunLinks
    /// The run folder's path.
    let folder: String
    let run: UInt32
    let publishers: PublisherTable
    let probes: [RunProbe]
    let trace: RunTrace?
    /// The loops of clients in this process.
    let loops: SocketLoops

    /// - Throws: ``HarnessError`` of the environment; then nothing is left running.
    func perform() async throws -> (any Cluster, any RunFleet) {
        let spec = scenario.cluster
        guard spec.placement == .processes || spec.executor == .worker else {
            let cluster = try await InProcessCluster.start(
                spec, plan: plan, security: security, seed: scenario.seed, probes: probes, links: links,
                wrap: options.instanceProbe)
            return try await ending(cluster) { (cluster, try await makeFleet(cluster)) }
        }
        let program = URL(fileURLWithPath: options.childProgram).resolvingSymlinksInPath().path
        let processes = RunProcesses(
            scenario, security: security.parts, run: run, program: program, folder: folder)
        do {
            return try await perform(processes)
        } catch {
            await processes.shutDown()
            throw error
        }
    }

    private func perform(_ processes: RunProcesses) async throws -> (any Cluster, any RunFleet) {
        switch scenario.cluster.placement {
        case .inProcess:
            var plan = plan
            // The workers have them.
            plan.processes = []
            let cluster = try await InProcessCluster.start(
                scenario.cluster, plan: plan, security: security, seed: scenario.seed, probes: probes, links: links,
                wrap: options.instanceProbe)
            return try await ending(cluster) {
                let fleet = try await makeFleet(cluster)
                return (try await withWorkers(cluster, processes).cluster, fleet)
            }
        case .processes:
            let cluster = try await ProcessCluster.start(
                scenario, plan: plan, security: security, probes: probes, links: links, processes: processes)
            return try await ending(cluster) {
                let (whole, workers) = try await withWorkers(cluster, processes)
                let fleet = try await makeFleet(cluster, processes) { instant in
                    try cluster.tellRecords(upTo: instant)
                    try workers?.tellRecords(upTo: instant)
                }
                return (whole, fleet)
            }
        }
    }

    /// Ends the cluster when what follows its start fails.
    private func ending<Result>(
        _ cluster: any Cluster, _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch {
            await cluster.shutDown()
            throw error
        }
    }

    private func withWorkers(
        _ cluster: any Cluster, _ processes: RunProcesses
    ) async throws -> (cluster: any Cluster, workers: WorkerProcesses?) {
        guard scenario.cluster.executor == .worker else { return (cluster, nil) }
        guard let redis = cluster.redis else {
            throw HarnessError(.internalFault, "worker processes need a broker to publish through")
        }
        let workers = try await WorkerProcesses.start(
            probes: Array(probes.dropFirst(cluster.instanceCount)), redis: redis, numbers: publishers.numbers,
            processes: processes)
        return (ClusterWithWorkers(base: cluster, workers: workers, processes: processes), workers)
    }

    // MARK: Clients

    /// The observers of clients on sockets: the probes of this process know when instances wrote a message.
    private var observers: ObserverMaker {
        let spec = scenario.cluster
        let written = FleetWrittenInstants(
            probes, isPerClient: spec.manager == .broadcast && spec.subscription == .perClient)
        return ObserverMaker(scenario, run: run, numbers: publishers.numbers, written: written, trace: trace)
    }

    private func ports(_ cluster: any Cluster) async throws -> [Int] {
        var ports: [Int] = []
        for (index, port) in cluster.ports.enumerated() {
            ports.append(try await links.clientPort(of: index, options.clientPort(index, port)))
        }
        return ports
    }

    /// The clients in this process, none of them connected yet: on sockets, or on the instances' own event loops.
    private func makeFleet(_ cluster: InProcessCluster) async throws -> any RunFleet {
        switch scenario.clients.transport {
        case .websocket:
            let endpoints = try await ports(cluster).map {
                ClientEndpoint.instance(port: $0, trust: security.parts.trust)
            }
            let fleet = ClientFleet(
                loops: loops.all, endpoints: endpoints, options: FleetOptions(scenario), makeSink: observers.make)
            return try await LocalFleet(fleet, loops: loops.all, instanceLoops: cluster.eventLoops)
        case .direct:
            // Nothing is written: there is no wire stage.
            let observers = ObserverMaker(scenario, run: run, numbers: publishers.numbers, trace: trace)
            let fleet = DirectFleet(
                hosts: cluster.directHosts, options: FleetOptions(scenario), makeSink: observers.make)
            return try await LocalFleet(fleet, loops: [], instanceLoops: cluster.eventLoops)
        }
    }

    /// How far the instances' journals are told ahead of what clients received.
    private static let ahead = TimeSpan.seconds(2)

    /// The clients in processes of their own, none of them connected yet.
    ///
    /// - Parameter tellInstances: Tells the probes what the instances did up to an instant.
    private func makeFleet(
        _ cluster: ProcessCluster, _ processes: RunProcesses,
        tellInstances: @escaping @Sendable (MonotonicInstant) throws -> Void
    ) async throws -> any RunFleet {
        let trace = trace
        let observers = ProcessFleet.Observers(
            make: observers.make,
            tellInstances: { try tellInstances($0 + Self.ahead) },
            waitForRoom: { trace?.waitForRoom() })
        return try await ProcessFleet.start(
            clientProcesses, ports: try await ports(cluster), processes: processes, observers: observers)
    }

    /// As many as the scenario says, or as the limit of open files asks for.
    private var clientProcesses: Int {
        let count = scenario.clients.count
        guard count > 0 else { return 0 }
        if let wanted = scenario.clients.processes { return min(wanted, count) }
        return (count + FileLimit.clientsPerProcess - 1) / FileLimit.clientsPerProcess
    }
}

extension InProcessCluster {
    /// Where direct clients live: each instance's own event loop.
    fileprivate var directHosts: [DirectFleet<DeliveryObserver>.Host] {
        slots.enumerated().compactMap { index, slot in
            guard let instance = slot.current?.instance else { return nil }
            let loop = eventLoop(of: index)
            return .init(loop: loop) { try instance.manager.attachDirectClients($0, on: loop) }
        }
    }
}
