internal import WSMCore
internal import WSMScenario

extension LoadPlan {
    /// What one instance has to do of the plan, as a plan for a single instance, number 0.
    ///
    /// - Parameter from: What is planned before this offset is left out.
    func part(ofInstance instance: Int, of scenario: Scenario, from: TimeSpan) -> LoadPlan {
        var part = part(from: from) { $0 == instance }
        // Then a worker process has them.
        if scenario.cluster.executor == .worker { part.processes = [] }
        return part
    }

    /// The processes of one instance, for the worker process that runs them.
    func part(ofWorker instance: Int, from: TimeSpan) -> LoadPlan {
        var part = part(from: from) { $0 == instance }
        part.broadcasters = []
        part.engineStatus = []
        return part
    }

    private func part(from: TimeSpan, _ isMine: (Int) -> Bool) -> LoadPlan {
        var part = self
        part.clients = []
        part.churn = []
        part.broadcasters = broadcasters.filter { isMine($0.instance) }.map { broadcaster in
            var mine = broadcaster
            mine.instance = 0
            mine.sendsAt.removeAll { $0 < from }
            return mine
        }
        part.processes = processes.filter { isMine($0.instance) && $0.at >= from }.map { process in
            var mine = process
            mine.instance = 0
            return mine
        }
        part.engineStatus = engineStatus.filter { isMine($0.instance) && $0.at >= from }.map { status in
            var mine = status
            mine.instance = 0
            return mine
        }
        return part
    }

    /// How many sends and calls the plan wants of an instance in a part of the time.
    func count(of instance: Int, from: TimeSpan, until: TimeSpan) -> Int {
        guard from < until else { return 0 }
        let span = from..<until
        let sends = broadcasters.lazy.filter { $0.instance == instance }.map { broadcaster in
            broadcaster.sendsAt.count { span.contains($0) }
        }
        return sends.reduce(0, +) + processes.count { $0.instance == instance && span.contains($0.at) }
            + engineStatus.count { $0.instance == instance && span.contains($0.at) }
    }

    /// The clients of one of several processes, with their churn.
    func part(ofClients index: Int, of parts: Int) -> LoadPlan {
        var part = self
        part.clients = clients.filter { $0.index % parts == index }
        part.churn = churn.filter { $0.client % parts == index }
        return part
    }
}
