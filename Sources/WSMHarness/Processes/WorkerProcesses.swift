internal import Foundation
internal import Synchronization
internal import WSMCore
internal import WSMInstance
internal import WSMRecord
internal import WSMScenario

/// The worker processes of a cluster with `executor: worker`, one an instance: they run the steps of processes and publish
/// by themselves.
final class WorkerProcesses: Sendable {
    private struct Worker: Sendable {
        var process: ChildProcess
        var life: InstanceLives
    }

    private let workers: [Worker]
    private let known: Mutex<[ChildInstanceState?]>

    /// - Parameter probes: The run's probes of the workers, which come behind those of the instances.
    static func start(
        probes: [RunProbe], redis: RunRedis, numbers: PublisherNumbers, processes: RunProcesses
    ) async throws -> WorkerProcesses {
        var workers: [Worker] = []
        for (index, probe) in probes.enumerated() {
            let life = InstanceLives(probe)
            let path = processes.path("worker-\(index)")
            _ = try life.begin(path: path, numbers: numbers)
            defer { life.hasBegun() }
            let assignment = WorkerAssignment(
                index: index, redis: redis.topology(instance: index), journal: path)
            let (process, _) = try await processes.start(.worker(assignment), name: "the worker of instance \(index)")
            workers.append(Worker(process: process, life: life))
        }
        return WorkerProcesses(workers)
    }

    private init(_ workers: [Worker]) {
        self.workers = workers
        known = Mutex(workers.map { _ in nil })
    }

    func startLoad(_ window: LoadWindow) async throws {
        for worker in workers { _ = try await worker.process.ask(.startLoad(window)) }
    }

    func stopLoad() {
        for worker in workers { Task { try? await worker.process.ask(.stopLoad) } }
    }

    /// Asks how they stand; one that has ended is at rest.
    func refresh() async {
        for (index, worker) in workers.enumerated() {
            let answer = try? await worker.process.ask(.instanceState, deadline: .seconds(1))
            guard case .instanceState(let state)? = answer else { continue }
            known.withLock { $0[index] = state }
        }
    }

    /// As they were asked last.
    var isWorking: Bool { lastStates.contains { $0.state.isWorking } }
    var loadHasEnded: Bool { lastStates.allSatisfy(\.loadHasEnded) }
    var submitted: Int { known.withLock { $0.compactMap { $0 } }.reduce(0) { $0 + $1.submitted } }

    private var lastStates: [ChildInstanceState] {
        zip(workers, known.withLock { $0 }).compactMap { $0.process.end == nil ? $1 : nil }
    }

    /// Ends their threads; processes that still wait never run.
    func stop(deadline: TimeSpan) async {
        await withTaskGroup(of: Void.self) { tasks in
            for worker in workers {
                tasks.addTask {
                    _ = try? await worker.process.ask(
                        .stopInstance(deadline: deadline), deadline: deadline + .seconds(10))
                }
            }
        }
    }

    /// Tells the run's probes what the workers wrote up to `instant`; blocks.
    func tellRecords(upTo instant: MonotonicInstant) throws {
        try workers.lazy.map(\.life).tell(upTo: instant)
    }

    var loadFigures: LoadFigures { workers.lazy.map(\.life).loadFigures }

    func usage() -> [PartUsage] {
        workers.map { PartUsage(pid: $0.process.pid, cpuSeconds: ProcessUsage.cpuSeconds(of: $0.process.pid) ?? 0) }
    }

    /// Workers that ended without the run's doing.
    var failures: [PartFailure] { workers.compactMap { PartFailure($0.process) } }
}
