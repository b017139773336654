internal import WSMCore
internal import WSMInstance
internal import WSMRecord
internal import WSMScenario

/// The whole load of a run: every publisher and the API calls, from the plan.
final class Load: RunningLoad {
    /// How the names of the load's threads begin.
    static let threadPrefix = "load-"

    let clock: LoadClock
    private let tally = LoadTally()
    private let broadcasters: [BroadcastLoad]
    private let api: ProcessLoad?

    /// Starts the load's threads; they wait for the clock's start.
    ///
    /// - Parameters:
    ///   - record: Who is told how they keep to the plan; `nil`: the load itself adds it up.
    init(plan: LoadPlan, places: [any InstancePlace], clock: LoadClock, record: (any LoadRecord)? = nil) {
        self.clock = clock
        let record = record ?? tally
        broadcasters = plan.broadcasters.map {
            BroadcastLoad($0, place: places[$0.instance], clock: clock, record: record)
        }
        let hasCalls = !plan.processes.isEmpty || !plan.engineStatus.isEmpty
        api = hasCalls ? ProcessLoad(plan: plan, places: places, clock: clock, record: record) : nil
    }

    /// Starts the load's threads for a target, which takes broadcasts only.
    init(plan: LoadPlan, target: TargetSystem, clock: LoadClock) {
        self.clock = clock
        let tally = self.tally
        broadcasters = plan.broadcasters.map { plan in
            BroadcastLoad(plan, clock: clock, record: tally) { target.makePublish(plan) }
        }
        api = nil
    }

    /// Whether every planned item has been done, or the load was ended.
    var hasEnded: Bool { broadcasters.allSatisfy(\.hasEnded) && api?.hasEnded != false }

    var figures: LoadFigures { tally.figures }

    func stop() { clock.stop() }
}
