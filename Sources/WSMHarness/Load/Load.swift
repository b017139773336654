internal import WSMCore
internal import WSMInstance
internal import WSMRecord
internal import WSMScenario

/// The whole load of a run: every publisher and the API calls, from the plan.
final class Load: RunningLoad {
    /// How the names of the load's threads begin.
    static let threadPrefix = "load-"

    let clock: LoadClock
    private let broadcasters: [BroadcastLoad]
    private let api: ProcessLoad?

    /// Starts the load's threads; they wait for the clock's start.
    init(plan: LoadPlan, instances: [LiveInstance], probes: [RunProbe], clock: LoadClock) {
        self.clock = clock
        broadcasters = plan.broadcasters.map { plan in
            BroadcastLoad(plan, instance: instances[plan.instance], probe: probes[plan.instance], clock: clock)
        }
        let hasCalls = !plan.processes.isEmpty || !plan.engineStatus.isEmpty
        api = hasCalls ? ProcessLoad(plan: plan, instances: instances, clock: clock) : nil
    }

    /// Starts the load's threads for a target, which takes broadcasts only.
    init(plan: LoadPlan, target: TargetSystem, clock: LoadClock) {
        self.clock = clock
        broadcasters = plan.broadcasters.map { plan in
            BroadcastLoad(plan, clock: clock) { target.makePublish(plan) }
        }
        api = nil
    }

    /// Whether every planned item has been done, or the load was ended.
    var hasEnded: Bool { broadcasters.allSatisfy(\.hasEnded) && api?.hasEnded != false }

    /// How late the generator was against its plan.
    var scheduleSlip: LatencyHistogram {
        var sum = LatencyHistogram()
        for broadcaster in broadcasters { sum.add(broadcaster.scheduleSlip) }
        if let api { sum.add(api.scheduleSlip) }
        return sum
    }

    func stop() { clock.stop() }

    var refusals: ProcessLoad.Refusals { api?.refusals ?? .init() }
}
