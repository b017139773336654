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
