internal import WSMVerify

/// Judges variants against the first: figures, guarantees, and whether either can be believed.
struct Comparison {
    private let variants: [CompareResult.Variant]
    /// Whether the runs of a round belong together.
    private let paired: Bool
    private let seed: UInt64

    init(_ variants: [CompareResult.Variant], paired: Bool, seed: UInt64) {
        self.variants = variants
        self.paired = paired
        self.seed = seed
    }

    /// Fills in what follows from the variants' results.
    static func judge(_ result: inout CompareResult, paired: Bool) {
        let comparison = Comparison(
            result.variants, paired: paired, seed: result.variants.first?.results.first?.seed ?? 1)
        result.metrics = ComparedFigure.all.compactMap(comparison.metric)
        result.guarantees = comparison.guarantees()
        result.warnings += comparison.validityWarnings()
        let isSound = comparison.variants.allSatisfy { !$0.results.isEmpty && $0.results.allSatisfy(Self.isValid) }
        let code: ExitCode = result.interrupted ? .interrupted : isSound ? .passed : .inconclusive
        result.exitCode = code.rawValue
    }

    private static func isValid(_ result: RunResult) -> Bool { result.validity.verdict != .invalid }

    // MARK: Figures

    private func metric(_ figure: ComparedFigure) -> CompareResult.Metric? {
        let values = variants.map { $0.results.compactMap { Self.value(at: figure.path, in: $0) } }
        guard values.contains(where: { !$0.isEmpty }) else { return nil }
        var medians: [String: Double] = [:]
        for (variant, values) in zip(variants, values) { medians[variant.name] = Quantile.median(values) }
        let ratios = variants.indices.dropFirst().map { ratio(figure, values[0], values[$0], of: $0) }
        return CompareResult.Metric(path: figure.path, medians: medians, ratios: ratios)
    }

    /// A system without a Redis uses none of it; otherwise what the result says.
    private static func value(at path: String, in result: RunResult) -> Double? {
        let isWithoutRedis = result.setup.manager == "memory" && result.resources.redis == nil
        return isWithoutRedis && path.hasPrefix("resources.redis.") ? 0 : MetricLookup.value(at: path, in: result)
    }

    private func ratio(
        _ figure: ComparedFigure, _ a: [Double], _ b: [Double], of index: Int
    ) -> CompareResult.Ratio {
        var ratio = CompareResult.Ratio(a: variants[0].name, b: variants[index].name, verdict: .inconclusive)
        guard let medianA = Quantile.median(a), let medianB = Quantile.median(b) else {
            ratio.reason = "one side has no samples"
            return ratio
        }
        if medianA > 0 { ratio.ratio = medianB / medianA }
        // Values of which one is missing cannot be told by round any more.
        let isComplete = a.count == variants[0].results.count && b.count == variants[index].results.count
        var interval: RatioInterval?
        if isComplete {
            interval = paired ? .paired(a, b, seed: seed) : .unpaired(a, b, seed: seed)
        }
        ratio.low = interval?.low
        ratio.high = interval?.high
        let invalid = [0, index].first { !variants[$0].results.allSatisfy(Self.isValid) }
        if let invalid {
            ratio.reason = "a run of \(variants[invalid].name) is INVALID"
        } else if min(a.count, b.count) < RatioInterval.fewestRounds {
            ratio.reason = "fewer than \(RatioInterval.fewestRounds) rounds"
        } else if !isComplete {
            ratio.reason = "some runs have no such figure"
        } else if let interval {
            ratio.verdict = verdict(figure, interval, medianA)
            if ratio.verdict == .inconclusive { ratio.reason = "the interval is too wide" }
        } else {
            ratio.verdict = verdict(figure, a, b)
            if ratio.verdict == .inconclusive { ratio.reason = "some rounds have none, and some have" }
        }
        return ratio
    }

    private func verdict(
        _ figure: ComparedFigure, _ interval: RatioInterval, _ median: Double
    ) -> CompareResult.Verdict {
        let irrelevant = figure.irrelevantRatios(around: median)
        if interval.low >= irrelevant.lowerBound, interval.high <= irrelevant.upperBound { return .noDifference }
        if interval.low > 1, interval.ratio > irrelevant.upperBound { return figure.lessIsBetter ? .worse : .better }
        if interval.high < 1, interval.ratio < irrelevant.lowerBound { return figure.lessIsBetter ? .better : .worse }
        return .inconclusive
    }

    /// Where a value is zero there is no ratio: then every round must say the same.
    ///
    /// These are counts, each the full account of a run and no sample of it, so three rounds are enough.
    private func verdict(_ figure: ComparedFigure, _ a: [Double], _ b: [Double]) -> CompareResult.Verdict {
        guard let mostA = a.max(), let leastA = a.min(), let mostB = b.max(), let leastB = b.min() else {
            return .inconclusive
        }
        if max(mostA, mostB) - min(leastA, leastB) <= figure.floor { return .noDifference }
        if leastB > mostA { return figure.lessIsBetter ? .worse : .better }
        if mostB < leastA { return figure.lessIsBetter ? .better : .worse }
        return .inconclusive
    }

    // MARK: Guarantees

    private func guarantees() -> [CompareResult.Guarantee] {
        var ids: [String] = []
        for result in variants.flatMap(\.results) {
            for guarantee in result.guarantees where !ids.contains(guarantee.id) { ids.append(guarantee.id) }
        }
        return ids.map { id in
            var findings: [String: CompareResult.Guarantee.Finding] = [:]
            for variant in variants {
                let found = variant.results.compactMap { $0.guarantees.first { $0.id == id } }
                findings[variant.name] = finding(found)
            }
            return CompareResult.Guarantee(id: id, findings: findings)
        }
    }

    private func finding(_ found: [GuaranteeResult]) -> CompareResult.Guarantee.Finding? {
        guard !found.isEmpty else { return nil }
        let worst = found.first { $0.verdict == .violated } ?? found.first { $0.verdict == .unknown } ?? found[0]
        return CompareResult.Guarantee.Finding(
            promised: found.contains(where: \.promised), verdict: worst.verdict,
            violations: found.reduce(0) { $0 + $1.violations }, witness: worst.witness)
    }

    // MARK: Validity

    private func validityWarnings() -> [String] {
        variants.flatMap { variant -> [String] in
            guard !variant.results.isEmpty else { return ["\(variant.name) has no run: nothing is compared"] }
            return [Validity.Verdict.invalid, .suspect].compactMap { verdict in
                let doubted = variant.results.filter { $0.validity.verdict == verdict }
                guard let reason = doubted.first?.validity.reasons.first else { return nil }
                let runs = "\(doubted.count) of \(variant.results.count) runs"
                return "\(runs) of \(variant.name): \(verdict.rawValue.uppercased()), \(reason)"
            }
        }
    }
}
