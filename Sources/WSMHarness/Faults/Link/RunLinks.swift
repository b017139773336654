internal import NIOCore
internal import Synchronization
internal import WSMCore
internal import WSMRedis
internal import WSMScenario

/// The relays in the links that a run's faults disturb: between each instance and Redis, between each instance and its clients.
///
/// A link that the scenario has no fault of has no relay: its address is handed through.
///
/// Safe from any task.
final class RunLinks: Sendable {
    private struct Relays {
        /// By instance.
        var toRedis: [Int: LinkRelay] = [:]
        var toClients: [Int: LinkRelay] = [:]
        /// What runs, by the fault that began it.
        var running: [PlannedFault: [(relay: LinkRelay, disturbance: Int)]] = [:]
    }

    private let seed: UInt64
    private let disturbed: Set<FaultLink>
    private let relays = Mutex(Relays())

    init(_ scenario: Scenario) {
        seed = scenario.seed
        disturbed = scenario.disturbedLinks
    }

    // MARK: Addresses

    /// The Redis as the instance finds it.
    ///
    /// A relay stands before a single server: a scenario with several has no faults of the links to them.
    ///
    /// - Throws: ``HarnessError`` of the environment.
    func redis(of instance: Int, _ redis: RunRedis?) async throws -> RedisTopology? {
        guard let topology = redis?.topology(instance: instance) else { return nil }
        guard disturbed.contains(.redis), case .single(let url) = topology else { return topology }
        if let known = relays.withLock({ $0.toRedis[instance] }) { return .single(known.url(for: url)) }
        let relay = try await LinkRelay.start(
            toRedisAt: url, seed: FaultLink.redis.relaySeed(of: instance, seed: seed))
        relays.withLock { $0.toRedis[instance] = relay }
        return .single(relay.url(for: url))
    }

    /// The port at which clients find the instance that listens on `port`.
    ///
    /// - Throws: ``HarnessError`` of the environment.
    func clientPort(of instance: Int, _ port: Int) async throws -> Int {
        guard disturbed.contains(.clients) else { return port }
        let address: SocketAddress
        do {
            address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        } catch {
            throw HarnessError(.internalFault, "an instance listens on no port that a client could find", cause: error)
        }
        let relay = try await LinkRelay.start(
            to: address, seed: FaultLink.clients.relaySeed(of: instance, seed: seed))
        relays.withLock { $0.toClients[instance] = relay }
        return relay.port
    }

    // MARK: Faults

    /// Disturbs the links that the fault aims at; returns what it took hold of.
    func inject(_ fault: PlannedFault, instances: Int) async -> FaultHit {
        let spec = fault.spec
        let targets = fault.targets(of: instances)
        let share = Double(spec.share.millionths) / 1e6
        let begun = relays.withLock { relays in
            let all = spec.between == .redis ? relays.toRedis : relays.toClients
            let begun = targets.compactMap { all[$0] }.map { relay in
                (relay, relay.begin(spec.linkFault, share: share))
            }
            relays.running[fault] = begun
            return begun
        }
        var hit = FaultHit(instances: begun.count)
        for (relay, disturbance) in begun { hit.connections += await relay.disturbances()[disturbance].hit }
        if spec.between == .clients { hit.clients = hit.connections }
        return hit
    }

    /// Ends what the fault began; returns when it has ended.
    func heal(_ fault: PlannedFault) async {
        let begun = relays.withLock { $0.running.removeValue(forKey: fault) } ?? []
        for (relay, disturbance) in begun { relay.heal(disturbance) }
        for (relay, _) in begun { _ = await relay.disturbances() }
    }

    /// Closes every socket of the relays; to be called however the run ends, after the instances and the clients.
    func shutDown() async {
        let all = relays.withLock { relays in
            defer { relays = Relays() }
            return Array(relays.toRedis.values) + Array(relays.toClients.values)
        }
        for relay in all { await relay.shutDown() }
    }
}
