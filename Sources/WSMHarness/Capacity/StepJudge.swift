package import WSMScenario
internal import WSMVerify

/// Says of one run whether its load was carried: everything delivered, every promise kept, and within the limit.
package struct StepJudge: Sendable {
    package struct Judgement: Hashable, Sendable {
        package var outcome: StepOutcome
        /// Why it was not carried or not judged; `nil` for one that was carried.
        package var reason: String?

        package init(_ outcome: StepOutcome, _ reason: String? = nil) {
            self.outcome = outcome
            self.reason = reason
        }
    }

    package var limit: Threshold
    /// Whether a run whose times the load generator has spoiled still counts: for tests beside others on a busy machine.
    package var trustsGenerator = false

    package init(limit: Threshold) {
        self.limit = limit
    }

    /// Judges a run. The first of these that applies decides:
    ///
    /// 1. Clients or processes were turned away by the system (the Redis pool of an instance was used up, its thread pool was
    ///    full, clients never connected though the generator was well): *missed*.
    /// 2. The run is INVALID: *not judged*.
    /// 3. Nothing was delivered: *not judged*.
    /// 4. Deliveries were lost that the scenario does not plan to lose: *missed*. What memory managers do not reach on other
    ///    instances is lost by design; what clients lose that read slowly on purpose is planned.
    /// 5. A guarantee that should hold is violated: *missed*.
    /// 6. The limit's metric has no samples: *not judged*; it misses the limit: *missed*.
    /// 7. A promised guarantee is unknown: *not judged*.
    /// 8. Otherwise *carried*.
    package func judge(_ result: RunResult) -> Judgement {
        if let reason = Self.turnedAway(result) { return Judgement(.missed, reason) }
        if result.validity.verdict == .invalid, !trustsGenerator {
            return Judgement(.notJudged, result.validity.reasons.first ?? "the run is INVALID")
        }
        if result.delivery.received == 0 { return Judgement(.notJudged, "nothing was delivered") }
        if let reason = Self.loss(result) { return Judgement(.missed, reason) }
        let needed = result.guarantees.filter { $0.expected == .holds }
        if let broken = needed.first(where: { $0.verdict == .violated }) {
            return Judgement(.missed, "\(broken.id) is violated")
        }
        guard let actual = MetricLookup.value(at: limit.path, in: result) else {
            return Judgement(.notJudged, "\(limit.path) has no samples")
        }
        if !limit.evaluate(actual) { return Judgement(.missed, "\(limit.expression) is missed") }
        if let unknown = needed.first(where: { $0.promised && $0.verdict == .unknown }) {
            return Judgement(.notJudged, "\(unknown.id) is unknown")
        }
        return Judgement(.carried)
    }

    /// Who was turned away, in words; `nil`: nobody.
    private static func turnedAway(_ result: RunResult) -> String? {
        let pool = result.instances.reduce(0) { $0 + $1.poolExhausted }
        if pool > 0 {
            return "\(pool) times a client was dropped because its instance may hold no more Redis connections"
        }
        if let starts = result.generator?.refusedStarts {
            return "\(starts) processes could not be started because the thread pool was full"
        }
        guard result.clients.failed > 0, GeneratorStrain(result).isNone else { return nil }
        return "\(result.clients.failed) of \(result.clients.planned) clients never connected"
    }

    private static func loss(_ result: RunResult) -> String? {
        let delivery = result.delivery
        var causes = delivery.lostByCause
        if result.setup.manager == "memory" { causes["other-instance"] = nil }
        if let planned = delivery.lostBySlowReaders { causes["evicted"] = (causes["evicted"] ?? planned) - planned }
        let worst = causes.filter { $0.value > 0 }.max { ($0.value, $1.key) < ($1.value, $0.key) }
        guard let worst else { return nil }
        let lost = causes.values.reduce(0) { $0 + max(0, $1) }
        return "\(lost) deliveries were lost, most by cause \(worst.key)"
    }
}
