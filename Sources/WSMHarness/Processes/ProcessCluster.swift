internal import Foundation
internal import NIOCore
internal import Synchronization
internal import WSMCore
internal import WSMInstance
internal import WSMRecord
internal import WSMRedis
internal import WSMScenario

/// A cluster whose instances are processes of their own.
///
/// What an instance learns stands in its journal, and is told to the run's own probe once it has ended: the same calls with
/// the same instants as in one process, also when the instance was killed.
final class ProcessCluster: Cluster {
    struct Slot {
        var process: ChildProcess
        /// Whether the run has ended it.
        var isEnded = false
        var counts = InstanceCounts()
        var state = InstanceState(isUp: true, broadcastThread: nil, backlog: 0)
        var loadHasEnded = true
        var submitted = 0
        /// By the lives before this one.
        var submittedBefore = 0
        /// Whether it stands still, so that it would not answer.
        var isPaused = false
        /// While it is down: since when, and its port, kept for its next life.
        var downSince: MonotonicInstant?
        var reservation: PortReservation?
    }

    /// How long starting again may try while Redis does not answer.
    static let startDeadline = TimeSpan.seconds(10)

    let ports: [Int]
    let redis: RunRedis?
    let processes: RunProcesses
    let plan: LoadPlan
    let numbers: PublisherNumbers
    let lives: [InstanceLives]
    let links: RunLinks
    let slots: Mutex<[Slot]>
    let window = Mutex<LoadWindow?>(nil)

    var instanceCount: Int { ports.count }
    var eventLoops: [any EventLoop] { [] }

    // MARK: Start

    static func start(
        _ scenario: Scenario, plan: LoadPlan, security: RunSecurity, probes: [RunProbe], links: RunLinks,
        processes: RunProcesses
    ) async throws -> ProcessCluster {
        let redis = try await RunRedis.start(scenario.cluster, security)
        let numbers = PublisherNumbers(scenario, plan: plan)
        let lives = probes.prefix(scenario.cluster.instances).map { InstanceLives($0) }
        do {
            var started: [(process: ChildProcess, port: Int)] = []
            for life in lives {
                started.append(
                    try await begin(
                        life, port: 0, redis: try await links.redis(of: life.index, redis), numbers, processes))
            }
            return ProcessCluster(started, redis, links, processes, plan, numbers, lives)
        } catch {
            await redis?.stop()
            throw error
        }
    }

    private init(
        _ started: [(process: ChildProcess, port: Int)], _ redis: RunRedis?,
        _ links: RunLinks, _ processes: RunProcesses, _ plan: LoadPlan, _ numbers: PublisherNumbers,
        _ lives: [InstanceLives]
    ) {
        ports = started.map(\.port)
        slots = Mutex(started.map { Slot(process: $0.process) })
        self.redis = redis
        self.links = links
        self.processes = processes
        self.plan = plan
        self.numbers = numbers
        self.lives = lives
    }

    static func begin(
        _ life: InstanceLives, port: Int, redis: RedisTopology?, _ numbers: PublisherNumbers, _ processes: RunProcesses
    ) async throws -> (process: ChildProcess, port: Int) {
        let path = processes.path("instance-\(life.index)")
        let submitted = try life.begin(path: path, numbers: numbers)
        defer { life.hasBegun() }
        let assignment = InstanceAssignment(
            index: life.index, port: port, redis: redis, journal: path,
            submitted: submitted)
        return try await processes.start(.instance(assignment), name: "instance \(life.index)")
    }

    // MARK: The load

    func startLoad(_ clock: LoadClock) async throws -> any RunningLoad {
        let window = LoadWindow(clock)
        self.window.withLock { $0 = window }
        for process in running { _ = try await process.ask(.startLoad(window)) }
        slots.withLock { slots in for index in slots.indices { slots[index].loadHasEnded = false } }
        return ProcessLoadHandle(cluster: self)
    }

    func publishFences() async {
        await withTaskGroup(of: Void.self) { tasks in
            for process in running { tasks.addTask { _ = try? await process.ask(.publishFence) } }
        }
    }

    /// Ends the load, without waiting for the answers.
    func stopLoad() {
        for process in running { Task { try? await process.ask(.stopLoad) } }
    }

    var loadHasEnded: Bool { slots.withLock { $0.allSatisfy { $0.loadHasEnded || $0.process.end != nil } } }

    var loadFigures: LoadFigures { lives.loadFigures }

    // MARK: How they stand

    private var running: [ChildProcess] {
        slots.withLock { $0.filter { !$0.isEnded }.map(\.process).filter { $0.end == nil } }
    }

