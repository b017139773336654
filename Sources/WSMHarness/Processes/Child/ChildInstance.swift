internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import WSMClients
internal import WSMCore
internal import WSMInstance
internal import WSMRecord
internal import WSMRedis
internal import WSMScenario

/// One instance in a process of its own, with the load that the plan wants of it.
final class ChildInstance: ChildRole {
    private let scenario: Scenario
    private let index: Int
    private let instance: LiveInstance
    private let probe: JournalProbe
    private let journal: JournalWriter
    private let load = Mutex<Load?>(nil)

    static func start(
        _ assignment: InstanceAssignment, scenario: Scenario, security: PartSecurity, run: UInt32
    ) async throws -> ChildInstance {
        let plan = LoadPlan(scenario)
        let numbers = PublisherNumbers(scenario, plan: plan)
        // Its side of its clients' sockets, and a Redis connection for each that has a subscription of its own.
        let mine = plan.clients.count { $0.instance == assignment.index }
        let hasOwn = scenario.cluster.manager == .broadcast && scenario.cluster.subscription == .perClient
        try FileLimit.check(needed: mine, descriptorsPerClient: hasOwn ? 2 : 1)
        let journal = try JournalWriter(path: assignment.journal)
        let probe = JournalProbe(
            run: run, instance: assignment.index, numbers: numbers, journal: journal, submitted: assignment.submitted)
        var configuration = LiveInstance.Configuration(
            scenario.cluster, seed: scenario.seed, index: assignment.index, redis: assignment.redis)
        configuration.port = assignment.port
        security.apply(to: &configuration)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let instance = try await LiveInstance.start(configuration, on: group, probe: probe)
        return ChildInstance(scenario, assignment.index, instance, probe, journal)
    }

    private init(
        _ scenario: Scenario, _ index: Int, _ instance: LiveInstance, _ probe: JournalProbe, _ journal: JournalWriter
    ) {
        self.scenario = scenario
        self.index = index
        self.instance = instance
        self.probe = probe
        self.journal = journal
    }

    var port: Int { instance.port }

    func answer(_ request: ChildRequest) async throws -> ChildReply {
        switch request {
        case .startLoad(let window):
            let plan = LoadPlan(scenario).part(ofInstance: index, of: scenario, from: window.from - window.start)
            let started = Load(
                plan: plan, places: [OnlyLife(instance, probe)], clock: window.clock,
                record: JournalLoadRecord(journal: journal))
            load.withLock { $0 = started }
        case .stopLoad: load.withLock { $0 }?.stop()
        case .publishFence: await FencePublisher.publish(through: [OnlyLife(instance, probe)])
        case .instanceState: return .instanceState(state)
        case .stopInstance(let deadline):
            let report = try await instance.stop(deadline: deadline)
            return .instanceStopped(
                ChildStopReport(
                    clientsCut: report.clientsCut, busyThreads: report.busyThreads, updatesLeft: report.updatesLeft,
                    counts: InstanceCounts(instance.manager.counters)))
        default: throw HarnessError(.internalFault, "an instance was asked what only clients can do")
        }
        return .done
    }

    private var state: ChildInstanceState {
        ChildInstanceState(
            state: InstanceState(instance), counts: InstanceCounts(instance.manager.counters),
            loadHasEnded: load.withLock { $0 }?.hasEnded ?? true, submitted: probe.submittedSoFar)
    }
}
