internal import WSMCore
package import WSMScenario

/// How large a scenario is, for the eyes of who has to understand it.
package struct PlanSize: Codable, Hashable, Sendable {
    package var faults: Int
    package var instances: Int
    package var clients: Int
    /// Callers of `broadcastData`; processes and engine updates are published by the instances themselves.
    package var publishers: Int
    /// Streams of messages: the entries of `workload`, and one more where sessions end and begin anew by themselves.
    package var streams: Int
    /// Messages that the load plan wants, by their least number: a process counts its steps and its ending.
    package var messages: Int
    /// Warm-up and measured window.
    package var loadNanoseconds: Int64

    /// What a reader has to keep in mind: each fault, instance, client, publisher and stream of messages is one *plan item*.
    package var items: Int { faults + instances + clients + publishers + streams }

    /// Measures a scenario and its plan.
    package init(_ scenario: Scenario) {
        let plan = LoadPlan(scenario)
        faults = FaultPlan(scenario).faults.count
        instances = scenario.instanceCount
        clients = scenario.clients.count
        publishers = plan.broadcasters.count
        streams = scenario.workload.count + (scenario.clients.churn.perSecond > 0 ? 1 : 0)
        let sends = plan.broadcasters.reduce(0) { $0 + $1.sendsAt.count }
        messages = sends + plan.processes.reduce(0) { $0 + $1.steps.count + 1 } + plan.engineStatus.count
        loadNanoseconds = scenario.loadDuration.nanoseconds
    }
}