    /// Asks all instances; one that is gone, stands still or does not answer is as it was known last.
    func refresh() async {
        let asked = slots.withLock { slots in
            slots.map { $0.isEnded || $0.isPaused || $0.process.end != nil ? nil : $0.process }
        }
        await withTaskGroup(of: (Int, ChildInstanceState?).self) { tasks in
            for (index, process) in asked.enumerated() {
                guard let process else { continue }
                tasks.addTask {
                    guard
                        case .instanceState(let state)? = try? await process.ask(.instanceState, deadline: .seconds(1))
                    else { return (index, nil) }
                    return (index, state)
                }
            }
            for await (index, state) in tasks {
                guard let state else { continue }
                slots.withLock { slots in
                    slots[index].state = state.state
                    slots[index].counts = state.counts
                    slots[index].loadHasEnded = state.loadHasEnded
                    slots[index].submitted = state.submitted
                }
            }
        }
    }

    func states() async -> [InstanceState] {
        await refresh()
        return slots.withLock { slots in
            slots.map { slot in
                var state = slot.state
                state.isUp = !slot.isEnded && slot.process.end == nil
                return state
            }
        }
    }

    func glance() async -> ClusterGlance {
        let states = await states()
        let (now, submitted) = slots.withLock { slots in
            (
                slots.map { $0.isEnded ? InstanceCounts() : $0.counts },
                slots.reduce(0) { $0 + $1.submittedBefore + $1.submitted }
            )
        }
        let counts = zip(lives, now).map { life, now in
            var sum = life.pastCounts
            sum.add(now)
            return sum
        }
        return ClusterGlance(states: states, counts: counts, submitted: submitted)
    }

    func counts() async -> [InstanceCounts] {
        let now = slots.withLock { $0.map { $0.isEnded ? InstanceCounts() : $0.counts } }
        return lives.map { life in
            var sum = life.pastCounts
            sum.add(now[life.index])
            sum.skippedWhileDown += skipped(by: life.index, until: MonotonicInstant(nanoseconds: .max))
            return sum
        }
    }

    /// Without the threads of the load, which live in the instances' processes.
    func usage() async -> [PartUsage] {
        let pids = slots.withLock { $0.map(\.process.pid) }
        return zip(lives, pids).map { life, pid in
            let own = ProcessUsage.threads(of: "\(pid)").values.filter { !$0.name.hasPrefix(Load.threadPrefix) }
            return PartUsage(pid: pid, cpuSeconds: life.pastCPUSeconds + own.reduce(0) { $0 + $1.cpuSeconds })
        }
    }

    func failures() async -> [PartFailure] {
        slots.withLock { slots in
            slots.enumerated().compactMap { index, slot in
                slot.isEnded ? nil : PartFailure(slot.process, instance: index)
            }
        }
    }

    // MARK: The end

    func stopInstances(deadline: TimeSpan) async throws -> [LiveInstance.StopReport] {
        let running = slots.withLock { $0.map { $0.isEnded || $0.process.end != nil ? nil : $0.process } }
        return try await withThrowingTaskGroup(of: (Int, ChildStopReport?).self) { tasks in
            for (index, process) in running.enumerated() {
                guard let process else { continue }
                tasks.addTask {
                    let answer = try? await process.ask(
                        .stopInstance(deadline: deadline), deadline: deadline + .seconds(10))
                    guard case .instanceStopped(let report)? = answer else { return (index, nil) }
                    return (index, report)
                }
            }
            var reports = [LiveInstance.StopReport](repeating: .init(), count: running.count)
            for try await (index, report) in tasks {
                guard let report else { continue }
                slots.withLock { $0[index].counts = report.counts }
                reports[index].clientsCut = report.clientsCut
                reports[index].busyThreads = report.busyThreads
                reports[index].updatesLeft = report.updatesLeft
            }
            return reports
        }
    }

    /// Tells the run's probes what the instances wrote up to `instant`; blocks.
    func tellRecords(upTo instant: MonotonicInstant) throws {
        try lives.tell(upTo: instant)
    }

    func finishRecords() async throws {
        try await DedicatedThread.perform(name: "journal-reader") {
            try self.tellRecords(upTo: MonotonicInstant(nanoseconds: .max))
        }
    }

    func shutDown() async {
        await processes.shutDown()
        await redis?.stop()
    }
}

/// The load of a cluster of processes.
private struct ProcessLoadHandle: RunningLoad {
    let cluster: ProcessCluster

    var hasEnded: Bool { cluster.loadHasEnded }
    var figures: LoadFigures { cluster.loadFigures }
    func stop() { cluster.stopLoad() }
}
