internal import WSMVerify

/// One round of an interleaved gate: the old build, the new one, and the old one again.
package struct GateRound: Sendable {
    package var old: RunResult
    package var new: RunResult
    package var again: RunResult

    package init(old: RunResult, new: RunResult, again: RunResult) {
        self.old = old
        self.new = new
        self.again = again
    }

    /// A figure in all three runs, `nil` where one of them does not have it.
    package func values(of figure: GateFigure) -> GateValues? {
        guard let old = figure.value(in: old), let new = figure.value(in: new), let again = figure.value(in: again)
        else { return nil }
        return GateValues(old: old, new: new, again: again)
    }
}

extension RunResult {
    /// Messages lost to no known cause: always a defect.
    var unexplainedLosses: Int { delivery.lostByCause[LossCause.unexplained.rawValue] ?? 0 }

    func guarantee(_ id: String) -> GuaranteeResult? { guarantees.first { $0.id == id } }
}

/// Guarantees over several runs.
enum GuaranteeTally {
    /// What a busy machine alone can break: they judge by the time that something took.
    static let timed: Set<String> = Set(
        [GuaranteeID.isolation, .boundedLag, .recovery, .cleanShutdown].map(\.rawValue))

    /// The worst verdict that runs gave: violated in one is violated; it holds if it held in all.
    static func worst(_ id: String, in runs: [RunResult]) -> GuaranteeResult.Verdict {
        let verdicts = runs.map { $0.guarantee(id)?.verdict ?? .unknown }
        if verdicts.contains(.violated) { return .violated }
        return verdicts.isEmpty || verdicts.contains(.unknown) ? .unknown : .holds
    }

    /// Every guarantee of the new runs beside its verdict in the old ones.
    static func compare(old: [RunResult], new: [RunResult]) -> [GateGuarantee] {
        var ids: [String] = []
        for result in new + old {
            for guarantee in result.guarantees where !ids.contains(guarantee.id) { ids.append(guarantee.id) }
        }
        return ids.map { id in
            let violated = new.compactMap { $0.guarantee(id) }.first { $0.verdict == .violated }
            let any = violated ?? new.compactMap { $0.guarantee(id) }.first ?? old.compactMap { $0.guarantee(id) }.first
            return GateGuarantee(
                id: id, expected: any?.expected ?? .any, old: worst(id, in: old), new: worst(id, in: new),
                witness: violated?.witness)
        }
    }
}
