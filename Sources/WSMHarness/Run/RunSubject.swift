internal import WSMCore
internal import WSMScenario
internal import WSMVerify

/// What a measurement is about, whoever drove the run: who published, who listened, who measured.
struct RunSubject: Sendable {
    let scenario: Scenario
    let plan: LoadPlan
    let publishers: PublisherTable
    let probes: [RunProbe]
    /// The instances of the cluster; 0 with a target.
    let instanceCount: Int
    /// The number that stands for publishers which belong to no instance; `nil` where there are none.
    let outside: UInt16?

    /// Who recorded the stages inside of the instances, each once: simulated instances share one.
    var stageRecorders: [StageRecorder] {
        probes.reduce(into: []) { all, probe in
            if all.last !== probe.stageRecorder { all.append(probe.stageRecorder) }
        }
    }

    /// Whether it is a system that ran already.
    var isTarget: Bool { if case .target = scenario.system { true } else { false } }

    /// How receipts are kept over time: with faults or slow clients each instance for itself, as far as each has an event loop
    /// of its own.
    func timelinePlan(from instant: MonotonicInstant) -> Timeline.Plan {
        let isCalm = scenario.faults.isEmpty && scenario.clients.slow.count == 0
        let groups = isCalm ? 1 : min(scenario.instanceCount, Limits.pausableInstances)
        return Timeline.Plan(from: instant, width: Timeline.Plan.width(for: scenario.duration), groups: groups)
    }
}

extension RunContext {
    var subject: RunSubject {
        RunSubject(
            scenario: scenario, plan: plan, publishers: publishers, probes: probes,
            instanceCount: system.cluster?.instanceCount ?? 0, outside: outside)
    }
}
