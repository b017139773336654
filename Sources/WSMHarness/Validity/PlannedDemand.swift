internal import WSMCore
internal import WSMScenario

extension LoadPlan {
    /// Deliveries a second that the plan asks of the clients: its messages on the channel that they listen to, times the
    /// clients that each reaches.
    ///
    /// A process's messages are counted as the reference sends them: two an update, and its subscriptions' with the
    /// terminal ones. The few direct messages beside them (status counts) are left out.
    func deliveriesPerSecond(of scenario: Scenario) -> Double {
        let seconds = scenario.loadDuration.seconds
        guard seconds > 0 else { return 0 }
        let broadcasts = broadcasters.lazy.filter { $0.channel == .events }.reduce(0) { $0 + $1.sendsAt.count }
        let messages = broadcasts + engineStatus.count + processes.reduce(0) { $0 + $1.messages }
        // In memory a message reaches the clients of its own instance only.
        let listeners = clients.lazy.filter { $0.credential == .valid }.count
        let reached =
            scenario.cluster.manager == .memory
            ? Double(listeners) / Double(max(1, scenario.cluster.instances)) : Double(listeners)
        return Double(messages) * reached / seconds
    }

    /// Threads that send on their own: the broadcasters and the one of the API calls.
    var publisherThreads: Int {
        broadcasters.count + (processes.isEmpty && engineStatus.isEmpty ? 0 : 1)
    }

    /// What a typical message weighs with its stamp, in bytes.
    var messageBytes: Int {
        broadcasters.first?.payloadBytes ?? LoadPlan.processMessageBytes
    }

    /// `{"name":"invalidateCache","value":{"type":"processes","id":"<uuid>"}}` and the stamp.
    private static let processMessageBytes = 240
}

extension PlannedProcess {
    /// An update a step and one at the end, two messages each; the last two are terminal.
    fileprivate var messages: Int {
        let steps =
            switch ending {
            case .completed, .suspended: self.steps.count
            case .failed(let step): step + 1
            case .aborted(let step): step + 1
            }
        return 2 * (steps + 1) + 2 * subscriptions.count
    }
}
