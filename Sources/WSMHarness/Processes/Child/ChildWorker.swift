internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import WSMCore
internal import WSMInstance
internal import WSMRecord
internal import WSMScenario

/// The worker process of one instance, with the processes that the plan wants of the instance.
final class ChildWorker: ChildRole {
    private let scenario: Scenario
    private let index: Int
    private let worker: LiveWorker
    private let probe: JournalProbe
    private let journal: JournalWriter
    private let load = Mutex<ProcessLoad?>(nil)
    private let clock = Mutex<LoadClock?>(nil)

    static func start(_ assignment: WorkerAssignment, scenario: Scenario, run: UInt32) async throws -> ChildWorker {
        let numbers = PublisherNumbers(scenario, plan: LoadPlan(scenario))
        let journal = try JournalWriter(path: assignment.journal)
        // Its publishers come behind those of all instances.
        let probe = JournalProbe(
            run: run, instance: scenario.cluster.instances + assignment.index, numbers: numbers, journal: journal)
        let configuration = LiveInstance.Configuration(
            scenario.cluster, seed: scenario.seed, index: scenario.cluster.instances + assignment.index,
            redis: assignment.redis)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let worker = try await LiveWorker.start(configuration, on: group, probe: probe)
        return ChildWorker(scenario, assignment.index, worker, probe, journal)
    }

    private init(
        _ scenario: Scenario, _ index: Int, _ worker: LiveWorker, _ probe: JournalProbe, _ journal: JournalWriter
    ) {
        self.scenario = scenario
        self.index = index
        self.worker = worker
        self.probe = probe
        self.journal = journal
    }

    func answer(_ request: ChildRequest) async throws -> ChildReply {
        switch request {
        case .startLoad(let window): start(window)
        case .stopLoad: clock.withLock { $0 }?.stop()
        case .instanceState: return .instanceState(state)
        case .stopInstance(let deadline):
            let left = worker.backlog
            try await worker.stop(deadline: deadline)
            return .instanceStopped(
                ChildStopReport(
                    clientsCut: 0, busyThreads: [], updatesLeft: left,
                    counts: InstanceCounts(worker.manager.counters)))
        default: throw HarnessError(.internalFault, "a worker was asked what only others can do")
        }
        return .done
    }

    private func start(_ window: LoadWindow) {
        let plan = LoadPlan(scenario).part(ofWorker: index, from: window.from - window.start)
        let clock = window.clock
        let started = ProcessLoad(
            plan: plan, places: [WorkerPlace(worker: worker)], clock: clock, record: JournalLoadRecord(journal: journal)
        )
        load.withLock { $0 = started }
        self.clock.withLock { $0 = clock }
    }

    private var state: ChildInstanceState {
        ChildInstanceState(
            state: InstanceState(isUp: true, broadcastThread: nil, backlog: worker.backlog),
            counts: InstanceCounts(worker.manager.counters), loadHasEnded: load.withLock { $0 }?.hasEnded ?? true,
            submitted: probe.submittedSoFar)
    }
}
