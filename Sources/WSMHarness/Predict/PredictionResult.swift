package import Foundation
internal import WSMRecord

/// What scenarios are predicted to show, and, where they were checked, what they showed: schema `wsmlab.predict/1`.
package struct PredictionResult: Codable, Equatable, Sendable {
    package static let schemaName = "wsmlab.predict/1"

    /// The figures of one run that are compared; times in nanoseconds.
    package struct Figures: Codable, Equatable, Sendable {
        package var p50: Double
        package var p90: Double
        package var p99: Double
        package var p999: Double
        package var deliveriesPerSecond: Double
        /// The part of the cores' time that instances, Redis and load generator used.
        package var utilisation: Double
    }

    /// The highest load that is carried, in messages a second.
    package struct Capacity: Codable, Equatable, Sendable {
        package var predicted: Double?
        package var live: Double?
    }

    package struct Entry: Codable, Equatable, Sendable {
        package var name: String
        package var scenario: String
        package var predicted: Figures
        /// The middle figures of the live runs; `nil` where there was no check.
        package var live: Figures?
        /// Why the live runs say nothing; `nil` for those that do.
        package var spoiled: String?
        /// Whether they used more of the cores than the model promises anything for.
        package var isBeyondBound: Bool
        package var capacity: Capacity?
    }

    /// How near the predictions came, over all scenarios that count.
    package struct Goal: Codable, Equatable, Sendable {
        /// `p50`, `p99` or `capacity`.
        package var figure: String
        /// The largest relative error that is good enough, in the middle of the scenarios.
        package var bound: Double
        /// `nil` where no scenario tells.
        package var medianError: Double?
        package var scenarios: Int
        package var isMet: Bool { medianError.map { $0 <= bound } ?? false }
    }

    package enum Verdict: String, Codable, Sendable {
        /// Nothing was checked.
        case predicted
        case within
        case outside
        case inconclusive
    }

    /// Live runs above this part of the cores' time do not count: there the load generator disturbs what it measures.
    package static let utilisationBound = 0.7

    package var schema = PredictionResult.schemaName
    package var startedAt: String
    /// The calibration's file.
    package var calibration: String
    package var calibratedAt: String
    package var entries: [Entry]
    package var goals: [Goal] = []
    package var verdict = Verdict.predicted
    package var interrupted = false
    package var environment: RunEnvironment

    package init(startedAt: String, calibration: NamedCalibration, entries: [Entry]) {
        self.startedAt = startedAt
        self.calibration = calibration.file
        calibratedAt = calibration.calibration.madeAt
        self.entries = entries
        environment = .current()
    }

    package func json() throws -> Data { try documentJSON() }

    package var exitCode: Int32 {
        if interrupted { return ExitCode.interrupted.rawValue }
        return switch verdict {
        case .predicted, .within: ExitCode.passed.rawValue
        case .outside: ExitCode.thresholdMissed.rawValue
        case .inconclusive: ExitCode.inconclusive.rawValue
        }
    }

    /// Sets ``goals`` and ``verdict`` from the entries that were checked.
    package mutating func judge() {
        let counted = entries.filter { $0.live != nil && $0.spoiled == nil && !$0.isBeyondBound }
        goals = [
            Self.goal("p50", 0.15, counted.compactMap { Self.error($0.predicted.p50, $0.live?.p50) }),
            Self.goal("p99", 0.25, counted.compactMap { Self.error($0.predicted.p99, $0.live?.p99) }),
        ]
        let capacities = entries.compactMap { $0.capacity.flatMap { Self.error($0.predicted, $0.live) } }
        if entries.contains(where: { $0.capacity != nil }) { goals.append(Self.goal("capacity", 0.10, capacities)) }
        if goals.contains(where: { $0.medianError == nil }) {
            verdict = .inconclusive
        } else {
            verdict = goals.allSatisfy(\.isMet) ? .within : .outside
        }
    }

    /// How far a prediction lies from what was measured, as a part of that, with its sign; `nil` where one is missing.
    package static func deviation(_ predicted: Double?, _ live: Double?) -> Double? {
        guard let predicted, let live, live > 0 else { return nil }
        return predicted / live - 1
    }

    private static func error(_ predicted: Double?, _ live: Double?) -> Double? {
        deviation(predicted, live).map(abs)
    }

    private static func goal(_ figure: String, _ bound: Double, _ errors: [Double]) -> Goal {
        Goal(figure: figure, bound: bound, medianError: Quantile.median(errors), scenarios: errors.count)
    }
}

extension PredictionResult.Figures {
    /// What a run shows.
    init(_ result: RunResult, cores: Int) {
        let seconds = Double(result.durationNanoseconds) / 1e9
        let used: Double
        if let simulation = result.simulation {
            used = simulation.instancesCPUSeconds + simulation.redisCPUSeconds + simulation.clientsCPUSeconds
        } else {
            let resources = result.resources
            let parts = resources.instances + resources.clients + (resources.workers ?? [])
            used = parts.reduce(resources.redis?.cpuSeconds ?? 0) { $0 + $1.cpuSeconds }
        }
        self.init(
            p50: Double(result.latency.p50), p90: Double(result.latency.p90), p99: Double(result.latency.p99),
            p999: Double(result.latency.p999), deliveriesPerSecond: result.delivery.perSecond,
            utilisation: seconds > 0 ? used / seconds / Double(max(1, cores)) : 0)
    }

    /// The middle of each figure.
    init(middleOf runs: [Self]) {
        func middle(_ path: (Self) -> Double) -> Double { Quantile.median(runs.map(path)) ?? 0 }
        self.init(
            p50: middle(\.p50), p90: middle(\.p90), p99: middle(\.p99), p999: middle(\.p999),
            deliveriesPerSecond: middle(\.deliveriesPerSecond), utilisation: middle(\.utilisation))
    }
}
