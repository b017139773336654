internal import NIOCore
internal import NIOPosix
internal import WSMClients
internal import WSMCore
internal import WSMRecord
internal import WSMScenario
internal import WSMVerify

/// A part of the clients in a process of its own: what they receive goes into a trace, from which the run tells its own
/// observers the same.
final class ChildClients: ChildRole {
    private struct Part: Encodable {
        var clientsOfProcess: Int
    }

    private let plan: LoadPlan
    private let security: PartSecurity
    private let fleet: LocalFleet
    private let trace: RunTrace
    private let watch = Monitor<(any GeneratorWatching)?>(nil)

    static func start(
        _ assignment: FleetAssignment, scenario: Scenario, security: PartSecurity, run: UInt32
    ) async throws -> ChildClients {
        let whole = LoadPlan(scenario)
        let numbers = PublisherNumbers(scenario, plan: whole)
        let plan = whole.part(ofClients: assignment.index, of: assignment.parts)
        _ = try FileLimit.check(needed: plan.clients.count)
        let trace = try RunTrace(path: assignment.trace, document: Part(clientsOfProcess: assignment.index))
        let loops = try SocketLoops.forClients(ofParts: assignment.parts)
        let observers = ObserverMaker(scenario, run: run, numbers: numbers, trace: trace)
        let sockets = ClientFleet(
            loops: loops.all, endpoints: assignment.ports.map { .instance(port: $0, trust: security.trust) },
            options: FleetOptions(scenario), makeSink: observers.make)
        let fleet = try await LocalFleet(sockets, loops: loops.all, instanceLoops: [])
        trace.watch(fleet)
        return ChildClients(plan: plan, security: security, fleet: fleet, trace: trace)
    }

    private init(plan: LoadPlan, security: PartSecurity, fleet: LocalFleet, trace: RunTrace) {
        self.plan = plan
        self.security = security
        self.fleet = fleet
        self.trace = trace
    }

    func answer(_ request: ChildRequest) async throws -> ChildReply {
        switch request {
        case .connect(let start): try await fleet.connectAll(plan.fleetClients(security), startingAt: start)
        case .awaitConnected(let deadline):
            do {
                try await fleet.awaitConnected(deadline: deadline)
            } catch let error as FleetError where error.code == .notAllConnected {
                throw ChildFailure(code: "", message: error.message, isMissingClients: true)
            }
        // What was received over time is for the progress: the run's own observers keep it for the result.
        case .startMeasuring(let instant, let width):
            try await fleet.startMeasuring(at: instant, timeline: Timeline.Plan(from: instant, width: width))
        case .tell(let mark): try await fleet.tell(mark)
        case .churn(let churn): try await fleet.churn(churn)
        case .disturb(let disturbance): try await fleet.disturb(disturbance)
        case .releaseSlowReaders: await fleet.releaseSlowReaders()
        case .sessionsBehind(let instant): return .count(try await fleet.sessionsBehind(instant))
        case .fleetProgress: return .fleetProgress(try await progress())
        case .awaitCloses: await fleet.awaitCloses()
        case .endSessions(let deadline): await fleet.endSessions(deadline: deadline)
        case .statistics: return .statistics(await fleet.statistics())
        case .beginWatch:
            let begun = try await fleet.makeWatch()
            await begun.begin()
            watch.withLock { $0 = begun }
        case .endWatch: return .generator(await watch.withLock { $0 }?.end() ?? GeneratorFigures())
        case .finishFleet: try await finish()
        default: throw HarnessError(.internalFault, "clients were asked what only an instance can do")
        }
        return .done
    }

    private func progress() async throws -> ChildFleetProgress {
        let loops = try await fleet.progress().map {
            ChildFleetProgress.Loop(
                received: $0.received, p50: $0.p50, p99: $0.p99, recentP50: $0.recentP50, recentP99: $0.recentP99,
                overtaken: $0.overtaken)
        }
        return ChildFleetProgress(connected: fleet.connectedCount, loops: loops)
    }

    /// Ends the sessions and completes the trace.
    private func finish() async throws {
        await fleet.endSessions(deadline: .now())
        await trace.closeLanes(of: fleet, logs: [])
        let outcome = try await trace.finish(nil)
        if let failure = outcome.failure {
            throw HarnessError(.outputNotWritable, "what clients received cannot be written: \(failure.message)")
        }
    }
}
