package import WSMCore

/// One stream of load.
package enum WorkloadSpec: Hashable, Sendable {
    /// Workflow processes: start, steps on the pool, resume, abort.
    case processes(ProcessesSpec)
    /// Calls of `broadcastData`.
    case broadcasts(BroadcastsSpec)
    /// Updates of the engine's status.
    case engineStatus(EngineStatusSpec)

    /// The word under `kind`.
    package var kind: String {
        switch self {
        case .processes: "processes"
        case .broadcasts: "broadcasts"
        case .engineStatus: "engine-status"
        }
    }

    package var rate: Rate {
        switch self {
        case .processes(let spec): spec.rate
        case .broadcasts(let spec): spec.rate
        case .engineStatus(let spec): spec.rate
        }
    }
}

/// How the instants of a load are spread.
package enum Arrival: String, CaseIterable, Sendable {
    /// Independent of each other: the gaps are exponentially distributed.
    case poisson
    /// Evenly spaced.
    case constant
}

/// Workflow processes.
package struct ProcessesSpec: Hashable, Sendable {
    package var rate: Rate
    package var arrival: Arrival
    package var steps: Int
    package var stepDuration: Distribution
    package var subscriptions: Int
    package var failed: Share
    package var suspended: Share
    package var resumeAfter: TimeSpan
    package var aborted: Share

    package init(rate: Rate) {
        self.rate = rate
        self.arrival = .poisson
        self.steps = 5
        self.stepDuration = .exponential(mean: .milliseconds(20))
        self.subscriptions = 1
        self.failed = .zero
        self.suspended = .zero
        self.resumeAfter = .milliseconds(50)
        self.aborted = .zero
    }
}

/// Calls of `broadcastData`.
package struct BroadcastsSpec: Hashable, Sendable {
    /// Over all publishers together.
    package var rate: Rate
    package var arrival: Arrival
    package var publishers: Int
    /// The bytes of a message with its stamp.
    package var payload: Int
    package var channel: ChannelName

    package init(rate: Rate) {
        self.rate = rate
        self.arrival = .poisson
        self.publishers = 1
        self.payload = 256
        self.channel = .events
    }
}

/// Updates of the engine's status.
package struct EngineStatusSpec: Hashable, Sendable {
    package var rate: Rate
    package var arrival: Arrival

    package init(rate: Rate) {
        self.rate = rate
        self.arrival = .poisson
    }
}
