internal import Foundation

/// The figures of a gate over some rounds, each estimated for the new build and for the old one against itself.
struct GateTable {
    private struct Row {
        var figure: GateFigure
        var old: Double
        var new: Double
        var again: Double
        /// The logarithm of the growth that is tolerated.
        var margin: Double
        var estimate: GateEstimate
        var control: GateEstimate
    }

    private let rows: [Row]
    private let absent: [GateFigure]
    private let rounds: Int
    /// Why the table is not enough to judge by; `nil` when it is.
    let missing: String?

    /// - Parameter rounds: At least two.
    init(_ figures: [GateFigure], rounds: [GateRound]) {
        var rows: [Row] = []
        var absent: [GateFigure] = []
        var missing: String?
        for figure in figures {
            let values = rounds.compactMap { $0.values(of: figure) }
            guard values.count == rounds.count, values.allSatisfy(\.isPositive), rounds.count >= 2 else {
                absent.append(figure)
                // A figure that no run has (a Redis on another machine) is no figure of this scenario, unless it is named.
                let isAnywhere = rounds.contains { round in
                    [round.old, round.new, round.again].contains { figure.value(in: $0) != nil }
                }
                if missing == nil, figure.isNamed || isAnywhere {
                    missing = "\(figure.path) has no samples in some of the runs: there is nothing to judge it by"
                }
                continue
            }
            rows.append(Self.row(figure, values))
        }
        if rows.isEmpty, missing == nil { missing = "no figure has samples: there is nothing to judge by" }
        self.rows = rows
        self.absent = absent
        self.missing = missing
        self.rounds = rounds.count
    }

    private static func row(_ figure: GateFigure, _ values: [GateValues]) -> Row {
        let before = Quantile.median(values.flatMap { [$0.old, $0.again] }) ?? 0
        return Row(
            figure: figure, old: before, new: Quantile.median(values.map(\.new)) ?? 0,
            again: Quantile.median(values.map(\.again)) ?? 0, margin: log1p(figure.margin(of: before)),
            estimate: .ofNew(values), control: .ofControl(values))
    }

    /// The figures that can be judged.
    var judged: [GateFigure] { rows.map(\.figure) }

    private func row(_ figure: GateFigure) -> Row? { rows.first { $0.figure.path == figure.path } }

    // MARK: Verdicts

    /// Worse by more than is tolerated, and not by chance.
    func isWorse(_ figure: GateFigure, alpha: Double) -> Bool {
        guard let row = row(figure), row.estimate.effect > row.margin else { return false }
        return row.estimate.isWorse(alpha: alpha)
    }

    /// Whether a difference beyond the tolerance is ruled out, by an interval that is narrow enough to have found one.
    ///
    /// A wide interval may lie below the tolerance by luck: it counts only where all of it says *better*.
    func isWithin(_ figure: GateFigure) -> Bool { row(figure).map(Self.isWithin) ?? false }

    private static func isWithin(_ row: Row) -> Bool {
        let high = log(row.estimate.interval().high)
        return high < row.margin && (high - row.estimate.effect <= row.margin || high < 0)
    }

    /// The figures in which the old build differs from itself by more than is tolerated, and not by chance.
    func firing(level: Double) -> [GateFigure] {
        let each = level / Double(max(1, rows.count))
        return rows.filter { abs($0.control.effect) > $0.margin && $0.control.isDifferent(alpha: each) }.map(\.figure)
    }

    // MARK: Words

    var summary: String {
        let names = rows.count == 1 ? "1 figure" : "all \(rows.count) figures"
        return "\(names) within tolerance over \(rounds) rounds, and nothing lost that was not lost before"
    }

    func charge(_ figure: GateFigure) -> String {
        guard let row = row(figure) else { return figure.path }
        return "\(figure.path) is \(percent(row.estimate.ratio - 1)) worse (tolerated \(percent(expm1(row.margin)))), "
            + "and fresh rounds confirm it"
    }

    func doubt(_ figure: GateFigure) -> String {
        guard let row = row(figure) else { return figure.path }
        let (low, high) = row.estimate.interval()
        return
            "\(figure.path) is between \(signed(low - 1)) and \(signed(high - 1)), and \(percent(expm1(row.margin))) is "
            + "tolerated: give it more --rounds, a quieter machine, or a wider expect.tolerances"
    }

    private func percent(_ part: Double) -> String { "\(rounded(part)) %" }
    private func signed(_ part: Double) -> String { part >= 0 ? "+\(percent(part))" : percent(part) }
    /// Whole per cents where there are ten, else one place after the point.
    private func rounded(_ part: Double) -> String {
        let value = part * 100
        return abs(value) >= 10 ? "\(Int(max(-1e9, min(1e9, value)).rounded()))" : "\((value * 10).rounded() / 10)"
    }

    // MARK: Results

    /// The figures of the new build for `gate.json`.
    ///
    /// - Parameters:
    ///   - convicted: Those that made the gate red.
    ///   - fresh: The rounds that confirmed a suspicion, or did not.
    func metrics(convicted: Set<String>, fresh: [GateRound]) -> [GateMetric] {
        let again = fresh.count >= 2 ? GateTable(rows.map(\.figure), rounds: fresh) : nil
        return rows.map { row in
            let path = row.figure.path
            var metric = metric(
                row, row.estimate, new: row.new,
                verdict: convicted.contains(path) ? .worse : verdict(row))
            metric.freshRatio = again?.row(row.figure)?.estimate.ratio
            return metric
        } + absent.map { GateMetric(path: $0.path, verdict: .missing, tolerance: $0.tolerance) }
    }

    /// The figures of the old build against itself.
    func control(level: Double) -> GateControl {
        let firing = Set(firing(level: level).map(\.path))
        var control = GateControl()
        control.fired = !firing.isEmpty
        control.metrics = rows.map { row in
            metric(row, row.control, new: row.again, verdict: firing.contains(row.figure.path) ? .worse : .within)
        }
        return control
    }

    private func verdict(_ row: Row) -> GateMetric.Verdict {
        let (low, high) = row.estimate.interval()
        // As much better as would be a suspicion the other way.
        if log(high) < -row.margin { return .better }
        return Self.isWithin(row) ? .within : log(low) > row.margin ? .worse : .undecided
    }

    private func metric(
        _ row: Row, _ estimate: GateEstimate, new: Double, verdict: GateMetric.Verdict
    ) -> GateMetric {
        let (low, high) = estimate.interval()
        return GateMetric(
            path: row.figure.path, verdict: verdict, tolerance: expm1(row.margin), old: row.old, new: new,
            ratio: estimate.ratio, low: low, high: high.isFinite ? high : nil)
    }
}
