/// What came of a run, or of a load.
package enum StepOutcome: String, Codable, Sendable, CaseIterable {
    /// Everything was delivered within the limit.
    case carried
    /// Something was lost, a promise broken, or the limit missed.
    case missed
    /// The run does not tell: the load generator spoiled it, or it showed too little.
    case notJudged = "not-judged"
}

/// What is exhausted first.
package enum CapacityResource: String, Codable, Sendable, CaseIterable {
    /// wsmlab itself: no number for the system follows.
    case generator
    /// Other programs that use the machine: no number for the system follows either.
    case otherPrograms = "other-programs"
    case redis
    /// The Redis connections that an instance may hold.
    case redisConnections = "redis-connections"
    case broadcastThread = "broadcast-thread"
    case threadPool = "thread-pool"
    /// Those who call `broadcastData`: each call waits for the one before it.
    case publishers
    case instanceLoop = "instance-loop"
    case clientSockets = "client-sockets"
    /// All processors of the machine, by the system and the load generator together.
    case machine
    /// A system that is seen from outside only.
    case target
    /// No figure tells.
    case unknown

    /// Whether it is no part of the system under test, so that what was missed says nothing of that.
    package var isOutside: Bool { self == .generator || self == .otherPrograms }
}

/// What a search turns up.
package enum CapacityVariable: String, Codable, Sendable, CaseIterable {
    case clients
    case rate
    case instances

    package var unit: String {
        switch self {
        case .clients: "clients"
        case .rate: "messages/s"
        case .instances: "instances"
        }
    }

    /// Whether only whole loads make sense.
    package var isWhole: Bool { self != .rate }
}
