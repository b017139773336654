import WSMCore

extension LoadPlan {
    /// Draws the plan of `scenario` from its seed.
    package init(_ scenario: Scenario) {
        let planner = LoadPlanner(scenario: scenario)
        clients = planner.clients()
        churn = planner.churn()
        broadcasters = []
        processes = []
        engineStatus = []
        let identities = WorkloadIdentity.all(of: scenario.workload)
        for (index, workload) in scenario.workload.enumerated() {
            switch workload {
            case .processes(let spec):
                processes += planner.processes(spec, workload: index, identity: identities[index])
            case .broadcasts(let spec):
                broadcasters += planner.broadcasters(spec, workload: index, identity: identities[index])
            case .engineStatus(let spec):
                engineStatus += planner.engineStatus(spec, identity: identities[index])
            }
        }
        for index in broadcasters.indices { broadcasters[index].index = index }
        // Workloads stand in the order of the scenario, so that equal instants keep that order: the sort is stable.
        processes.sort { $0.at < $1.at }
        for index in processes.indices { processes[index].index = index }
        engineStatus.sort { $0.at < $1.at }
    }
}

/// Draws the parts of a plan.
///
/// Each part has a stream of its own, and each entity its own numbers in it.
private struct LoadPlanner {
    let scenario: Scenario

    private var instances: Int { scenario.instanceCount }

    private func random(_ stream: CounterRNG.Stream, _ entity: UInt64) -> CounterRNG {
        CounterRNG(seed: scenario.seed, stream: stream, entity: entity)
    }

    // MARK: - Clients

    func clients() -> [PlannedClient] {
        let spec = scenario.clients
        let assign = assignment(spec.assignment)
        var clients = (0..<spec.count).map { index in
            let connectAt = TimeSpan(nanoseconds: Int64(Double(index) * 1e9 / spec.connectRate.perSecond))
            return PlannedClient(index: index, instance: assign(index), connectAt: connectAt, readRate: nil)
        }
        for index in slowReaders(spec) { clients[index].readRate = spec.slow.readRate }
        dealCredentials(spec.auth, among: &clients)
        return clients
    }

    private func assignment(_ assignment: Assignment) -> (Int) -> Int {
        switch assignment {
        case .roundRobin:
            return { $0 % instances }
        case .random:
            return { index in
                var random = random(.assignment, UInt64(index))
                return random.below(instances)
            }
        case .weights(let weights):
            let slots = Spread.Slots(weights: weights)
            return { Spread.weighted($0, over: slots) }
        }
    }

    /// Deals the bad tokens out among the clients that read freely, by the order of their draws.
    private func dealCredentials(_ spec: CredentialsSpec, among clients: inout [PlannedClient]) {
        guard spec.shares.contains(where: { $0.share != .zero }) else { return }
        let draws = clients.filter { $0.readRate == nil }.map { client in
            var random = random(.credentials, UInt64(client.index))
            return (key: random.next(), index: client.index)
        }
        var rest = draws.sorted { $0 < $1 }.map(\.index)[...]
        for (credential, share) in spec.shares {
            let count = Int((Double(clients.count) * share.fraction).rounded())
            for index in rest.prefix(count) { clients[index].credential = credential }
            rest = rest.dropFirst(count)
        }
    }

    /// The clients with the smallest draws: one client more or less changes at most one of the chosen.
    private func slowReaders(_ spec: ClientsSpec) -> [Int] {
        guard spec.slow.count > 0 else { return [] }
        let draws = (0..<spec.count).map { index in
            var random = random(.slowReaders, UInt64(index))
            return (key: random.next(), index: index)
        }
        return draws.sorted { $0 < $1 }.prefix(spec.slow.count).map(\.index)
    }

    func churn() -> [PlannedChurn] {
        let spec = scenario.clients
        guard spec.churn.perSecond > 0, spec.count > 0 else { return [] }
        let instants = Arrivals.poisson(
            rate: spec.churn.perSecond, until: scenario.loadDuration, random: random(.churn, 0))
        var picks = random(.churn, 1)
        return instants.map { PlannedChurn(at: $0, client: Spread.consistent(picks.next(), places: spec.count)) }
    }

    // MARK: - Workloads

    func broadcasters(_ spec: BroadcastsSpec, workload: Int, identity: WorkloadIdentity) -> [PlannedBroadcaster] {
        (0..<spec.publishers).map { publisher in
            let sends: [TimeSpan]
            switch spec.arrival {
            case .poisson:
                sends = Arrivals.poisson(
                    rate: spec.rate.perSecond / Double(spec.publishers), until: scenario.loadDuration,
                    random: random(.broadcastArrivals, identity.entity(publisher)))
            case .constant:
                sends = Arrivals.constant(
                    rate: spec.rate.perSecond, until: scenario.loadDuration, first: publisher, stride: spec.publishers)
            }
            return PlannedBroadcaster(
                index: 0, workload: workload, instance: publisher % instances, channel: spec.channel,
                payloadBytes: spec.payload, sendsAt: sends)
        }
    }

    private func arrivals(
        _ arrival: Arrival, _ rate: Rate, _ stream: CounterRNG.Stream, _ identity: WorkloadIdentity
    ) -> [TimeSpan] {
        switch arrival {
        case .poisson:
            Arrivals.poisson(
                rate: rate.perSecond, until: scenario.loadDuration, random: random(stream, identity.entity(0)))
        case .constant:
            Arrivals.constant(rate: rate.perSecond, until: scenario.loadDuration)
        }
    }

    func engineStatus(_ spec: EngineStatusSpec, identity: WorkloadIdentity) -> [PlannedEngineStatus] {
        arrivals(spec.arrival, spec.rate, .engineStatusArrivals, identity).enumerated().map { number, at in
            PlannedEngineStatus(at: at, instance: number % instances, globalLock: false)
        }
    }

    func processes(_ spec: ProcessesSpec, workload: Int, identity: WorkloadIdentity) -> [PlannedProcess] {
        arrivals(spec.arrival, spec.rate, .processArrivals, identity).enumerated().map { number, at in
            var identities = random(.processIdentity, identity.entity(number))
            var durations = random(.processSteps, identity.entity(number))
            let id = identities.uuid()
            let ending = ending(spec, &identities)
            return PlannedProcess(
                index: 0, workload: workload, at: at, instance: number % instances, id: id,
                workflowName: LoadPlan.workflowName,
                steps: (0..<spec.steps).map { _ in min(Limits.step, spec.stepDuration.draw(from: &durations)) },
                ending: ending,
                subscriptions: (0..<spec.subscriptions).map { _ in identities.uuid() })
        }
    }

    /// Two draws whatever comes of them, so that what is drawn next does not depend on the ending.
    private func ending(_ spec: ProcessesSpec, _ random: inout CounterRNG) -> ProcessEnding {
        let choice = random.below(1_000_000)
        let place = random.unit()
        let between = Int(place * Double(max(1, spec.steps - 1)))
        if choice < spec.failed.millionths { return .failed(atStep: Int(place * Double(spec.steps))) }
        let suspended = spec.failed.millionths + spec.suspended.millionths
        if choice < suspended { return .suspended(afterStep: between, resumeAfter: spec.resumeAfter) }
        if choice < suspended + spec.aborted.millionths { return .aborted(afterStep: between) }
        return .completed
    }
}

extension LoadPlan {
    /// The workflow that all planned processes run.
    package static let workflowName = "simulated_workflow"
}
