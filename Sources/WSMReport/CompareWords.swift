import WSMHarness
internal import WSMVerify

/// What a comparison found, in words; the same in every report.
enum CompareWords {
    static func word(_ result: CompareResult) -> (text: String, style: Style) {
        if result.interrupted { return ("INTERRUPTED", .doubtful) }
        return result.exitCode == ExitCode.passed.rawValue ? ("COMPARED", .good) : ("INCONCLUSIVE", .doubtful)
    }

    /// What arrives under each variant, and what that costs, in a few sentences.
    static func answer(_ result: CompareResult) -> String {
        let arrivals = result.variants.compactMap { arrival($0) }
        guard !arrivals.isEmpty else { return "nothing was measured" }
        let parts =
            [arrivals.joined(separator: "; ")] + result.variants.dropFirst().compactMap { difference($0, result) }
        return parts.joined(separator: ". ")
    }

    /// `memory delivers 49.9 % of what is expected (lost: other-instance)`.
    private static func arrival(_ variant: CompareResult.Variant) -> String? {
        guard !variant.results.isEmpty else { return nil }
        let expected = variant.results.reduce(0) { $0 + $1.delivery.expected }
        let received = variant.results.reduce(0) { $0 + $1.delivery.received }
        let lost = variant.results.reduce(0) { $0 + $1.delivery.lost }
        guard expected > 0 else { return "\(variant.name) was expected to deliver nothing" }
        guard lost > 0 else { return "\(variant.name) loses nothing" }
        var causes: [String: Int] = [:]
        for result in variant.results { causes.merge(result.delivery.lostByCause, uniquingKeysWith: +) }
        let worst = causes.filter { $0.value > 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
        let share = Figures.share(received, of: expected)
        return
            "\(variant.name) delivers \(share) of what is expected (lost: \(worst.prefix(2).joined(separator: ", ")))"
    }

    /// The figures of the answer, most important first.
    private static let told = [
        "latency.p50", "latency.p99", "resources.instances.cpuSecondsPerMillionDeliveries",
        "resources.redis.connections",
    ]

    /// `broadcast against memory: latency p99 2.10 × (worse), CPU a delivery 1.40 × (worse)`.
    private static func difference(_ variant: CompareResult.Variant, _ result: CompareResult) -> String {
        let first = result.variants[0].name
        var shown: [String] = []
        var open: String?
        for path in told {
            guard let metric = result.metrics.first(where: { $0.path == path }),
                let ratio = metric.ratios.first(where: { $0.b == variant.name })
            else { continue }
            switch ratio.verdict {
            case .better, .worse: shown.append("\(name(path)) \(size(ratio, metric)) (\(ratio.verdict.rawValue))")
            case .inconclusive: open = open ?? ratio.reason ?? "too few runs"
            case .noDifference: break
            }
        }
        let head = "\(variant.name) against \(first)"
        if !shown.isEmpty { return "\(head): \(shown.joined(separator: ", "))" }
        guard let open else { return "\(head): no difference shown in latency and CPU" }
        return "\(head): these runs do not show how latency and CPU differ (\(open))"
    }

    private static func size(_ ratio: CompareResult.Ratio, _ metric: CompareResult.Metric) -> String {
        if let factor = ratio.ratio, factor > 0 { return times(factor) }
        return MetricFormat.text(metric.medians[ratio.b] ?? 0, path: metric.path)
    }

    /// `1.75 ×`; far from one, with fewer digits.
    static func times(_ ratio: Double) -> String { ratio > 0 ? "\(Figures.threeDigits(ratio)) ×" : "–" }

    static func interval(_ ratio: CompareResult.Ratio) -> String {
        guard let low = ratio.low, let high = ratio.high else { return "–" }
        return "\(Figures.threeDigits(low)) – \(Figures.threeDigits(high))"
    }

    static func word(_ verdict: CompareResult.Verdict) -> (text: String, style: Style?) {
        switch verdict {
        case .better: ("better", .good)
        case .worse: ("worse", .bad)
        case .noDifference: ("no difference shown", nil)
        case .inconclusive: ("inconclusive", .doubtful)
        }
    }

    /// A metric as tables call it.
    static func name(_ path: String) -> String {
        switch path {
        case "delivery.perSecond": "deliveries a second"
        case "delivery.missedOffline": "missed while offline"
        case "latencyFromActualSend.p99": "service p99"
        case "resources.redis.connections": "Redis connections"
        case let path where path.hasSuffix("cpuSecondsPerMillionDeliveries"): "CPU a delivery, \(part(path))"
        case let path where path.hasSuffix("peakRssBytes"): "peak memory, \(part(path))"
        case let path where path.hasPrefix("delivery."): String(path.dropFirst("delivery.".count))
        default:
            path.replacing("stages.", with: "").replacing("fanOutSkew", with: "fan-out skew").replacing(
                "p999", with: "p99.9"
            )
            .replacing(".p", with: " p").replacing(".max", with: " max")
        }
    }

    private static func part(_ path: String) -> String {
        path.split(separator: ".").dropFirst().first.map(String.init) ?? ""
    }

    /// A value in its unit; CPU seconds a million deliveries are microseconds each.
    static func value(_ value: Double?, _ path: String) -> String {
        guard let value else { return "–" }
        if path.hasSuffix("cpuSecondsPerMillionDeliveries") { return Figures.time(value * 1e3) }
        return MetricFormat.text(value, path: path)
    }

    static func setup(_ result: CompareResult) -> String {
        var parts = ["\(result.variants.count) variants"]
        if let rounds = result.rounds {
            parts[0] += " in turns"
            let done = result.variants.map(\.results.count).min() ?? 0
            parts.append(done == rounds ? "\(rounds) rounds" : "\(done) of \(rounds) rounds")
        } else {
            parts.append("stored runs (\(result.variants.map { "\($0.results.count)" }.joined(separator: ", ")))")
        }
        if let first = result.variants.first?.results.first {
            parts.append("\(Figures.time(first.durationNanoseconds)) measured each")
            parts.append("after \(Figures.time(first.setup.warmupNanoseconds)) of warm-up")
            parts.append("seed \(first.seed)")
        }
        return parts.joined(separator: ", ")
    }

    /// `violated`, `holds*`: a star where it is promised.
    static func verdict(_ finding: CompareResult.Guarantee.Finding?) -> String {
        guard let finding else { return "–" }
        return finding.verdict.rawValue + (finding.promised ? "*" : "")
    }

    /// Whether all variants give the same answer, so that one line is enough.
    static func isAlike(_ guarantee: CompareResult.Guarantee, _ result: CompareResult) -> Bool {
        Set(result.variants.map { verdict(guarantee.findings[$0.name]) }).count == 1
            && guarantee.findings.values.allSatisfy { $0.verdict != .violated }
    }
}
