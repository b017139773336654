package import WSMCore
import WSMRecord
package import WSMScenario
import WSMVerify

/// What became of one planned fault in a simulation.
package struct InjectedFault: Sendable {
    package let planned: PlannedFault
    package let dueAt: MonotonicInstant
    /// When it was injected; `nil`: it was not.
    package internal(set) var at: MonotonicInstant?
    /// When its cause was gone.
    package internal(set) var healedAt: MonotonicInstant?
    /// Connections of Redis, WebSocket clients that were connected, instances.
    package internal(set) var connections = 0
    package internal(set) var clients = 0
    package internal(set) var instances = 0
    package internal(set) var failure: String?
}

/// Injects the planned faults at their instants and heals them, as the live run's performer does.
final class FaultInjector {
    /// So long before its instant the observer hears of a fault.
    private static let preparation = TimeSpan.milliseconds(100)
    private static let stopDeadline = TimeSpan.seconds(5)
    /// How long an instance may try to start while Redis does not answer.
    private static let startDeadline = TimeSpan.seconds(10)

    /// From when the sentinels call a master down until its replica takes publishers and subscribers: they vote, promote it,
    /// and are asked by whoever has lost the old one (docs/redis-topologies.md has the measured figure).
    private static let promotion = TimeSpan.milliseconds(1200)
    /// The longest time until a connection hears of a master that was replaced in order.
    private static let hearing = TimeSpan.milliseconds(10)

    private let simulator: Simulator
    private let costs: CostModel
    private let redis: RedisServer?
    private let slots: [InstanceSlot]
    private let fleet: Fleet
    private let relays: Relays
    private let clientsOfInstance: [[Int]]
    private let seed: UInt64
    /// How long a master is dead before a replica stands in for it; `nil` without sentinels.
    private let takeover: TimeSpan?
    private(set) var faults: [InjectedFault]
    /// Faults whose healing has begun.
    private var healing: Set<Int> = []
    private var isFinished = false

    init(
        _ scenario: Scenario, plan: LoadPlan, simulator: Simulator, costs: CostModel, redis: RedisServer?,
        slots: [InstanceSlot], fleet: Fleet, relays: Relays, measuredFrom: MonotonicInstant, end: MonotonicInstant
    ) {
        self.simulator = simulator
        self.costs = costs
        self.redis = redis
        self.slots = slots
        self.fleet = fleet
        self.relays = relays
        seed = scenario.seed
        if case .sentinel(let group) = scenario.cluster.redis {
            takeover = group.downAfter + Self.promotion
        } else {
            takeover = nil
        }
        var clients = [[Int]](repeating: [], count: scenario.cluster.instances)
        for client in plan.clients { clients[client.instance].append(client.index) }
        clientsOfInstance = clients
        faults = FaultPlan(scenario).faults.map { InjectedFault(planned: $0, dueAt: measuredFrom + $0.at) }
        for fault in faults.indices { schedule(fault, end: end) }
    }

    /// Whether Redis was taken away for good.
    var isRedisGone: Bool { takeover == nil && redis.map { !$0.isUp } ?? false }
    /// Whether every fault that ends within the run has ended.
    var isHealed: Bool { faults.allSatisfy { $0.at == nil || $0.healedAt != nil || $0.planned.spec.length == nil } }

    private func schedule(_ fault: Int, end: MonotonicInstant) {
        let record = faults[fault]
        let number = UInt16(clamping: fault)
        simulator.at(record.dueAt + Self.preparation.scaled(by: -1), .fault, fault) { [self] in
            fleet.observer.tell(.began(fault: number, at: record.dueAt))
            if record.planned.action == .clientsDisconnect, record.planned.spec.how == .reset {
                fleet.expectResets(of: clientsHit(by: record.planned), at: record.dueAt)
            }
        }
        simulator.at(record.dueAt, .fault, fault) { [self] in
            guard !isFinished else { return }
            faults[fault].at = simulator.now
            inject(fault)
            guard let length = record.planned.spec.length else { return }
            // What outlasts the measured window is healed at its end.
            if length == .zero { return heal(fault) }
            if record.dueAt + length < end { simulator.after(length, .fault, fault) { [self] in heal(fault) } }
        }
    }

    /// Injects nothing more, and heals what is to be healed.
    func finish() {
        isFinished = true
        for fault in faults.indices where faults[fault].planned.spec.length != nil { heal(fault) }
    }

    private func inject(_ fault: Int) {
        let planned = faults[fault].planned
        let targets = planned.targets(of: slots.count)
        switch planned.action {
        case .redisRestart, .redisKill, .redisPause, .redisSlow, .redisDisconnectClients, .redisFailover:
            injectIntoRedis(fault)
        case .instanceKill, .instanceStop, .instancePause:
            faults[fault].instances = targets.count
            faults[fault].clients = targets.reduce(0) { $0 + clientsOfInstance[$1].count }
            for target in targets { disturb(slots[target], planned.action, fault) }
        case .clientsDisconnect, .clientsStall:
            let picked = clientsHit(by: planned)
            faults[fault].instances = targets.count
            faults[fault].clients = picked.count
            if planned.action == .clientsStall {
                fleet.stall(picked, until: simulator.now + (planned.spec.duration ?? .zero))
            } else {
                fleet.disconnect(picked, how: planned.spec.how)
            }
        case .linkDelay, .linkCut, .linkThrottle:
            faults[fault].instances = targets.count
            faults[fault].connections = relays.inject(planned, place: fault, instances: slots.count)
            if planned.spec.between == .clients { faults[fault].clients = faults[fault].connections }
        }
    }

