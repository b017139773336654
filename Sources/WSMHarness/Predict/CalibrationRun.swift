internal import Foundation
package import WSMCore
internal import WSMRecord
internal import WSMScenario
internal import WSMSimulation

/// Calibrates this machine: the built-in staircase of live runs, each in processes of its own, and the fit.
package struct CalibrationRun: Sendable {
    /// Where it stands, for a display.
    package struct Progress: Hashable, Sendable {
        package var done: Int
        package var total: Int
        /// What happens next, in words.
        package var next: String
        package var left: TimeSpan
    }

    package struct Outcome: Sendable {
        /// `nil` where it was interrupted.
        package var calibration: MachineCalibration?
        /// The folder with the runs.
        package var folder: String
    }

    /// The measured window of one run.
    private static let seconds = 4
    private static let perRun = TimeSpan.seconds(8)

    private let path: String?
    private let changes: [(key: String, value: String)]
    private let plan: [CalibrationLoad]
    private let folder: String?
    private let program: String

    /// - Parameters:
    ///   - source: Gives the cluster's policies; `nil`: the hardened profile. Its load and its faults are put aside.
    ///   - plan: The steps.
    ///   - folder: Where the runs go; `nil`: `Results/runs/calibrate-<time>`.
    package init(
        source: ScenarioSource?, plan: [CalibrationLoad] = CalibrationLoad.plan, folder: String? = nil,
        program: String = ProgramRun.ownProgram
    ) {
        path = source?.path
        changes = source?.changes ?? []
        self.plan = plan
        self.folder = folder
        self.program = program
    }

    /// The scenario of a calibration without one.
    private static let builtIn = """
        name: calibrate
        duration: 4s
        cluster: {profile: hardened}

        """

    /// Performs the runs and fits the model to them.
    ///
    /// - Throws: ``HarnessError`` when a run could not take place, or there is nothing to fit.
    package func perform(
        interruption: Interruption, progress: @Sendable (Progress) -> Void
    ) async throws -> Outcome {
        let folder = try RunFolder.make(folder, name: "calibrate")
        if path == nil { try folder.write(Array(Self.builtIn.utf8), as: "calibrate.yaml") }
        let source = ScenarioSource(path: path ?? "\(folder.path)/calibrate.yaml", changes: changes)
        var results: [(CalibrationLoad, RunResult)] = []
        let began = MonotonicInstant.now()
        for (done, load) in Self.mixed(plan).enumerated() {
            let each = done == 0 ? Self.perRun.seconds : (.now() - began).seconds / Double(done)
            let left = TimeSpan.milliseconds(Int64(each * Double(plan.count - done) * 1000))
            progress(.init(done: done, total: plan.count, next: load.name, left: left))
            guard !interruption.isRequested else { return Outcome(calibration: nil, folder: folder.path) }
            let run = ProgramRun(
                program: program, source: source.setting(load.changes(seconds: Self.seconds)),
                folder: "\(folder.path)/\(load.name)", deadline: .seconds(120))
            let result = try await run.perform(interruption: interruption)
            if result.interrupted { return Outcome(calibration: nil, folder: folder.path) }
            results.append((load, result))
        }
        progress(.init(done: plan.count, total: plan.count, next: "waking threads", left: .seconds(10)))
        let waking = try await WakeProbe.measure()
        guard !interruption.isRequested else { return Outcome(calibration: nil, folder: folder.path) }
        progress(.init(done: plan.count, total: plan.count, next: "fitting", left: .seconds(30)))
        let calibration = try Self.fit(results, waking: waking, source: source, interruption: interruption)
        return Outcome(calibration: interruption.isRequested ? nil : calibration, folder: folder.path)
    }

    /// The steps in an order that mixes quiet and busy, few and many: a machine that changes meanwhile then shows in all of them, and
    /// not as the cost of what was run last.
    static func mixed(_ plan: [CalibrationLoad]) -> [CalibrationLoad] {
        // Multiples of the golden ratio lie evenly between two whole numbers, wherever one stops.
        func place(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: index) &* 0x9E37_79B1 }
        return plan.enumerated().sorted { place($0.offset) < place($1.offset) }.map(\.element)
    }

    /// The calibration that follows from runs; of no use when `interruption` was requested meanwhile.
    static func fit(
        _ results: [(load: CalibrationLoad, result: RunResult)], waking: MachineCalibration.Waking,
        source: ScenarioSource, interruption: Interruption
    ) throws -> MachineCalibration {
        let rows = results.compactMap { CalibrationRow($0.load, $0.result) }
        let measured = results.map(\.result)
        let environment = RunEnvironment.current()
        var calibration = MachineCalibration(
            madeAt: RunFolder.timestamp(),
            machine: .init(
                cores: AllowedCPUs.count, cpu: MachineIdentity.cpuModel, kernel: environment.kernel,
                id: environment.machine),
            program: .init(version: environment.version, swift: environment.swift, build: BuildKind.current),
            waking: waking, coefficients: [:], fits: [], rows: rows)
        calibration[.pacing] = .init(summaries: measured.map(\.scheduleSlip))
        let pacing = CalibrationFit.pacing(rows)
        calibration[.pacing].nanoseconds = pacing.base
        calibration[.pacingCold].nanoseconds = pacing.cold
        let generators = measured.compactMap(\.calibration)
        let bulk = generators.compactMap(\.bulkDeliveriesPerSecond).filter { $0 > 0 }.map { 1e9 / $0 }
        calibration[.receiveMore] = .init(nanoseconds: Int64(Quantile.median(bulk) ?? 0))
        // What a write costs decides how many messages share one, and the other way round: a few rounds settle it.
        let wakeFit = WakeFit(calibration, source: source, interruption: interruption)
        for round in 0..<rounds {
            if interruption.isRequested { break }
            if round > 0 { try calibration.countDrivers(source) }
            try calibration.fitCosts()
            try wakeFit.fitWakeUps(of: &calibration)
        }
        return calibration
    }

    private static let rounds = 3
}

