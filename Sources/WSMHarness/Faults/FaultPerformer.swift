internal import NIOCore
internal import Synchronization
internal import WSMCore
internal import WSMScenario

/// Does to a cluster what a planned fault says, and undoes it.
///
/// Faults of the same thing come one after the other; those of different things may come at the same time.
final class FaultPerformer: Sendable {
    private let cluster: any Cluster
    private let redis: (any FaultableRedis)?
    private let loop: any EventLoop
    private let seed: UInt64
    /// How many clients are connected now, and how many of the plan belong to each instance.
    private let connectedClients: @Sendable () -> Int
    private let clientsOfInstance: [Int]
    /// Who does what is done to links and to clients.
    private let disturber: Disturber?
    /// Where it says what it is doing to an instance.
    private let board: InstanceBoard
    /// What was seen of Redis' connections just before.
    private let known = Mutex<[PlannedFault: [Int64]]>([:])
    private let slowing = Mutex<[PlannedFault: Task<Void, any Error>]>([:])

    /// How long the instance of an `instance.stop` may take.
    private static let stopDeadline = TimeSpan.seconds(5)
    /// The longest single stall of `redis.slow`.
    private static let longestStall = TimeSpan.seconds(60)

    init(
        cluster: any Cluster, loop: any EventLoop, seed: UInt64, clientsOfInstance: [Int],
        disturber: Disturber? = nil, board: InstanceBoard = InstanceBoard(),
        connectedClients: @escaping @Sendable () -> Int
    ) {
        self.cluster = cluster
        redis = cluster.redis?.faultable
        self.loop = loop
        self.seed = seed
        self.clientsOfInstance = clientsOfInstance
        self.disturber = disturber
        self.board = board
        self.connectedClients = connectedClients
    }

    /// Looks at what the fault will hit; shortly before it, since it takes a moment.
    ///
    /// A failure shows when the fault is injected.
    func prepare(_ fault: PlannedFault) async {
        guard fault.action.breaksRedis, let redis, let connections = try? await redis.connections(on: loop) else {
            return
        }
        known.withLock { $0[fault] = connections }
    }

    /// Injects the fault; throws when it could not be done.
    func inject(_ fault: PlannedFault) async throws -> FaultHit {
        if fault.action.breaksRedis { return try await injectIntoRedis(fault) }
        if let disturber, fault.action.breaksLinks || fault.action.breaksClients {
            return try await disturber.inject(fault)
        }
        guard fault.action.breaksInstances else { throw cannot(fault) }
        let (cluster, board) = (self.cluster, self.board)
        let targets = fault.targets(of: cluster.instanceCount)
        // All at once, as far as one machine can.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for target in targets {
                group.addTask {
                    switch fault.action {
                    case .instanceKill: try await cluster.kill(target)
                    case .instanceStop:
                        try await board.during(.stopping, target) {
                            try await cluster.stop(target, deadline: Self.stopDeadline)
                        }
                    default:
                        try await cluster.pause(target)
                        board.note(.pausing, target)
                    }
                }
            }
            try await group.waitForAll()
        }
        let clients = targets.reduce(0) { $0 + (clientsOfInstance.indices.contains($1) ? clientsOfInstance[$1] : 0) }
        return FaultHit(clients: clients, instances: targets.count)
    }

    private func injectIntoRedis(_ fault: PlannedFault) async throws -> FaultHit {
        guard let redis else { throw cannot(fault) }
        let before = known.withLock { $0.removeValue(forKey: fault) }
        var hit = FaultHit(connections: before?.count ?? 0, clients: connectedClients())
        switch fault.action {
        case .redisRestart, .redisKill: try await redis.kill()
        case .redisPause: try await redis.pause()
        case .redisFailover: try await redis.failOver()
        case .redisSlow: slow(fault, redis)
        case .redisDisconnectClients:
            let connections = try await redis.connections(on: loop)
            let picked = fault.pick(from: connections.count, seed: seed).map { connections[$0] }
            hit.connections = try await redis.disconnect(picked, on: loop)
            hit.clients = 0
        default: throw cannot(fault)
        }
        return hit
    }

    /// Takes the fault's cause away; throws when it could not be done.
    func heal(_ fault: PlannedFault) async throws {
        switch fault.action {
        case .redisRestart, .redisKill: try await redis?.startAgain()
        case .redisPause: try await redis?.resume()
        case .redisFailover: try await redis?.awaitFailover()
        case .redisSlow:
            let task = slowing.withLock { $0.removeValue(forKey: fault) }
            task?.cancel()
            try await task?.value
        case .instanceKill, .instanceStop, .instancePause: try await healInstances(fault)
        case .linkCut, .linkDelay, .linkThrottle, .clientsDisconnect, .clientsStall: await disturber?.heal(fault)
        case .redisDisconnectClients: break
        }
    }

    private func healInstances(_ fault: PlannedFault) async throws {
        let (cluster, board) = (self.cluster, self.board)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for target in fault.targets(of: cluster.instanceCount) {
                group.addTask {
                    if fault.action == .instancePause {
                        try await cluster.resume(target)
                        board.note(nil, target)
                    } else {
                        try await board.during(.starting, target) { try await cluster.startAgain(target) }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Lets Redis stand still again and again, each time as long as the next draw says: what comes meanwhile is answered when
    /// the stall is over, so an answer is late by up to that long.
    private func slow(_ fault: PlannedFault, _ redis: any FaultableRedis) {
        let delay = fault.spec.delay ?? .constant(.zero)
        let length = fault.spec.duration ?? .zero
        let end = MonotonicInstant.now() + length
        let task = Task { [loop, seed] in
            var random = CounterRNG(
                seed: seed, stream: .faults, entity: 1 << 63 | UInt64(fault.index) << 32 | UInt64(fault.occurrence))
            while !Task.isCancelled {
                let left = end - .now()
                let span = min(delay.draw(from: &random), left, Self.longestStall)
                guard left > .zero else { return }
                guard span > .zero else {
                    try await Task.sleep(nanoseconds: 1_000_000)
                    continue
                }
                try await redis.stall(for: span, on: loop)
            }
        }
        slowing.withLock { $0[fault] = task }
    }

    private func cannot(_ fault: PlannedFault) -> HarnessError {
        HarnessError(.internalFault, "this run cannot do \(fault.action.rawValue)")
    }
}
