package import Foundation

/// How much load a system carries, and the curve up to there: `capacity.json`, schema `wsmlab.capacity/1`.
///
/// Loads are in ``unit``, times are nanoseconds. Fields may be added; none changes its meaning.
package struct CapacityResult: Codable, Equatable, Sendable {
    package static let schemaName = "wsmlab.capacity/1"

    package enum Verdict: String, Codable, Sendable, CaseIterable {
        /// The highest load that is carried was found, and what is exhausted above it is the system's own.
        case found
        /// Everything that could be tried was carried: the system carries at least that.
        case ceiling
        /// Even the lowest load that was tried was not carried.
        case nothing
        /// What ended the search was not the system: the load generator was exhausted, or runs did not show enough.
        case refused
        /// The search ran out of time or steps, or was interrupted, before the bracket was narrow enough.
        case unsettled
    }

    /// The highest load that delivers everything within the limit.
    package struct Knee: Codable, Equatable, Sendable {
        package var load: Double
        /// The median of the runs at this load.
        package var deliveriesPerSecond: Double

        package init(load: Double, deliveriesPerSecond: Double) {
            self.load = load
            self.deliveriesPerSecond = deliveriesPerSecond
        }
    }

    /// Between which loads the system's limit lies, as far as it was shown.
    package struct Bracket: Codable, Equatable, Sendable {
        /// The highest load that was carried; `nil`: none was.
        package var carried: Double?
        /// The lowest load above it that was not carried; `nil`: none was missed.
        package var missed: Double?

        package init(carried: Double? = nil, missed: Double? = nil) {
            self.carried = carried
            self.missed = missed
        }
    }

    package var schema = CapacityResult.schemaName
    /// The scenario's name.
    package var name: String
    /// The wall clock at the start, ISO 8601 in UTC.
    package var startedAt: String
    package var vary: CapacityVariable
    /// What a load counts: `messages/s`, `clients` or `instances`.
    package var unit: String
    /// The condition beside "everything is delivered": `latency.p99 < 100ms`.
    package var limit: String
    /// The search ends when the missed load is at most this part above the carried one, or one client or instance.
    package var tolerance: Double
    /// The most runs of each step; the majority decides.
    package var repeats: Int
    package var verdict: Verdict
    /// What was found, or why nothing was, in one sentence without its full stop.
    package var reason: String
    /// `nil` wherever ``verdict`` is not `found`.
    package var knee: Knee?
    package var bracket: Bracket
    /// What is exhausted at the missed load: the name of a ``CapacityResource``; `nil` where no load was missed.
    package var exhausted: String?
    /// By which figures ``exhausted`` was told, one sentence each.
    package var evidence: [String]
    /// The curve: a point for each load that was run, by rising load.
    package var points: [CapacityPoint]
    /// What a client, an instance and a message cost, fitted to ``points``.
    package var costs: [CostModel]
    /// What a reader must know of the numbers, one sentence each.
    package var warnings: [String]
    package var interrupted: Bool
    package var exitCode: Int32
    package var environment: RunEnvironment

    package init(
        name: String, startedAt: String, vary: CapacityVariable, limit: String, tolerance: Double, repeats: Int,
        environment: RunEnvironment
    ) {
        self.name = name
        self.startedAt = startedAt
        self.vary = vary
        unit = vary.unit
        self.limit = limit
        self.tolerance = tolerance
        self.repeats = repeats
        verdict = .unsettled
        reason = ""
        bracket = Bracket()
        evidence = []
        points = []
        costs = []
        warnings = []
        interrupted = false
        exitCode = ExitCode.inconclusive.rawValue
        self.environment = environment
    }
}

