internal import WSMCore
internal import WSMRecord
internal import WSMScenario

/// Gathers the runs of a capacity search and draws the conclusion from them.
struct CapacityConclusion: Sendable {
    /// Why the search is over.
    enum End: Sendable {
        case search(StaircaseSearch.End)
        /// The machine cannot run more.
        case ceiling(String)
        case outOfTime
        case interrupted
        /// A run could not take place.
        case failed(HarnessError)
    }

    struct Run: Sendable {
        /// Its folder, relative to the search's.
        var folder: String
        var result: RunResult
        var judgement: StepJudge.Judgement
    }

    private let name: String
    private let startedAt: String
    private let options: CapacitySearch.Options
    /// What stands in the way of more than the highest load that can be tried.
    private let obstacle: String
    private var runs: [Double: [Run]] = [:]
    var end: End?

    init(name: String, startedAt: String, options: CapacitySearch.Options, obstacle: String) {
        self.name = name
        self.startedAt = startedAt
        self.options = options
        self.obstacle = obstacle
    }

    mutating func add(_ run: Run, at load: Double) { runs[load, default: []].append(run) }

    var runCount: Int { runs.values.reduce(0) { $0 + $1.count } }
    func results(at load: Double) -> [RunResult] { (runs[load] ?? []).map(\.result) }
    func runCount(at load: Double) -> Int { runs[load]?.count ?? 0 }

    /// The result, with the bracket that the search has come to.
    func result(carried: Double?, missed: Double?) -> CapacityResult {
        let environment = runs.values.lazy.compactMap { $0.first?.result.environment }.first ?? .current()
        var result = CapacityResult(
            name: name, startedAt: startedAt, vary: options.variable, limit: options.limit.expression,
            tolerance: options.tolerance, repeats: options.repeats, environment: environment)
        result.bracket = .init(carried: carried, missed: missed)
        result.points = runs.keys.sorted().map(point)
        conclude(&result)
        result.costs = CostModel.fitAll(
            runs.sorted { $0.key < $1.key }.flatMap { load, runs in
                // Beyond the limit what is queued and dropped costs in place of what is delivered.
                runs.filter { $0.judgement.outcome == .carried }
                    .map { CostObservation($0.result, load: load) }
            })
        result.warnings = warnings(
            carried: carried, missed: missed, resource: result.exhausted.flatMap(CapacityResource.init))
        return result
    }

    // MARK: The curve

    private func point(_ load: Double) -> CapacityPoint {
        let all = runs[load] ?? []
        let outcome = StaircaseSearch.verdict(all.map(\.judgement.outcome), repeats: options.repeats) ?? .notJudged
        let reason = outcome == .carried ? nil : all.first { $0.judgement.outcome == outcome }?.judgement.reason
        return CapacityPoint(
            load: load, outcome: outcome, reason: reason,
            runs: all.map { run in
                let result = run.result
                let seconds = max(1e-9, Double(result.durationNanoseconds) / 1e9)
                let hasLatency = result.latency.count > 0
                return CapacityPoint.Run(
                    folder: run.folder, outcome: run.judgement.outcome, reason: run.judgement.reason,
                    publishedPerSecond: Double(result.delivery.published) / seconds,
                    deliveriesPerSecond: result.delivery.perSecond, p50: hasLatency ? result.latency.p50 : nil,
                    p99: hasLatency ? result.latency.p99 : nil, lost: result.delivery.lost, cpu: Self.cpu(result))
            })
    }

    /// Processors that the system kept busy.
    private static func cpu(_ result: RunResult) -> Double? {
        let resources = result.resources
        guard !resources.instances.isEmpty, result.durationNanoseconds > 0 else { return nil }
        let parts = resources.instances + (resources.workers ?? [])
        let seconds = parts.reduce(0) { $0 + $1.cpuSeconds } + (resources.redis?.cpuSeconds ?? 0)
        return seconds / (Double(result.durationNanoseconds) / 1e9)
    }

    // MARK: The answer

    private func conclude(_ result: inout CapacityResult) {
        let missed = result.bracket.missed
        if let missed, let exhaustion = exhaustion(at: missed, carried: result.bracket.carried) {
            result.exhausted = exhaustion.resource.rawValue
            result.evidence = exhaustion.evidence
        }
        result.reason = reason(at: missed)
        switch end {
        case .search(let end): conclude(&result, end)
        case .ceiling(let obstacle):
            result.verdict = .ceiling
            result.reason = obstacle
        case .outOfTime:
            result.reason =
                "the time of \(Int(options.timeLimit.seconds)) s was over before the bracket was narrow enough"
        case .failed(let error) where error.code.exitCode == .environment && missed == nil:
            result.verdict = .ceiling
            result.reason = error.message
        case .failed(let error): result.reason = "a run could not take place: \(error.message)"
        case .interrupted:
            result.interrupted = true
            result.reason = "interrupted before the bracket was narrow enough"
            result.exitCode = ExitCode.interrupted.rawValue
        case nil: break
        }
    }

