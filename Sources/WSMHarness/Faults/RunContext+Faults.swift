internal import NIOCore
internal import NIOPosix
internal import WSMCore
internal import WSMRecord
internal import WSMRedis
internal import WSMScenario
internal import WSMVerify

extension RunContext {
    /// What injects the scenario's faults; `nil` where there are none.
    func faultRunner(_ clock: LoadClock) -> FaultRunner? {
        let faults = FaultPlan(scenario)
        guard !faults.isEmpty, let cluster = system.cluster else { return nil }
        var clients = [[UInt32]](repeating: [], count: cluster.instanceCount)
        for client in plan.clients { clients[client.instance].append(UInt32(client.index)) }
        let disturber = Disturber(fleet: fleet, links: links, clientsOfInstance: clients, seed: scenario.seed)
        let performer = FaultPerformer(
            cluster: cluster, loop: questions.any(), seed: scenario.seed, clientsOfInstance: clients.map(\.count),
            disturber: disturber, board: board
        ) { [fleet] in fleet.connectedCount }
        return FaultRunner(faults, clock: clock, performer: performer) { [fleet] mark in
            // It fails only when a loop was shut down: then nobody hears any more.
            try? await fleet.tell(mark)
        }
    }
}

extension Scenario {
    /// What the private Redis needs beside its defaults.
    var redisOptions: EmbeddedRedis.Options {
        var options = cluster.redisOptions
        // `redis.slow` uses DEBUG SLEEP, which Redis 7 keeps shut.
        if faults.contains(where: { $0.action == .redisSlow }) {
            options.configuration.append("enable-debug-command local")
        }
        return options
    }
}
