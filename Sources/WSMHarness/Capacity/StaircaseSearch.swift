internal import Foundation

/// Looks for the highest load that is carried: doubles the load until one is not, then halves the bracket.
///
/// A plain state machine: whoever drives it asks ``next()``, measures, and tells it with ``record(_:at:)``. It ends after at
/// most ``Settings/runLimit`` runs, whatever it is told.
///
/// A load counts as carried or missed only when the majority of its runs says so, so that one unlucky run (or one lucky one)
/// turns nothing. It is not taken for granted that what carries much carries less: each answer is about the load that was
/// run, and the result names the bracket whose two ends were both measured. A load that cannot be judged (the load generator
/// was at its end) bounds the search as a missed one does, since the system's own limit may still lie below it.
package struct StaircaseSearch: Sendable {
    package struct Settings: Hashable, Sendable {
        /// The load that is tried first.
        package var start: Double
        /// The lowest that makes sense, and the highest that can be tried.
        package var floor: Double
        package var ceiling: Double
        /// Whether loads are whole numbers.
        package var isWhole: Bool
        /// The factor between steps; above 1.
        package var growth = 2.0
        /// How far apart the ends of the bracket may be in the end, as a part of the lower one.
        package var tolerance = 0.05
        /// The most runs of a load; odd.
        package var repeats = 3
        /// The most runs in all.
        package var runLimit = 200

        package init(start: Double, floor: Double, ceiling: Double, isWhole: Bool) {
            self.start = start
            self.floor = floor
            self.ceiling = ceiling
            self.isWhole = isWhole
        }
    }

    package enum Action: Equatable, Sendable {
        case measure(load: Double)
        case done(End)
    }

    /// Why the search is over.
    package enum End: Equatable, Sendable {
        /// The bracket is narrow enough.
        case found(carried: Double, missed: Double)
        /// The highest load that can be tried was carried.
        case ceiling(Double)
        /// The lowest load was missed.
        case nothing(missed: Double)
        /// The bracket is narrow enough, or its lower end the lowest load, but its upper end could not be judged.
        case notJudged(load: Double)
        case outOfRuns
    }

    private let settings: Settings
    private var outcomes: [Double: [StepOutcome]] = [:]
    private var load: Double
    private var runs = 0
    /// The highest load that was carried.
    package private(set) var carried: Double?
    /// The lowest load above it that was missed.
    package private(set) var missed: Double?
    /// The lowest load above it that could not be judged.
    package private(set) var notJudged: Double?
    private var end: End?

    package init(_ settings: Settings) {
        self.settings = settings
        load = min(max(settings.start, settings.floor), settings.ceiling)
        if settings.isWhole { load = load.rounded() }
    }

    /// What to do now; the same until something is recorded.
    package func next() -> Action {
        if let end { return .done(end) }
        return runs < settings.runLimit ? .measure(load: load) : .done(.outOfRuns)
    }

    /// How many runs the current load has had.
    package var runsOfStep: Int { outcomes[load]?.count ?? 0 }

    /// Takes in what a run at `load` showed.
    package mutating func record(_ outcome: StepOutcome, at load: Double) {
        guard end == nil, load == self.load else { return }
        runs += 1
        outcomes[load, default: []].append(outcome)
        if let verdict = Self.verdict(outcomes[load] ?? [], repeats: settings.repeats) { settle(verdict) }
    }

    /// What the runs of a load come to; `nil` as long as more of them could change it.
    ///
    /// Where all runs are done and none of the three answers has the majority, the load is not judged.
    package static func verdict(_ outcomes: [StepOutcome], repeats: Int) -> StepOutcome? {
        let majority = repeats / 2 + 1
        for verdict in StepOutcome.allCases where outcomes.count(where: { $0 == verdict }) >= majority {
            return verdict
        }
        return outcomes.count >= repeats ? .notJudged : nil
    }

    private mutating func settle(_ outcome: StepOutcome) {
        switch outcome {
        case .carried: carried = load
        case .missed: missed = load
        case .notJudged: notJudged = load
        }
        let bound = [missed, notJudged].compactMap { $0 }.min()
        switch (carried, bound) {
        case (let low?, let high?): bisect(low, high)
        case (let low?, nil): climb(from: low)
        case (nil, let high?): descend(from: high)
        case (nil, nil): break
        }
    }

    private mutating func climb(from low: Double) {
        guard low < settings.ceiling else {
            end = .ceiling(low)
            return
        }
        load = min(settings.ceiling, rounded(low * settings.growth, .up))
    }

    private mutating func descend(from high: Double) {
        guard high > settings.floor else {
            end = notJudged == high ? .notJudged(load: high) : .nothing(missed: high)
            return
        }
        // In large steps: where the first load is missed, nobody knows how far down the answer lies.
        load = max(settings.floor, rounded(high / (settings.growth * settings.growth), .down))
    }

    /// Loads are compared by their ratio, so the middle is the geometric one.
    private mutating func bisect(_ low: Double, _ high: Double) {
        let middle = rounded((low * high).squareRoot(), .toNearestOrEven)
        guard high > low * (1 + settings.tolerance), middle > low, middle < high else {
            end = notJudged == high ? .notJudged(load: high) : .found(carried: low, missed: high)
            return
        }
        load = middle
    }

    private func rounded(_ load: Double, _ rule: FloatingPointRoundingRule) -> Double {
        guard !settings.isWhole else { return load.rounded(rule) }
        // Four digits: finer steps than any tolerance asks for, and loads that people can read.
        let unit = pow(10, log10(load).rounded(.down) - 3)
        return (load / unit).rounded() * unit
    }
}
