internal import WSMClients
internal import WSMCore
internal import WSMRedis

/// What a process of a run is to be.
///
/// The plan is not in it: it is drawn from the scenario and the seed, and every process draws the same.
struct ChildAssignment: Sendable, Codable {
    /// The scenario as run, in YAML.
    var scenario: String
    /// What the parts of the run trust each other by.
    var security: PartSecurity
    /// Tells the run's messages from those of others on the same broker.
    var run: UInt32
    var role: Role

    enum Role: Sendable, Codable {
        case instance(InstanceAssignment)
        case worker(WorkerAssignment)
        case clients(FleetAssignment)
    }
}

/// One instance with its part of the load.
struct InstanceAssignment: Sendable, Codable {
    var index: Int
    /// 0 for a free one.
    var port: Int
    /// `nil` in memory.
    var redis: RedisTopology?
    /// The file that the journal goes into.
    var journal: String
    /// What the instance's publishers had submitted in its lives before this one.
    var submitted: [SubmittedCount]
}

/// The worker process of one instance: it runs the steps of the instance's processes, and publishes them itself.
struct WorkerAssignment: Sendable, Codable {
    var index: Int
    var redis: RedisTopology
    var journal: String
}

/// A part of the clients.
struct FleetAssignment: Sendable, Codable {
    /// It has the clients whose numbers give `index` when divided by `parts`.
    var index: Int
    var parts: Int
    /// Where each instance is found, on 127.0.0.1.
    var ports: [Int]
    /// The file that what they receive goes into.
    var trace: String
}
