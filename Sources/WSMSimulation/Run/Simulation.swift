package import WSMCore
import WSMManagers
import WSMRecord
package import WSMScenario
package import WSMVerify

/// One run of a scenario in virtual time: the machines of `WSMManagers` among models of everything around them.
///
/// All of it happens on the caller's thread, in the order that the seed decides; nothing here reads a clock.
package final class Simulation {
    /// What takes part, made by the caller.
    package struct Parts {
        /// One for each instance, and behind them one for each worker process.
        package var probes: [any SimulationProbe]
        /// Observes all clients.
        package var observer: DeliveryObserver
        package var costs = CostModel()
        /// The defect that is planted in each instance; only tests have one.
        package var sabotage: Sabotage?
        /// How receipts are kept over time, once it is known from when on.
        package var timeline: (MonotonicInstant) -> Timeline.Plan

        package init(
            probes: [any SimulationProbe], observer: DeliveryObserver,
            timeline: @escaping (MonotonicInstant) -> Timeline.Plan
        ) {
            self.probes = probes
            self.observer = observer
            self.timeline = timeline
        }
    }

    /// How long the phases may take, as in a live run.
    enum Patience {
        static let connect = TimeSpan.seconds(15)
        static let startFence = TimeSpan.seconds(10)
        static let healing = TimeSpan.seconds(20)
        static let drain = TimeSpan.seconds(15)
        static let endFence = TimeSpan.seconds(10)
        static let stop = TimeSpan.seconds(5)
        static let lastCloses = TimeSpan.seconds(2)
    }

    /// How often the caller hears of the progress and may interrupt, in virtual time.
    private static let interval = TimeSpan.milliseconds(50)

    let scenario: Scenario
    let plan: LoadPlan
    let parts: Parts
    let simulator = Simulator()
    let fleet: Fleet
    let courier: Courier
    let redis: RedisServer?
    let relays: Relays
    /// The cores of a shared machine; `nil`: each thread has one of its own.
    let processors: Processors?
    let slots: [InstanceSlot]
    /// The worker processes, where processes run in such.
    let workers: [InstanceSlot]
    private let progress: (SimulationProgress) -> Void
    private let isInterrupted: () -> Bool
    private var wasInterrupted = false
    /// The CPU time of the measured window, on a shared machine.
    private var use: ProcessorUse?

    /// - Parameters:
    ///   - scenario: What runs; ``Unmodelled/of(_:)`` has found nothing in it.
    ///   - plan: Its plan.
    ///   - parts: Who watches.
    ///   - progress: Called now and then, on the same thread.
    ///   - isInterrupted: Asked now and then: the load ends early once it is true.
    package init(
        _ scenario: Scenario, plan: LoadPlan, parts: Parts, progress: @escaping (SimulationProgress) -> Void,
        isInterrupted: @escaping () -> Bool
    ) {
        self.scenario = scenario
        self.plan = plan
        self.parts = parts
        self.progress = progress
        self.isInterrupted = isInterrupted
        let cluster = scenario.cluster
        let costs = scenario.clients.transport == .direct ? parts.costs.withoutSockets : parts.costs
        let (simulator, fleet) = (
            simulator, Fleet(simulator, scenario, plan: plan, costs: costs, observer: parts.observer)
        )
        self.fleet = fleet
        relays = Relays(scenario, simulator)
        fleet.relays = relays
        courier = Courier(simulator, fleet)
        var limits = RedisServer.Limits()
        if let limit = cluster.pubsubBufferLimit { limits = .init(hard: limit, soft: nil) }
        let processors = parts.costs.machine.map {
            Processors(simulator, $0, seed: scenario.seed)
        }
        self.processors = processors
        redis =
            cluster.manager == .broadcast
            ? RedisServer(
                simulator, costs: parts.costs, limits: limits, thread: processors?.makeThread(.redis)) : nil
        let hasWorkers = cluster.executor == .worker
        fleet.loops = processors.map { ClientLoops($0, fleet) }
        var all: [InstanceSlot] = []
        for index in 0..<(cluster.instances * (hasWorkers ? 2 : 1)) {
            var setup = InstanceSetup(
                cluster, seed: scenario.seed, index: index, simulator: simulator, fleet: fleet,
                courier: courier, costs: costs, redis: redis, probe: parts.probes[index])
            setup.processors = processors
            setup.loop = processors?.makeThread(.instance)
            setup.clientLoops = fleet.loops
            setup.sabotage = parts.sabotage
            setup.redisRelay = relays.toRedis(of: index)
            all.append(InstanceSlot(setup))
        }
        slots = Array(all[..<cluster.instances])
        workers = Array(all[cluster.instances...])
        fleet.hosts = slots
    }

    /// Takes the run through its phases: connect, fence, warm-up, measured window, drain, fence, close.
    package func run() -> SimulationOutcome {
        for slot in slots + workers { slot.start() }
        pass(to: simulator.now + .seconds(5), .connecting, total: .zero) { [slots] in
            slots.allSatisfy { $0.listening != nil }
        }
        let unconnected = connect()
        let start = simulator.now + .milliseconds(100)
        let measuredFrom = start + scenario.warmup
        let end = measuredFrom + scenario.duration
        let (load, faults) = measure(start: start, measuredFrom: measuredFrom, end: end)
        let endedAt = simulator.now
        let (endOfLoad, unfenced) = drain(load, faults)
        let standing = (slots + workers).map(stand)
        let shutdown = close()
        var outcome = SimulationOutcome(
            start: start, measuredFrom: measuredFrom, end: end, endedAt: endedAt, endOfLoad: endOfLoad,
            shutdown: shutdown, loop: parts.observer.snapshot(), traceHash: simulator.hash.value)
        outcome.interrupted = wasInterrupted
        outcome.unconnected = unconnected
        outcome.unfencedAtEnd = unfenced
        outcome.faults = faults?.faults ?? []
        outcome.isRedisGone = faults?.isRedisGone ?? false
        outcome.instances = zip(standing, slots + workers).map { standing, slot in
            var instance = standing
            instance.counts = slot.counts
            instance.stopReport = slot.stopReport
            return instance
        }
        outcome.fleet = fleet.counts
        outcome.scheduleSlip = load.slip
        outcome.refusedStarts = load.refusals.starts
        outcome.stopsWithQueue = slots.reduce(0) { $0 + $1.stopsWithQueue }
        outcome.steps = simulator.steps
        outcome.trail = simulator.trail
        outcome.use = use
        outcome.imbalances = imbalances
        dismantle()
        return outcome
    }

    /// The queues for which Little's law does not hold.
    private var imbalances: [String] {
        let accounts =
            (slots + workers).flatMap(\.accounts) + (processors.map { [("the cores", $0.queue)] } ?? [])
        return accounts.compactMap { name, account in
            account.imbalance(at: simulator.now).map { "\(name): \($0)" }
        }
    }

    /// Lets go of everything: the parts hold each other, and would stay for good.
    private func dismantle() {
        simulator.clear()
        redis?.forgetOwners()
        relays.forgetOwners()
        for slot in slots + workers { slot.forgetLives() }
        fleet.hosts = []
    }

    // MARK: Phases

    /// Connects all clients; returns how many never were.
    private func connect() -> Int {
        guard !plan.clients.isEmpty else { return 0 }
        let last = plan.clients.map(\.connectAt).max() ?? .zero
        let start = simulator.now + .milliseconds(20)
        fleet.connectAll(plan, from: start)
        let count = plan.clients.count
        pass(to: start + last + Patience.connect, .connecting, total: last) { [fleet] in fleet.everConnected == count }
        fence(Patience.startFence, since: MonotonicInstant(nanoseconds: 0))
        return count - fleet.everConnected
    }

    private func measure(
        start: MonotonicInstant, measuredFrom: MonotonicInstant, end: MonotonicInstant
    ) -> (SimulatedLoad, FaultInjector?) {
        for probe in parts.probes { probe.startMeasuring(from: measuredFrom) }
        parts.observer.startMeasuring(at: measuredFrom, timeline: parts.timeline(measuredFrom))
        if !scenario.faults.isEmpty { parts.observer.tell(.expected) }
        churn(plan.churn, 0, from: start)
        let load = SimulatedLoad(
            plan, simulator, start: start, measuredFrom: measuredFrom, slots: slots,
            hosts: workers.isEmpty ? slots : workers,
            pacing: Pacing(parts.costs.machine, seed: scenario.seed, start: start))
        var faults: FaultInjector?
        if !scenario.faults.isEmpty {
            faults = FaultInjector(
                scenario, plan: plan, simulator: simulator, costs: parts.costs, redis: redis, slots: slots,
                fleet: fleet, relays: relays, measuredFrom: measuredFrom, end: end)
        }
        pass(to: measuredFrom, .warmup, total: scenario.warmup) { false }
        let before = processors?.use
        pass(to: end, .measuring, total: scenario.duration) { false }
        if let before { use = processors?.use.since(before) }
        if wasInterrupted { load.stop() }
        faults?.finish()
        if let faults { pass(to: simulator.now + Patience.healing, .measuring, total: .zero) { faults.isHealed } }
        return (load, faults)
    }

    private func churn(_ churn: [PlannedChurn], _ place: Int, from start: MonotonicInstant) {
        guard place < churn.count else { return }
        simulator.at(start + churn[place].at, .churn, churn[place].client) { [self] in
            guard !fleet.isAwaitingCloses else { return }
            fleet.churn(churn[place].client)
            self.churn(churn, place + 1, from: start)
        }
    }

    private func drain(
        _ load: SimulatedLoad, _ faults: FaultInjector?
    ) -> (SettlementContext.EndOfLoad, unfenced: Int) {
        fleet.release()
        let all = slots + workers
        let until = simulator.now + Patience.drain
        while simulator.now < until, !load.hasEnded || all.contains(where: isWorking) {
            simulator.run(until: simulator.now + .milliseconds(20))
        }
        load.stop()
        let mark = simulator.now
        if faults?.isRedisGone == true {
            // Nothing can come any more but what is on its way.
            simulator.run(until: mark + .milliseconds(500))
        } else {
            fence(Patience.endFence, since: mark)
        }
        let endOfLoad = SettlementContext.EndOfLoad(fencedFrom: mark, waitedUntil: simulator.now)
        return (endOfLoad, parts.observer.openSessions(behind: mark))
    }

    private func isWorking(_ slot: InstanceSlot) -> Bool {
        guard let instance = slot.instance else { return false }
        return instance.thread?.end == nil && instance.backlog > 0
    }

    private func stand(_ slot: InstanceSlot) -> SimulationOutcome.Instance {
        let threadEnd: SimulationOutcome.Instance.ThreadEnd? =
            switch slot.instance?.thread?.end {
            case nil: nil
            case .stopped: .stopped
            case .died: .dead
            }
        return .init(isUp: slot.instance != nil, threadEnd: threadEnd, counts: InstanceCounts())
    }

    /// Stops the instances while their clients are connected: each should get one close.
    private func close() -> SettlementContext.Shutdown {
        fleet.awaitCloses()
        var shutdown = SettlementContext.Shutdown(at: simulator.now)
        let stops = (slots + workers).compactMap { slot in
            slot.instance.map { InstanceStop($0, in: slot, deadline: Patience.stop) }
        }
        let bound = Patience.stop.scaled(by: 4)
        pass(to: simulator.now + bound, .closing, total: .zero, { stops.allSatisfy(\.isDone) })
        simulator.run(until: simulator.now + Patience.lastCloses) { [fleet] in fleet.openSessions == 0 }
        // Redis notices a closed connection when it gets to it.
        simulator.run(until: simulator.now + .milliseconds(10))
        shutdown.leftovers = slots.map {
            .init(
                instance: UInt16($0.setup.index), clients: $0.stopReport.clientsCut, queued: $0.stopReport.updatesLeft)
        }
        shutdown.subscriptions = redis?.subscriptionCount ?? 0
        fleet.endSessions()
        shutdown.repeatedCloses = Int64(fleet.counts.repeatedCloses)
        return shutdown
    }

    // MARK: Waits

    /// Lets time pass, and tells how far it has come; ends early when `condition` holds, or when the run is interrupted.
    private func pass(
        to instant: MonotonicInstant, _ phase: SimulationProgress.Phase, total: TimeSpan, _ condition: () -> Bool
    ) {
        let began = simulator.now
        while simulator.now < instant, !condition() {
            if isInterrupted() {
                wasInterrupted = true
                return
            }
            progress(
                SimulationProgress(
                    phase: phase, elapsed: simulator.now - began, total: total, clientsConnected: fleet.openSessions,
                    received: parts.observer.received))
            simulator.run(until: min(instant, simulator.now + Self.interval), orWhen: condition)
        }
    }

    /// Publishes fences until every open session has received one that was published since `instant`.
    private func fence(_ patience: TimeSpan, since instant: MonotonicInstant) {
        let until = simulator.now + patience
        var interval = TimeSpan.milliseconds(50)
        var round = 0
        while parts.observer.openSessions(behind: instant) > 0, simulator.now < until {
            var isPublished = false
            publishFences(round) { isPublished = true }
            round += 1
            simulator.run(until: until) { isPublished }
            let next = simulator.now + interval
            while simulator.now < next, parts.observer.openSessions(behind: instant) > 0 {
                simulator.run(until: min(next, simulator.now + .milliseconds(5)))
            }
            interval = min(interval.scaled(by: 2), .seconds(1))
        }
    }

    /// Publishes the fences of one round.
    ///
    /// Behind a broker one instance reaches the clients of all: each round it is the next one that is up. In memory each
    /// publishes one, one after the other.
    private func publishFences(_ round: Int, done: @escaping () -> Void) {
        let up = slots.indices.filter { slots[$0].instance != nil }
        guard !up.isEmpty else { return done() }
        publishFence(through: redis == nil ? up[...] : [up[round % up.count]], done: done)
    }

    private func publishFence(through places: ArraySlice<Int>, done: @escaping () -> Void) {
        guard let place = places.first else { return done() }
        let rest = places.dropFirst()
        guard let instance = slots[place].instance, let stamp = instance.probe?.submittedFence(now: simulator.now)
        else { return publishFence(through: rest, done: done) }
        let json = #"{"name":"fence","value":{}}"#
        let broadcast = Broadcast(bytes: Broadcast.stampedBytes(json), stamp: stamp)
        instance.makePublisher(entity: 1 << 33 | UInt64(place)).broadcast([broadcast]) { [self] _ in
            publishFence(through: rest, done: done)
        }
    }
}

extension InstanceSetup {
    init(
        _ cluster: ClusterSpec, seed: UInt64, index: Int, simulator: Simulator, fleet: Fleet, courier: Courier,
        costs: CostModel, redis: RedisServer?, probe: any SimulationProbe
    ) {
        self.init(
            index: index, simulator: simulator, fleet: fleet, courier: courier, costs: costs, redis: redis,
            policies: cluster.policies, kind: cluster.manager,
            gapMark: cluster.gapMark == .close ? .close : .event(#"{"name":"gap","value":{}}"#),
            workers: cluster.workers, hasBroadcastThread: cluster.executor == .threadpool,
            seed: seed &+ UInt64(index) &* 0x9e37_79b9, probe: probe)
    }
}