    /// The clients that a fault hits.
    private func clientsHit(by planned: PlannedFault) -> [Int] {
        let all = planned.targets(of: slots.count).flatMap { clientsOfInstance[$0] }
        return planned.pick(from: all.count, seed: seed).map { all[$0] }
    }

    private func injectIntoRedis(_ fault: Int) {
        guard let redis else { return }
        let planned = faults[fault].planned
        faults[fault].connections = redis.links.count
        faults[fault].clients = fleet.openSessions
        switch planned.action {
        case .redisPause: redis.pause()
        case .redisSlow:
            let entity = 1 << 63 | UInt64(planned.index) << 32 | UInt64(planned.occurrence)
            stall(fault, CounterRNG(seed: seed, stream: .faults, entity: entity))
        case .redisDisconnectClients:
            faults[fault].clients = 0
            faults[fault].connections = redis.disconnect(planned.pick(from: redis.links.count, seed: seed))
        case .redisFailover:
            var random = CounterRNG(seed: seed, stream: .faults, entity: 1 << 62 | UInt64(fault))
            redis.failOver { _ in Self.hearing.scaled(by: random.unit()) }
        default:
            redis.kill()
            if let takeover { simulator.after(takeover, .redisFault, fault) { redis.start() } }
        }
    }

    /// Lets Redis stand still again and again, each time as long as the next draw says.
    private func stall(_ fault: Int, _ random: CounterRNG) {
        guard faults[fault].healedAt == nil, let redis else { return }
        var random = random
        let span = max(.microseconds(1), (faults[fault].planned.spec.delay ?? .constant(.zero)).draw(from: &random))
        redis.pause()
        simulator.after(span, .redisFault, fault) { [self, random] in
            redis.resume()
            // It answers what has come meanwhile before it is stalled again.
            simulator.after(.milliseconds(1), .redisFault, fault) { [self, random] in stall(fault, random) }
        }
    }

    private func disturb(_ slot: InstanceSlot, _ action: FaultAction, _ fault: Int) {
        guard slot.instance != nil else {
            faults[fault].failure = "could not be injected: instance \(slot.setup.index) is not up"
            return
        }
        switch action {
        case .instanceKill:
            guard let ended = slot.endLife() else { return }
            ended.isReporting = false
            ended.crash()
        case .instanceStop:
            guard let ended = slot.endLife() else { return }
            _ = InstanceStop(ended, in: slot, deadline: Self.stopDeadline)
        default: slot.instance?.pause()
        }
    }

    private func heal(_ fault: Int) {
        guard faults[fault].at != nil, healing.insert(fault).inserted else { return }
        let planned = faults[fault].planned
        switch planned.action {
        case .redisRestart, .redisKill:
            simulator.after(costs.redisStart, .redisFault, fault) { [self] in
                redis?.start()
                healed(fault)
            }
        case .redisPause:
            redis?.resume()
            healed(fault)
        case .instanceKill, .instanceStop:
            let targets = planned.targets(of: slots.count).map { slots[$0] }
            for slot in targets { start(slot, until: simulator.now + Self.startDeadline) }
            awaitListening(fault, targets)
        case .instancePause:
            for target in planned.targets(of: slots.count) { slots[target].instance?.resume() }
            healed(fault)
        case .linkDelay, .linkCut, .linkThrottle:
            relays.heal(place: fault)
            healed(fault)
        default: healed(fault)
        }
    }

    /// Starts an instance again; while Redis does not answer it tries again for a while.
    private func start(_ slot: InstanceSlot, until deadline: MonotonicInstant) {
        guard slot.instance == nil else { return }
        let isReady = redis?.isUp ?? true
        guard !isReady, simulator.now < deadline else {
            simulator.after(costs.instanceStart, .instance, slot.setup.index) { slot.start() }
            return
        }
        simulator.after(.milliseconds(20), .instance, slot.setup.index) { [self] in start(slot, until: deadline) }
    }

    private func awaitListening(_ fault: Int, _ targets: [InstanceSlot]) {
        guard targets.allSatisfy({ $0.listening != nil }) else {
            simulator.after(.milliseconds(1), .fault, fault) { [self] in awaitListening(fault, targets) }
            return
        }
        healed(fault)
    }

    private func healed(_ fault: Int) {
        faults[fault].healedAt = simulator.now
        fleet.observer.tell(.healed(fault: UInt16(clamping: fault), at: simulator.now))
    }
}
