internal import WSMScenario
internal import WSMVerify

/// What rounds of old and new runs show by counting alone.
///
/// Counts have no noise to average out, so a difference needs no statistics: some are a regression at once, and those that an
/// accident of the machine can bring about are suspicions, which fresh rounds have to repeat.
struct GateCounts {
    /// Something that got worse, in words that go on from "the new build".
    struct Finding: Hashable {
        /// What it is about: the same in the first rounds and in the fresh ones.
        var subject: String
        var text: String
    }

    /// Certain, however few rounds.
    private(set) var certain: [Finding] = []
    /// To be seen again.
    private(set) var suspicious: [Finding] = []
    /// Why the two builds cannot be compared at all.
    private(set) var obstacles: [String] = []
    private(set) var table: [GateCount] = []
    private(set) var guarantees: [GateGuarantee]

    private let rounds: [GateRound]
    private var old: [RunResult] { rounds.flatMap { [$0.old, $0.again] } }
    private var new: [RunResult] { rounds.map(\.new) }

    init(_ rounds: [GateRound]) {
        self.rounds = rounds
        guarantees = GuaranteeTally.compare(old: rounds.flatMap { [$0.old, $0.again] }, new: rounds.map(\.new))
        guard !rounds.isEmpty else { return }
        checkPublished()
        checkLosses()
        for path in ["delivery.duplicated", "delivery.reordered"] { checkMishaps(path) }
        checkGuarantees()
        for effort in Self.efforts { check(effort) }
    }

    // MARK: What was asked of both

    /// Both draw the same plan from the same seed: who publishes less does less work, and its times say nothing.
    private mutating func checkPublished() {
        let path = "delivery.published"
        let known = Set(old.map(\.delivery.published))
        let found = Set(new.map(\.delivery.published))
        add(path, known == found ? .same : found.allSatisfy(known.contains) ? .within : .worse)
        guard known.count == 1, let planned = known.first, let other = found.first(where: { $0 != planned }) else {
            return
        }
        if other < planned {
            certain.append(
                Finding(subject: path, text: "publishes \(other) messages where the old one publishes \(planned)"))
        } else {
            obstacles.append(
                "the new build publishes \(other) messages where the old one publishes \(planned): they do not carry the "
                    + "same load, and cannot be compared")
        }
    }

    // MARK: What went wrong

    private mutating func checkLosses() {
        for cause in MetricCatalogue.lossCauses {
            let path = "delivery.lostByCause.\(cause)"
            let lost = sum(path, of: new)
            let known = sum(path, of: old)
            guard lost > 0 || known > 0 else { continue }
            let expected = new.reduce(0) { $0 + $1.delivery.expected }
            let finding = Finding(
                subject: path,
                text: "lost \(lost) of \(expected) deliveries (\(cause)), and the old one "
                    + (known == 0 ? "none" : "\(known) in twice as many runs"))
            judge(path, finding, isCertain: cause == "unexplained")
        }
        if !table.contains(where: { $0.path.hasPrefix("delivery.lostByCause") }) { add("delivery.lost", .same) }
    }

    /// Messages that came twice or out of order; where that is promised never to happen, a guarantee says so.
    private mutating func checkMishaps(_ path: String) {
        let name = path.split(separator: ".").last.map(String.init) ?? path
        judge(
            path,
            Finding(subject: path, text: "\(name) \(sum(path, of: new)) deliveries, the old one \(sum(path, of: old))"),
            isCertain: false)
    }

    /// Worse is what the old build never does, or does less of in each of its runs of each round.
    private mutating func judge(_ path: String, _ finding: Finding, isCertain: Bool) {
        let (lost, known) = (sum(path, of: new), sum(path, of: old))
        if known == 0, lost > 0 {
            if isCertain { certain.append(finding) } else { suspicious.append(finding) }
            add(path, .worse)
        } else if known > 0, isAbove(path, in: rounds, by: 0.25, and: 0) {
            suspicious.append(finding)
            add(path, .worse)
        } else {
            add(path, known == lost ? .same : lost == 0 ? .better : .within)
        }
    }

    private mutating func checkGuarantees() {
        for guarantee in guarantees {
            if guarantee.isNewlyViolated {
                let finding = Finding(
                    subject: guarantee.id,
                    text: "violates \(guarantee.id), which held" + (guarantee.witness.map { ": \($0)" } ?? ""))
                if GuaranteeTally.timed.contains(guarantee.id) {
                    suspicious.append(finding)
                } else {
                    certain.append(finding)
                }
            }
            if guarantee.expected == .holds, guarantee.old == .holds, guarantee.new == .unknown {
                obstacles.append("\(guarantee.id) is unknown with the new build, and held with the old one")
            }
        }
    }

    // MARK: What it took

    /// A count of work, and what may be added to it before anybody minds.
    private struct Effort {
        var path: String
        var tolerance: Double
        var floor: Double
    }

    /// Read at instants, so that a few more or less are chance.
    private static let efforts = [
        Effort(path: "resources.redis.commands", tolerance: 0.05, floor: 20),
        Effort(path: "resources.redis.bytesIn", tolerance: 0.05, floor: 8192),
        Effort(path: "resources.redis.bytesOut", tolerance: 0.05, floor: 8192),
        Effort(path: "resources.redis.connections", tolerance: 0.05, floor: 1),
    ]

    private mutating func check(_ effort: Effort) {
        guard let before = median(effort.path, of: old) else { return }
        guard let now = median(effort.path, of: new) else { return add(effort.path, .missing) }
        if isAbove(effort.path, in: rounds, by: effort.tolerance, and: effort.floor) {
            add(effort.path, .worse)
            let name = effort.path.split(separator: ".").last.map(String.init) ?? ""
            suspicious.append(
                Finding(
                    subject: effort.path,
                    text: "needs \(Int(now)) Redis \(Self.words[name] ?? name) where the old one needs \(Int(before))"))
        } else {
            add(effort.path, now == before ? .same : .within)
        }
    }

    private static let words = ["bytesIn": "bytes in", "bytesOut": "bytes out"]

    // MARK: Arithmetic

    /// Whether the new run is above both old ones of its round, by more than is tolerated, in every round.
    ///
    /// Of three runs of one build each is as likely as the others to be the highest, so that chance does this in at most
    /// 3⁻ᴿ of all cases, for R rounds.
    private func isAbove(_ path: String, in rounds: [GateRound], by tolerance: Double, and floor: Double) -> Bool {
        let figure = GateFigure(path: path, tolerance: tolerance)
        return rounds.allSatisfy { round in
            guard let values = round.values(of: figure) else { return false }
            let highest = max(values.old, values.again)
            return values.new > highest + max(highest * tolerance, floor)
        }
    }

    private func sum(_ path: String, of runs: [RunResult]) -> Int {
        Int(runs.reduce(0) { $0 + (MetricLookup.value(at: path, in: $1) ?? 0) })
    }

    private func median(_ path: String, of runs: [RunResult]) -> Double? {
        let values = runs.compactMap { MetricLookup.value(at: path, in: $0) }
        return values.count == runs.count ? Quantile.median(values) : nil
    }

    private mutating func add(_ path: String, _ verdict: GateCount.Verdict) {
        table.append(GateCount(path: path, verdict: verdict, old: median(path, of: old), new: median(path, of: new)))
    }
}