/// One load on the curve.
package struct CapacityPoint: Codable, Equatable, Sendable {
    /// One run at it.
    package struct Run: Codable, Equatable, Sendable {
        /// The run folder, relative to the capacity's.
        package var folder: String
        package var outcome: StepOutcome
        /// Why it was not carried, or not judged; `nil` for one that was carried.
        package var reason: String?
        package var publishedPerSecond: Double
        package var deliveriesPerSecond: Double
        package var p50: Int64?
        package var p99: Int64?
        package var lost: Int
        package var cpu: Double?
    }

    package var load: Double
    /// What the majority of the runs says.
    package var outcome: StepOutcome
    /// The reason of the first run that says so; `nil` for a load that was carried.
    package var reason: String?
    /// Medians of the runs.
    package var deliveriesPerSecond: Double
    /// Latency from the intended instant; `nil` without samples.
    package var p50: Int64?
    package var p99: Int64?
    /// The most that a run lost.
    package var lost: Int
    /// Processors that the system under test kept busy: CPU seconds a second of instances, workers and Redis; `nil` where
    /// nobody sees them.
    package var cpu: Double?
    package var runs: [Run]

    package init(load: Double, outcome: StepOutcome, reason: String? = nil, runs: [Run]) {
        self.load = load
        self.outcome = outcome
        self.reason = reason
        self.runs = runs
        deliveriesPerSecond = Self.median(runs.map(\.deliveriesPerSecond)) ?? 0
        p50 = Self.median(runs.compactMap(\.p50).map(Double.init)).map { Int64($0) }
        p99 = Self.median(runs.compactMap(\.p99).map(Double.init)).map { Int64($0) }
        lost = runs.map(\.lost).max() ?? 0
        cpu = Self.median(runs.compactMap(\.cpu))
    }

    private static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}

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
    case redis
    /// The Redis connections that an instance may hold.
    case redisConnections = "redis-connections"
    case broadcastThread = "broadcast-thread"
    case threadPool = "thread-pool"
    case instanceLoop = "instance-loop"
    case clientSockets = "client-sockets"
    /// All processors of the machine, by the system and the load generator together.
    case machine
    /// A system that is seen from outside only.
    case target
    /// No figure tells.
    case unknown
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

/// What one resource costs, as a sum of terms, fitted to the runs of the curve.
package struct CostModel: Codable, Equatable, Sendable {
    package enum Quantity: String, Codable, Sendable, CaseIterable {
        /// CPU seconds a second of the instances and their workers.
        case instanceCPU
        /// CPU seconds a second of Redis.
        case redisCPU
        /// Resident bytes of the instances' processes, and of the load generator where it shares theirs.
        case memory
        case redisConnections
    }

    /// What a term is multiplied by.
    package enum Driver: String, Codable, Sendable, CaseIterable {
        /// One: what is there at any load.
        case fixed
        case instance
        case client
        /// A published message (a second, where the quantity is one).
        case publish
        /// A delivered message (a second, where the quantity is one).
        case delivery
    }

    package struct Term: Codable, Equatable, Sendable {
        package var per: Driver
        /// CPU seconds, bytes or connections; never negative.
        package var value: Double
    }

    /// A driver that the curve cannot tell apart from others, so that it has no number.
    package struct Inseparable: Codable, Equatable, Sendable {
        package var driver: Driver
        /// Those that it moved together with; their terms hold its cost too.
        package var from: [Driver]
    }

    package var quantity: Quantity
    package var terms: [Term]
    package var inseparable: [Inseparable]
    /// Runs that it was fitted to.
    package var observations: Int
    /// The root of the mean square of what is left over, as a part of the mean.
    package var relativeError: Double
    /// The same where each load in turn is left out of the fit and then predicted.
    package var leaveOneOutError: Double
}

extension CapacityResult {
    /// The bytes of `capacity.json`; the same for the same result.
    package func json() throws -> Data { try documentJSON() }

    /// Reads a stored result.
    package init(json data: Data) throws {
        let stored: CapacityResult
        do {
            stored = try JSONDecoder().decode(CapacityResult.self, from: data)
        } catch {
            throw HarnessError(.invalidData, "this is not the result of wsmlab capacity", cause: error)
        }
        guard stored.schema == Self.schemaName else {
            throw HarnessError(
                .invalidData, "the result's schema is \(stored.schema), and this program reads \(Self.schemaName)")
        }
        self = stored
    }
}
