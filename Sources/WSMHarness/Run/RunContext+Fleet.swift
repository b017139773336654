internal import NIOCore
internal import NIOPosix
internal import WSMClients
internal import WSMCore
internal import WSMInstance
internal import WSMScenario
internal import WSMVerify

extension RunContext {
    /// The clients of the run, none of them connected yet: on sockets, or on the instances' own event loops.
    static func makeFleet(
        _ scenario: Scenario, _ runOptions: RunOptions, run: UInt32, publishers: PublisherTable, probes: [RunProbe],
        cluster: InProcessCluster,
        group: MultiThreadedEventLoopGroup, trace: RunTrace?
    ) async throws -> any RunFleet {
        let ping = scenario.clients.ping
        let options = FleetOptions(
            pingInterval: ping > .zero ? ping : nil, reconnect: scenario.clients.reconnect.policy, seed: scenario.seed,
            labelsClients: true)
        let channel = publishers.number(of: .events) ?? 0
        let bounds = LagBounds(isolation: scenario.expect.bounds.isolation, lag: scenario.expect.bounds.lag)
        switch scenario.clients.transport {
        case .websocket:
            let endpoints = cluster.ports.enumerated().map { index, port in
                let port = runOptions.clientPort(index, port)
                return ClientEndpoint(host: "127.0.0.1", port: port, path: "/api/ws/events")
            }
            let spec = scenario.cluster
            let isPerClient = spec.manager == .broadcast && spec.subscription == .perClient
            let fleet = ClientFleet<DeliveryObserver>(group: group, endpoints: endpoints, options: options) { loop in
                DeliveryObserver(
                    run: run, publisherCount: publishers.count, channel: channel, bounds: bounds,
                    written: FleetWrittenInstants(probes, isPerClient: isPerClient), trace: trace?.clientLane(loop))
            }
            return try await LocalFleet(
                fleet, loops: Array(group.makeIterator()), instanceLoops: cluster.eventLoops)
        case .direct:
            let fleet = DirectFleet<DeliveryObserver>(hosts: cluster.directHosts, options: options) { loop in
                // Nothing is written: there is no wire stage.
                DeliveryObserver(
                    run: run, publisherCount: publishers.count, channel: channel, bounds: bounds,
                    trace: trace?.clientLane(loop))
            }
            return try await LocalFleet(fleet, loops: [], instanceLoops: cluster.eventLoops)
        }
    }
}

extension InProcessCluster {
    /// Where direct clients live: each instance's own event loop.
    fileprivate var directHosts: [DirectFleet<DeliveryObserver>.Host] {
        instances.enumerated().map { index, instance in
            let loop = eventLoop(of: index)
            return .init(loop: loop) { try instance.manager.attachDirectClients($0, on: loop) }
        }
    }
}
