package import WSMHarness

/// The answer of a capacity search in words, the same in every report.
package enum CapacityWords {
    /// The word that answers.
    package static func word(_ result: CapacityResult) -> String {
        switch result.verdict {
        case .found: "CARRIES"
        case .ceiling: "AT LEAST"
        case .nothing: "MISSED"
        case .refused: "NO NUMBER"
        case .unsettled: result.interrupted ? "INTERRUPTED" : "NO NUMBER"
        }
    }

    static func style(_ result: CapacityResult) -> Style {
        switch result.verdict {
        case .found: .good
        case .nothing: .bad
        case .ceiling, .refused, .unsettled: .doubtful
        }
    }

    /// The answer itself, without its word and its full stop.
    package static func sentence(_ result: CapacityResult) -> String {
        let missed = result.bracket.missed.map { load($0, result.vary) }
        switch result.verdict {
        case .found:
            let rate = result.knee.map { Figures.grouped(Int($0.deliveriesPerSecond.rounded())) } ?? "–"
            let above = missed.map { "; at \($0) \(exhausted(result))" } ?? ""
            return "\(load(result.knee?.load ?? 0, result.vary)) (\(rate) deliveries/s) within \(result.limit)\(above)"
        case .ceiling:
            let carried = result.bracket.carried.map { load($0, result.vary) } ?? "nothing"
            return "\(carried) within \(result.limit): nothing was missed, and more cannot be tried: \(result.reason)"
        case .nothing:
            return
                "not even \(missed ?? "the lowest load") within \(result.limit), \(exhausted(result)): \(result.reason)"
        case .refused:
            let who = result.exhausted == nil ? "the runs do not tell" : exhausted(result)
            let at = result.points.last { $0.outcome != .carried && $0.reason == result.reason } ?? result.points.last
            return "at \(at.map { load($0.load, result.vary) } ?? "–") \(who): \(result.reason)\(shown(result))"
        case .unsettled: return result.reason + shown(result)
        }
    }

    /// What was shown although the search came to no end.
    private static func shown(_ result: CapacityResult) -> String {
        switch (result.bracket.carried, result.bracket.missed) {
        case (let low?, let high?): "; \(load(low, result.vary)) are carried, \(load(high, result.vary)) are not"
        case (let low?, nil): "; \(load(low, result.vary)) are carried"
        case (nil, let high?): "; \(load(high, result.vary)) are not carried"
        case (nil, nil): "; no load was carried"
        }
    }

    /// What is exhausted, as a clause.
    package static func exhausted(_ result: CapacityResult) -> String {
        switch result.exhausted.flatMap(CapacityResource.init) {
        case .generator: "the load generator is exhausted"
        case .otherPrograms: "other programs use up the machine"
        case .redis: "Redis is exhausted"
        case .redisConnections: "the instances have no more Redis connections"
        case .broadcastThread: "the broadcast thread is exhausted"
        case .threadPool: "the thread pool is exhausted"
        case .publishers: "the publishers wait for their own earlier broadcasts"
        case .instanceLoop: "an instance's event loop is exhausted"
        case .clientSockets: "the clients' sockets are exhausted"
        case .machine: "the machine's processors are exhausted"
        case .target: "the target is exhausted"
        case .unknown, nil: "something is missed, and no figure tells what is exhausted"
        }
    }

    /// `4,200 messages/s`, `1 client`.
    package static func load(_ load: Double, _ variable: CapacityVariable) -> String {
        let isOne = load == 1 && variable.isWhole
        return "\(number(load)) \(isOne ? String(variable.unit.dropLast()) : variable.unit)"
    }

    /// Loads have four digits.
    package static func number(_ load: Double) -> String {
        if load == load.rounded() || load >= 1000 { return Figures.grouped(Int(load.rounded())) }
        return Figures.decimal(load, places: load >= 100 ? 1 : load >= 10 ? 2 : 3)
    }

    /// What was asked, in a line.
    package static func question(_ result: CapacityResult) -> String {
        let runs = result.points.reduce(0) { $0 + $1.runs.count }
        let hundredths = result.tolerance * 100
        let percent = hundredths == hundredths.rounded() ? "\(Int(hundredths))" : Figures.threeDigits(hundredths)
        let each = result.repeats == 1 ? "one run" : "the majority of up to \(result.repeats) runs"
        return
            "\(result.name): \(result.vary.rawValue) varied, \(runs == 1 ? "1 run" : "\(runs) runs"), \(each) a load, "
            + "to \(percent) %"
    }
}