    private func conclude(_ result: inout CapacityResult, _ end: StaircaseSearch.End) {
        switch end {
        case .found, .nothing:
            // What was missed may be the doing of others than the system.
            guard result.exhausted.flatMap(CapacityResource.init)?.isOutside != true else {
                result.verdict = .refused
                return
            }
            if case .found(let carried, _) = end {
                result.verdict = .found
                result.exitCode = ExitCode.passed.rawValue
                let rate = result.points.first { $0.load == carried }?.deliveriesPerSecond ?? 0
                result.knee = .init(load: carried, deliveriesPerSecond: rate)
                return
            }
            result.verdict = .nothing
            result.exitCode = ExitCode.thresholdMissed.rawValue
        case .notJudged(let load):
            result.verdict = .refused
            result.exhausted = CapacityResource.generator.rawValue
            let reasons = (runs[load] ?? []).filter { $0.judgement.outcome == .notJudged }
            result.reason = reasons.first?.judgement.reason ?? "its runs contradict each other"
            result.evidence = reasons.first?.result.validity.reasons ?? []
            if reasons.allSatisfy({ $0.result.validity.verdict != .invalid }) { result.exhausted = nil }
        case .ceiling:
            result.verdict = .ceiling
            result.reason = obstacle
        case .outOfRuns: result.reason = "the bracket was not narrow enough after \(runCount) runs"
        }
    }

    private func exhaustion(at missed: Double, carried: Double?) -> Exhaustion? {
        let failing = (runs[missed] ?? []).filter { $0.judgement.outcome == .missed }.map(\.result)
        guard !failing.isEmpty else { return nil }
        let before = carried.flatMap { runs[$0] } ?? []
        return Exhaustion.judge(
            missed: failing, carried: before.filter { $0.judgement.outcome == .carried }.map(\.result),
            trustsGenerator: options.trustsGenerator)
    }

    private func reason(at load: Double?) -> String {
        guard let load else { return "" }
        return (runs[load] ?? []).first { $0.judgement.outcome == .missed }?.judgement.reason ?? ""
    }

    // MARK: What must be known

    private var hasOwnProcesses: Bool {
        runs.values.joined().allSatisfy { $0.result.setup.placement != "in-process" }
    }

    private func warnings(carried: Double?, missed: Double?, resource: CapacityResource?) -> [String] {
        var warnings: [String] = []
        let best = (carried.flatMap { runs[$0] } ?? []).filter { $0.judgement.outcome == .carried }.map(\.result)
        if let suspect = best.first(where: { $0.validity.verdict != .valid }), let why = suspect.validity.reasons.first
        {
            warnings.append("a run of the carried load is \(suspect.validity.verdict.rawValue.uppercased()): \(why)")
        }
        let worst = (missed.flatMap { runs[$0] } ?? []).compactMap { $0.result.generator?.cpu?.machineBusy }.max()
        let isCounted = resource == .redisConnections || resource == .threadPool
        if let worst, worst >= Exhaustion.machineSaturated, !isCounted {
            warnings.append(
                "at the missed load the machine's processors were \(Int((worst * 100).rounded())) % busy: the system "
                    + "shares them with the load generator, and may carry more without it")
        }
        let split = runs.filter { Set($0.value.map(\.judgement.outcome)).count > 1 }.keys.sorted()
        if !split.isEmpty {
            warnings.append(
                "the runs disagree at \(split.map(LoadText.plain).joined(separator: ", ")) \(options.variable.unit)")
        }
        if !hasOwnProcesses {
            warnings.append("the instances share their process with the load generator: the memory is that of both")
        }
        let all = runs.values.joined().map(\.result.delivery)
        if all.contains(where: { ($0.lostBySlowReaders ?? 0) > 0 }) {
            warnings.append("what clients lost that read slowly on purpose is planned, and not counted as missed")
        }
        if all.contains(where: { ($0.lostByCause["other-instance"] ?? 0) > 0 }) {
            warnings.append("what memory managers do not reach on other instances is lost by design, and not counted")
        }
        return warnings
    }
}
