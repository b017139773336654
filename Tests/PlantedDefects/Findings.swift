import WSMHarness
import WSMVerify

/// What the checkers and the ledger say of a run, or what they are expected to say.
///
/// Two of them are equal only when every checker and every column of the ledger agree, so that a false alarm shows as well
/// as a defect that was missed.
struct Findings: Equatable, Sendable {
    /// Violations by the guarantee's name; none is left out.
    private(set) var violations: [String: Int64] = [:]
    var lost: Int64 = 0
    var lostByCause: [String: Int64] = [:]
    var duplicated: Int64 = 0
    var reordered: Int64 = 0
    var indeterminate: Int64 = 0
    var foreign: Int64 = 0
    var missedOffline: Int64 = 0

    /// Stands for a count that is a matter of time, and was as it has to be.
    static let some: Int64 = -1

    /// Nothing to be found.
    static let clean = Findings()

    init() {}

    /// What is expected: these guarantees violated so many times each, and no other.
    ///
    /// A guarantee that this build has no checker for is passed over, so that the table may run ahead of the checkers.
    init(_ expected: [String: Int64]) {
        for id in GuaranteeID.allCases {
            if let count = expected[id.rawValue], count > 0 { violations[id.rawValue] = count }
        }
    }

    init(_ settlement: Settlement) {
        for outcome in settlement.guarantees where outcome.verdict == .violated {
            violations[outcome.id.rawValue] = outcome.violations
        }
        let delivery = settlement.delivery
        lost = delivery.lost
        for (cause, count) in delivery.lostByCause where count > 0 { lostByCause[cause.rawValue] = count }
        duplicated = delivery.duplicated
        reordered = delivery.reordered
        indeterminate = delivery.indeterminate
        foreign = delivery.foreign
        missedOffline = delivery.missedOffline
    }

    init(_ result: RunResult) {
        for guarantee in result.guarantees where guarantee.verdict == .violated {
            violations[guarantee.id] = Int64(guarantee.violations)
        }
        let delivery = result.delivery
        lost = Int64(delivery.lost)
        lostByCause = delivery.lostByCause.mapValues { Int64($0) }
        duplicated = Int64(delivery.duplicated)
        reordered = Int64(delivery.reordered)
        indeterminate = Int64(delivery.indeterminate)
        foreign = Int64(delivery.foreign)
        missedOffline = Int64(delivery.missedOffline)
    }

    /// Losses of one cause.
    mutating func lose(_ count: Int64, _ cause: LossCause) {
        guard count > 0 else { return }
        lost += count
        lostByCause[cause.rawValue, default: 0] += count
    }

    /// The same without the counts: there were some, or none.
    var withoutCounts: Findings {
        var some = self
        some.violations = violations.mapValues { _ in Findings.some }
        some.lostByCause = lostByCause.mapValues { _ in Findings.some }
        for count in [\Findings.lost, \.duplicated, \.reordered, \.indeterminate, \.foreign, \.missedOffline] {
            if some[keyPath: count] != 0 { some[keyPath: count] = Findings.some }
        }
        return some
    }

    static func + (left: Findings, right: Findings) -> Findings {
        var sum = left
        sum.violations.merge(right.violations, uniquingKeysWith: +)
        sum.lostByCause.merge(right.lostByCause, uniquingKeysWith: +)
        sum.lost += right.lost
        sum.duplicated += right.duplicated
        sum.reordered += right.reordered
        sum.indeterminate += right.indeterminate
        sum.foreign += right.foreign
        sum.missedOffline += right.missedOffline
        return sum
    }
}

/// One run of a twin with one seed.
struct Trial: Sendable {
    /// How many defects were planted.
    var planted: Int64
    var expected: Findings
    var found: Findings
    /// The witnesses of what was violated, for a failure's message.
    var witnesses: [String] = []
    /// How much was hit is a matter of time, so that no count is the same in the next run.
    var isTimed = false

    init(planted: Int64, expected: Findings, _ settlement: Settlement) {
        self.planted = planted
        self.expected = expected
        found = Findings(settlement)
        witnesses = settlement.guarantees.compactMap { outcome in
            outcome.witness.map { "\(outcome.id.rawValue), \(outcome.checked) checked: \($0)" }
        }
    }

    init(planted: Int64, expected: Findings, _ result: RunResult) {
        self.planted = planted
        self.expected = expected
        found = Findings(result)
        witnesses = result.guarantees.compactMap { guarantee in
            guarantee.verdict == .violated
                ? "\(guarantee.id), \(guarantee.checked) checked: \(guarantee.witness ?? "no witness")" : nil
        }
    }

    /// Takes a guarantee's violations for right when there are so many.
    mutating func expect(_ id: String, in counts: ClosedRange<Int64>) {
        let count = found.violations[id] ?? 0
        let expected = Findings([id: counts.contains(count) ? count : counts.lowerBound])
        self.expected = self.expected + expected
    }

    /// Takes a count that depends on time for right when it is at least `minimum`.
    mutating func isSome(_ count: WritableKeyPath<Findings, Int64>, atLeast minimum: Int64 = 1) {
        expected[keyPath: count] = Findings.some
        if found[keyPath: count] >= minimum { found[keyPath: count] = Findings.some }
    }
}