extension MachineCalibration {
    /// Fits what CPU time tells to the rows, as they are driven.
    fileprivate mutating func fitCosts() throws {
        let fitted = try CalibrationFit.fit(rows, receiveMore: self[.receiveMore].nanoseconds)
        fits = fitted.fits
        for (name, coefficient) in fitted.coefficients { self[name] = coefficient }
    }

    /// Counts in simulations what the rows' parts do.
    fileprivate mutating func countDrivers(_ source: ScenarioSource) throws {
        for index in rows.indices {
            let loaded = source.setting(rows[index].load.changes(seconds: 2)).load()
            guard let scenario = loaded.scenario,
                let drivers = try SimulatedRun.drivers(scenario, calibration: self)
            else { continue }
            rows[index].drivers = drivers
        }
    }
}

extension CalibrationLoad {
    /// What makes a scenario this step.
    func changes(seconds: Int) -> [(key: String, value: String)] {
        [
            ("cluster.manager", manager), ("cluster.instances", "\(instances)"), ("cluster.placement", "processes"),
            ("clients", "{count: \(clients), connectRate: 2000/s}"), ("faults", "[]"), ("expect", "{}"),
            ("warmup", "500ms"), ("duration", "\(seconds)s"),
            ("workload", "[{kind: broadcasts, rate: \(rate)/s, publishers: \(publishers), payload: \(payload)B}]"),
        ]
    }
}

extension CalibrationRow {
    /// `nil` where nothing was delivered, or nobody saw what it cost.
    init?(_ load: CalibrationLoad, _ result: RunResult) {
        let seconds = Double(result.durationNanoseconds) / 1e9
        let resources = result.resources
        guard seconds > 0, result.delivery.received > 0, !resources.instances.isEmpty, !resources.clients.isEmpty
        else { return nil }
        self.load = load
        validity = result.validity.verdict.rawValue
        self.seconds = seconds
        deliveriesPerSecond = Double(result.delivery.received) / seconds
        publishedPerSecond = Double(result.delivery.published) / seconds
        instancesCPU = resources.instances.reduce(0) { $0 + $1.cpuSeconds } / seconds
        redisCPU = (resources.redis?.cpuSeconds ?? 0) / seconds
        clientsCPU = resources.clients.reduce(0) { $0 + $1.cpuSeconds } / seconds
        publishersCPU = (resources.loadCPUSeconds ?? 0) / seconds
        latencyP50 = result.latency.p50
        latencyP99 = result.latency.p99
        slipP50 = result.scheduleSlip.p50
        // To begin with: nothing waits for anything, so that each delivery is a write and a read of its own.
        let turns = publishedPerSecond * Double(load.instances)
        let pause = Coldness(after: .milliseconds(Int64(1000 / max(1, publishedPerSecond)))).doublings
        let (slept, rested) = (publishedPerSecond * pause, deliveriesPerSecond * pause)
        drivers = CalibrationDrivers(
            turns: turns, writes: deliveriesPerSecond, clientTurns: turns, reads: deliveriesPerSecond,
            furtherMessages: 0, publishersCold: slept, timedWaits: publishedPerSecond,
            instancesCold: slept * Double(load.instances), redisCold: slept,
            clientsCold: slept, writesCold: rested, readsCold: rested)
    }
}

extension MachineCalibration.Coefficient {
    /// The middle of measured distributions, and how they lie around it; each figure is the middle one of all summaries.
    init(summaries: [LatencySummary]) {
        func middle(_ path: (LatencySummary) -> Int64) -> Int64 {
            let sorted = summaries.filter { $0.count > 0 }.map(path).sorted()
            return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
        }
        let median = middle(\.p50)
        self.init(nanoseconds: median)
        guard median > 0 else { return }
        let places: [(Int64, (LatencySummary) -> Int64)] = [
            (0, \.min), (500_000, \.p50), (900_000, \.p90), (990_000, \.p99), (999_000, \.p999), (1_000_000, \.max),
        ]
        var highest: Int64 = 0
        residuals = places.map { place, path in
            highest = min(1_000_000, max(highest, middle(path) * 1000 / median))
            return .init(perMillion: place, perMille: highest)
        }
    }
}

/// How this program was built.
enum BuildKind {
    #if DEBUG
    static let current = "debug"
    #else
    static let current = "release"
    #endif
}
