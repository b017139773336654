internal import Foundation
package import WSMScenario

/// Puts a load into a scenario: what a capacity search turns up from step to step.
package struct LoadVariation: Sendable {
    package let variable: CapacityVariable
    private let source: ScenarioSource
    private let scenario: Scenario
    /// The load of the scenario as it is written.
    package let start: Double

    /// All clients of a step connect within this time, so that many clients take no longer than few.
    private static let connectSeconds = 10.0
    /// The lowest rate that is tried, as a part of the scenario's own.
    private static let lowestPart = 1.0 / 64

    /// - Throws: ``HarnessError`` with `notSupported` when the scenario has nothing that could be turned up, or when an
    ///   answer would not be the system's.
    package init(_ variable: CapacityVariable, source: ScenarioSource, scenario: Scenario) throws {
        self.variable = variable
        self.source = source
        self.scenario = scenario
        start =
            switch variable {
            case .clients: Double(scenario.clients.count)
            case .rate: scenario.workload.reduce(0) { $0 + $1.messagesPerSecond }
            case .instances: Double(scenario.instanceCount)
            }
        if let problem = Self.problem(variable, scenario) { throw HarnessError(.notSupported, problem) }
    }

    private static func problem(_ variable: CapacityVariable, _ scenario: Scenario) -> String? {
        if !scenario.faults.isEmpty {
            return
                "capacity asks what the healthy system carries, and this scenario breaks it: take the faults out, for "
                + "example with --set 'faults=[]'"
        }
        if scenario.workload.isEmpty {
            return "the scenario has no workload: without messages there is no load to turn up"
        }
        if scenario.clients.count == 0 { return "the scenario has no clients: set clients.count to what to begin with" }
        guard variable == .instances else { return nil }
        if case .target = scenario.system {
            return "--vary instances starts instances, and a target runs already: use --vary rate or --vary clients"
        }
        if case .weights = scenario.clients.assignment {
            return
                "--vary instances cannot keep clients.assignment.weights, which name each instance: set it to round-robin"
        }
        return nil
    }

    /// The changes that put `load` in.
    package func changes(_ load: Double) -> [(key: String, value: String)] {
        switch variable {
        case .clients:
            let rate = max(scenario.clients.connectRate.perSecond, load / Self.connectSeconds)
            return [("clients.count", "\(Int(load))"), ("clients.connectRate", Self.rate(rate))]
        case .instances:
            return [("cluster.instances", "\(Int(load))")]
        case .rate:
            return scenario.workload.enumerated().map { index, workload in
                ("workload[\(index)].rate", Self.rate(workload.rate.perSecond * load / start))
            }
        }
    }

    /// The scenario at `load`, as a run of it is started.
    package func source(_ load: Double) -> ScenarioSource { source.setting(changes(load)) }

    /// The lowest load that makes sense.
    package var floor: Double {
        switch variable {
        case .clients: Double(max(1, scenario.clients.slow.count))
        case .instances: 1
        case .rate: start * Self.lowestPart
        }
    }

    /// Why no run can have this load; `nil` for one that can.
    func obstacle(_ load: Double) -> HarnessError? {
        let loaded = source(load).load()
        guard let scenario = loaded.scenario else {
            let fault = loaded.diagnostics.first { $0.severity == .error }
            return HarnessError(.invalidData, fault.map { Self.words($0) } ?? "the scenario does not allow it")
        }
        do {
            try ScenarioRun.checkFileLimit(scenario)
            return nil
        } catch {
            return HarnessError(.tooFewFileDescriptors, "\(error)")
        }
    }

    /// The limit stands in the scenario in place of its thresholds.
    private static func words(_ fault: Diagnostic) -> String {
        fault.message.replacing("expect.thresholds[0]", with: "the limit") + (fault.hint.map { " (\($0))" } ?? "")
    }

    /// The highest load that a run can have, to about 1 %, and what stands in the way above it.
    ///
    /// - Throws: ``HarnessError`` when not even the scenario as written can run.
    package func ceiling() throws -> (load: Double, obstacle: String) {
        if let obstacle = obstacle(start) { throw obstacle }
        var (low, high) = (start, start * 2)
        while obstacle(high) == nil { (low, high) = (high, high * 2) }
        while high > low * 1.01, !variable.isWhole || high - low > 1 {
            let middle = variable.isWhole ? ((low + high) / 2).rounded(.down) : (low * high).squareRoot()
            if obstacle(middle) == nil { low = middle } else { high = middle }
        }
        return (low, obstacle(high)?.message ?? "")
    }

    /// A rate as a scenario has it, without an exponent.
    private static func rate(_ perSecond: Double) -> String {
        let bounded = min(max(perSecond, Limits.rate.lowerBound), Limits.rate.upperBound * 2)
        return String(format: "%.6f/s", bounded)
    }
}

extension WorkloadSpec {
    /// Messages a second that the workload publishes in the mean, as the reference sends them: two an update of a process, and
    /// two for each of its subscriptions when it ends.
    var messagesPerSecond: Double {
        guard case .processes(let spec) = self else { return rate.perSecond }
        // One that fails or is aborted ends at a step drawn evenly, halfway in the mean.
        let short = spec.failed.fraction + spec.aborted.fraction
        let steps = Double(spec.steps)
        let updates = (1 - short) * steps + short * (steps + 1) / 2 + 1
        return rate.perSecond * (2 * updates + 2 * Double(spec.subscriptions))
    }
}
