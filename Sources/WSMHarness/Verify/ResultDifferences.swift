internal import WSMRecord
internal import WSMVerify

/// Compares what a trace says with what the live run said, field by field.
enum ResultDifferences {
    static func find(live: RunResult, verified: VerifyResult) -> [VerifyResult.Difference] {
        var found: [VerifyResult.Difference] = []
        func compare<Value: Equatable>(_ path: String, _ live: Value, _ verified: Value) {
            guard live != verified else { return }
            found.append(.init(path: path, live: "\(live)", verified: "\(verified)"))
        }
        let delivery = verified.delivery ?? DeliveryCounts()
        compare("delivery.published", live.delivery.published, delivery.published)
        compare("delivery.expected", live.delivery.expected, delivery.expected)
        compare("delivery.received", live.delivery.received, delivery.received)
        compare("delivery.lost", live.delivery.lost, delivery.lost)
        compare("delivery.duplicated", live.delivery.duplicated, delivery.duplicated)
        compare("delivery.reordered", live.delivery.reordered, delivery.reordered)
        compare("delivery.indeterminate", live.delivery.indeterminate, delivery.indeterminate)
        compare("delivery.foreign", live.delivery.foreign, delivery.foreign)
        compare("delivery.missedOffline", live.delivery.missedOffline, delivery.missedOffline)
        for cause in Set(live.delivery.lostByCause.keys).union(delivery.lostByCause.keys).sorted() {
            compare(
                "delivery.lostByCause.\(cause)", live.delivery.lostByCause[cause] ?? 0,
                delivery.lostByCause[cause] ?? 0)
        }
        // Whatever the fields above leave out.
        if found.isEmpty { compare("delivery", live.delivery, delivery) }
        let latencies: [(String, LatencySummary, LatencySummary?)] = [
            ("latency", live.latency, verified.latency),
            ("latencyFromActualSend", live.latencyFromActualSend, verified.latencyFromActualSend),
            ("latencySlowReaders", live.latencySlowReaders, verified.latencySlowReaders),
            ("fanOutSkew", live.fanOutSkew, verified.fanOutSkew),
        ]
        for (path, live, verified) in latencies { compare(path, live, verified ?? LatencySummary()) }
        return found + faults(live.faults, verified.faults) + guarantees(live.guarantees, verified.guarantees)
    }

    /// What a settlement finds of a fault is compared; how it was injected is the live run's own.
    private static func faults(_ live: [FaultResult], _ verified: [FaultScore]) -> [VerifyResult.Difference] {
        guard live.count == verified.count else {
            return [.init(path: "faults", live: "\(live.count) faults", verified: "\(verified.count) faults")]
        }
        return zip(live, verified).enumerated().compactMap { index, pair in
            var told = pair.0
            told.take(pair.1)
            guard told != pair.0 else { return nil }
            return .init(path: "faults[\(index)]", live: "\(pair.0)", verified: "\(told)")
        }
    }

    private static func guarantees(
        _ live: [GuaranteeResult], _ verified: [GuaranteeResult]
    ) -> [VerifyResult.Difference] {
        let left = Dictionary(live.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let right = Dictionary(verified.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var ids = live.map(\.id)
        ids += verified.map(\.id).filter { left[$0] == nil }
        return ids.compactMap { id in
            guard left[id] != right[id] else { return nil }
            return .init(
                path: "guarantees.\(id)", live: left[id].map(text) ?? "not there",
                verified: right[id].map(text) ?? "not there")
        }
    }

    private static func text(_ result: GuaranteeResult) -> String {
        var text = "\(result.verdict.rawValue), \(result.violations) of \(result.checked)"
        text += ", \(result.promised ? "" : "not ")promised, expected \(result.expected.rawValue)"
        if let witness = result.witness { text += ", \(witness)" }
        return text
    }
}
