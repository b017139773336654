internal import NIOCore
internal import Synchronization
internal import WSMCore
internal import WSMRedis
internal import WSMScenario

extension RunRedis {
    /// What a fault of Redis hits; `nil` where it is not the run's own.
    ///
    /// Of a cluster it is one node: sharded the one that has the events' slot, over the bus the first. Of a master with
    /// sentinels it is the master of the moment.
    var faultable: (any FaultableRedis)? {
        switch self {
        case .server(let server, _): server
        case .cluster(let cluster, .bus): cluster.nodes[0]
        case .cluster(let cluster, .sharded): cluster.node(of: .events)
        case .sentinels(let group): FaultableMaster(group)
        case .external: nil
        }
    }

    /// Whether messages go on when what ``faultable`` stands for is gone for good.
    var outlivesFaults: Bool {
        switch self {
        case .cluster(_, .bus), .sentinels: true
        case .server, .cluster(_, .sharded), .external: false
        }
    }

    /// Whether a server of the run's own has ended that nobody killed.
    func hasDied() async -> Bool {
        for server in servers where await server.pid != nil {
            if await !server.isAlive() { return true }
        }
        return false
    }
}

/// The master of the moment, whichever server that is.
///
/// What heals a fault waits until the sentinels agree on a master that takes writes.
final class FaultableMaster: FaultableRedis {
    private let group: EmbeddedRedisSentinels
    /// The server that was hit last.
    private let hit = Mutex<EmbeddedRedis?>(nil)

    init(_ group: EmbeddedRedisSentinels) {
        self.group = group
    }

    func kill() async throws { try await nextHit().kill() }

    func startAgain() async throws {
        try await lastHit()?.startAgain()
        _ = try await group.awaitMaster()
    }

    func pause() async throws { try await nextHit().pause() }

    func resume() async throws {
        try await lastHit()?.resume()
        _ = try await group.awaitMaster()
    }

    func failOver() async throws {
        _ = try await nextHit()
        try await group.failOver()
    }

    func awaitFailover() async throws { _ = try await group.awaitMaster(otherThan: lastHit()) }

    func connections(on loop: any EventLoop) async throws -> [Int64] {
        try await group.master().connections(on: loop)
    }

    func disconnect(_ connections: [Int64], on loop: any EventLoop) async throws -> Int {
        try await group.master().disconnect(connections, on: loop)
    }

    func stall(for span: TimeSpan, on loop: any EventLoop) async throws {
        try await group.master().stall(for: span, on: loop)
    }

    private func nextHit() async throws -> EmbeddedRedis {
        let master = try await group.master()
        hit.withLock { $0 = master }
        return master
    }

    private func lastHit() -> EmbeddedRedis? { hit.withLock { $0 } }
}
