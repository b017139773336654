internal import Foundation
internal import WSMCore
internal import WSMScenario
internal import WSMVerify

/// Runs of a build held against a baseline: a pure function of both.
package struct BaselineComparison: Sendable {
    /// Something that got worse.
    struct Finding: Hashable, Sendable {
        var subject: String
        var text: String
    }

    /// Certain, however few runs.
    private(set) var certain: [Finding] = []
    /// To be seen again.
    private(set) var suspicious: [Finding] = []
    /// Why the runs cannot be held against it.
    private(set) var obstacles: [String] = []
    private(set) var notes: [String] = []
    private(set) var counts: [GateCount] = []
    private(set) var metrics: [GateMetric] = []
    private(set) var guarantees: [GateGuarantee] = []

    private let baseline: GateBaseline
    private let runs: [RunResult]
    private let scenario: Scenario

    /// - Parameter runs: None of them INVALID.
    init(_ baseline: GateBaseline, runs: [RunResult], scenario: Scenario) {
        self.baseline = baseline
        self.runs = runs
        self.scenario = scenario
        guard !runs.isEmpty else {
            obstacles = ["nothing was measured"]
            return
        }
        for count in BaselineCount.all { check(count) }
        if scenario.isDisturbed { checkAudience() }
        checkGuarantees()
        for ratio in BaselineRatio.all { check(ratio) }
        checkTimes()
        checkTrace()
    }

    /// How much worse an absolute time may be than when the baseline was written: twice what builds in turns are held to, for
    /// a machine is not the same every day.
    static func margin(_ figure: GateFigure, _ value: Double) -> Double { max(2 * figure.margin(of: value), 0.25) }

    // MARK: Counts

    private mutating func check(_ count: BaselineCount) {
        let values = runs.compactMap { MetricLookup.value(at: count.path, in: $0) }
        guard let before = baseline.counts[count.path].map(Double.init) else {
            if let now = Quantile.median(values) { add(count.path, .missing, nil, now) }
            return
        }
        guard values.count == runs.count, let now = Quantile.median(values) else {
            obstacles.append("\(count.path) has no value now, and the baseline has one")
            return add(count.path, .missing, before, nil)
        }
        let worst = values.max { abs($0 - before) < abs($1 - before) } ?? now
        let change = "\(count.path) is \(Int(worst)), and \(Int(before)) in the baseline"
        switch count.rule {
        case .planned where scenario.isDisturbed: add(count.path, worst == before ? .same : .within, before, now)
        case .planned:
            if worst != before {
                certain.append(
                    Finding(
                        subject: count.path,
                        text:
                            "\(change): the plan decides it, so something is done otherwise; if that is meant, --update"
                    ))
            }
            add(count.path, worst == before ? .same : .worse, before, now)
        case .mishap: mishap(count, before, values, change)
        case .effort(let tolerance, let floor):
            let isMore = now > before + max(before * tolerance, floor)
            if isMore { suspicious.append(Finding(subject: count.path, text: change)) }
            let isLess = now < before - max(before * tolerance, floor)
            if isLess { notes.append("\(change): if that is meant, --update") }
            add(count.path, isMore ? .worse : isLess ? .better : now == before ? .same : .within, before, now)
        }
    }

    /// Without disturbance nothing may go wrong that did not go wrong before; with it, how much does is a matter of time.
    private mutating func mishap(_ count: BaselineCount, _ before: Double, _ values: [Double], _ change: String) {
        let most = values.max() ?? 0
        let now = Quantile.median(values) ?? 0
        let isUnexplained = count.path.hasSuffix(".\(LossCause.unexplained.rawValue)")
        let tolerated = scenario.isDisturbed && before > 0 && !isUnexplained ? before * 2 : before
        guard most > tolerated else {
            return add(count.path, most == before ? .same : most < before ? .better : .within, before, now)
        }
        let finding = Finding(subject: count.path, text: change)
        if isUnexplained { certain.append(finding) } else { suspicious.append(finding) }
        add(count.path, .worse, before, now)
    }

    /// How much longer or shorter a client may be away between two sessions than when the baseline was written.
    private static let absence = TimeSpan.milliseconds(250)

    /// Checks how many deliveries clients were asked for that leave and come back.
    ///
    /// They miss, or are not asked for, what is published in between: each session that ended may change the count by what is
    /// published in ``absence``. Faults take away how much they take away.
    private mutating func checkAudience() {
        guard scenario.faults.isEmpty, let expected = baseline.counts["delivery.expected"],
            let missed = baseline.counts["delivery.missedOffline"],
            let published = baseline.counts["delivery.published"]
        else { return }
        let sessions = max(1, scenario.clients.churn.perSecond * scenario.loadDuration.seconds)
        let perAbsence = Double(published) / max(1e-9, scenario.duration.seconds) * Self.absence.seconds
        let tolerated = (sessions * max(1, perAbsence)).rounded(.up)
        for run in runs {
            let sum = run.delivery.expected + run.delivery.missedOffline
            guard abs(Double(sum - expected - missed)) > tolerated else { continue }
            suspicious.append(
                Finding(
                    subject: "delivery.expected",
                    text:
                        "expected and missed deliveries together are \(sum), and \(expected + missed) in the baseline "
                        + "(\(Int(tolerated)) more or less come from churn)"))
            return
        }
    }

    private mutating func add(_ path: String, _ verdict: GateCount.Verdict, _ old: Double?, _ new: Double?) {
        counts.append(GateCount(path: path, verdict: verdict, old: old, new: new))
    }

    // MARK: Guarantees

    private mutating func checkGuarantees() {
        var ids = runs.flatMap { $0.guarantees.map(\.id) }
        ids += baseline.guarantees.keys.sorted()
        for id in ids where !guarantees.contains(where: { $0.id == id }) {
            let known = runs.compactMap { $0.guarantee(id) }
            let broken = known.first { $0.verdict == .violated }
            let row = GateGuarantee(
                id: id, expected: known.first?.expected ?? .any, old: baseline.guarantees[id] ?? .unknown,
                new: GuaranteeTally.worst(id, in: runs), witness: broken?.witness)
            guarantees.append(row)
            check(row)
        }
    }

    private mutating func check(_ row: GateGuarantee) {
        switch (row.old, row.new) {
        case (.holds, .violated) where row.expected != .any, (.unknown, .violated) where row.expected == .holds:
            let finding = Finding(
                subject: row.id, text: "\(row.id) is violated" + (row.witness.map { ": \($0)" } ?? ""))
            if GuaranteeTally.timed.contains(row.id) { suspicious.append(finding) } else { certain.append(finding) }
        case (.holds, .unknown) where row.expected != .any:
            obstacles.append("\(row.id) is unknown, and held in the baseline")
        case (.violated, .holds):
            notes.append("\(row.id) holds, and was violated in the baseline: if that is meant, --update")
        default: break
        }
    }

    // MARK: Times

    private mutating func check(_ ratio: BaselineRatio) {
        guard let before = baseline.ratios[ratio.path] else { return }
        judge(ratio.path, before, runs.compactMap { ratio.value(in: $0) }, ratio.tolerance)
    }

    private mutating func checkTimes() {
        guard let machine = baseline.machine else { return }
        guard machine.id == MachineIdentity.current else {
            notes.append("the baseline's times are of another machine, and not compared")
            return
        }
        for figure in GateFigure.of(scenario) where figure.reference == nil {
            guard let before = machine.times[figure.path] else { continue }
            let values = runs.compactMap { figure.value(in: $0) }
            judge(figure.path, before, values, Self.margin(figure, before))
        }
    }

    private mutating func judge(_ path: String, _ before: Double, _ values: [Double], _ tolerance: Double) {
        guard values.count == runs.count, let now = Quantile.median(values) else {
            obstacles.append("\(path) has no samples now, and the baseline has some")
            metrics.append(GateMetric(path: path, verdict: .missing, tolerance: tolerance, old: before))
            return
        }
        let ratio = now / before
        let isWorse = ratio > 1 + tolerance
        if isWorse {
            suspicious.append(
                Finding(
                    subject: path,
                    text: "\(path) is \(Int((ratio * 100).rounded())) % of the baseline's "
                        + "(\(Int(((1 + tolerance) * 100).rounded())) % are tolerated)"))
        }
        let isBetter = ratio < 1 / (1 + tolerance)
        if isBetter { notes.append("\(path) is far better than in the baseline: --update keeps it so") }
        metrics.append(
            GateMetric(
                path: path, verdict: isWorse ? .worse : isBetter ? .better : .within, tolerance: tolerance, old: before,
                new: now, ratio: ratio))
    }

    private mutating func checkTrace() {
        guard let before = baseline.traceHash else { return }
        guard let hash = runs.first?.traceHash else {
            return obstacles.append("the run has no trace hash, and the baseline has one")
        }
        guard hash != before else { return }
        certain.append(Finding(subject: "traceHash", text: "the simulation took another course than the baseline's"))
    }
}
