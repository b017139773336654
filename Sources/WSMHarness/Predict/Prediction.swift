internal import Foundation
package import WSMCore
internal import WSMRecord
package import WSMScenario

/// Predicts what scenarios show on a calibrated machine, and checks that against live runs.
package struct Prediction: Sendable {
    package struct Options: Sendable {
        /// Whether the scenarios run live, too.
        package var checks = false
        /// Live runs of each scenario; their middle counts.
        package var repeats = 1
        /// Whether the highest load is predicted, and with ``checks`` searched for, too; its limit.
        package var capacityLimit: Threshold?
        package var folder: String?
        package var program = ProgramRun.ownProgram

        package init() {}
    }

    package struct Progress: Hashable, Sendable {
        package var done: Int
        package var total: Int
        /// What happens next, in words.
        package var next: String
        package var left: TimeSpan
    }

    package struct Outcome: Sendable {
        package var result: PredictionResult
        package var folder: String
    }

    package static let resultName = "predict.json"

    private let scenarios: [(source: ScenarioSource, scenario: Scenario)]
    private let calibration: NamedCalibration
    private let options: Options

    /// - Throws: ``HarnessError`` that names what is not modelled.
    package init(
        scenarios: [(source: ScenarioSource, scenario: Scenario)], calibration: NamedCalibration, options: Options
    ) throws {
        for (source, scenario) in scenarios {
            do {
                try SimulatedRun.check(scenario)
            } catch let error as HarnessError {
                throw HarnessError(error.code, "\(source.path): \(error.message)")
            }
        }
        self.scenarios = scenarios
        self.calibration = calibration
        self.options = options
    }

    /// Performs all of it, and writes predict.json.
    ///
    /// A request on `interruption` ends it in order, with the scenarios that are done.
    package func perform(
        interruption: Interruption, progress: @Sendable (Progress) -> Void
    ) async throws -> Outcome {
        let folder = try RunFolder.make(options.folder, name: "predict")
        var result = PredictionResult(startedAt: RunFolder.timestamp(), calibration: calibration, entries: [])
        let began = MonotonicInstant.now()
        for (done, each) in scenarios.enumerated() {
            let share = (.now() - began).seconds / Double(max(1, done))
            let left = done == 0 ? expectedSeconds : share * Double(scenarios.count - done)
            let report: @Sendable (String) -> Void = { words in
                progress(
                    .init(
                        done: done, total: scenarios.count, next: "\(each.scenario.name): \(words)",
                        left: .milliseconds(Int64(left * 1000))))
            }
            let entry = try await entry(
                each, number: done + 1, in: folder, interruption: interruption, report: report)
            guard let entry, !interruption.isRequested else {
                result.interrupted = true
                break
            }
            result.entries.append(entry)
        }
        if options.checks { result.judge() }
        try folder.write([UInt8](result.json()), as: Self.resultName)
        folder.linkLatest()
        return Outcome(result: result, folder: folder.path)
    }

    private var expectedSeconds: Double {
        let runs = options.checks ? Double(options.repeats) : 0
        return scenarios.reduce(0) { $0 + runs * ($1.scenario.loadDuration.seconds + 4) + 1 }
    }

    // MARK: One scenario

    /// `nil` when it was interrupted.
    private func entry(
        _ each: (source: ScenarioSource, scenario: Scenario), number: Int, in folder: RunFolder,
        interruption: Interruption, report: @Sendable (String) -> Void
    ) async throws -> PredictionResult.Entry? {
        report("in virtual time")
        let cores = calibration.calibration.machine.cores
        let simulated = try SimulatedRun.predicted(
            each.scenario, calibration: calibration.calibration, file: calibration.file, interruption: interruption)
        var entry = PredictionResult.Entry(
            name: each.scenario.name, scenario: each.source.path, predicted: .init(simulated, cores: cores),
            isBeyondBound: false)
        if options.checks {
            var runs: [RunResult] = []
            for round in 0..<options.repeats {
                report(options.repeats > 1 ? "live, run \(round + 1) of \(options.repeats)" : "live")
                guard !interruption.isRequested else { return nil }
                let run = ProgramRun(
                    program: options.program, source: each.source,
                    folder: "\(folder.path)/\(number)-\(RunFolder.fileName(each.scenario.name))-\(round + 1)",
                    deadline: each.scenario.loadDuration + .seconds(150))
                let result = try await run.perform(interruption: interruption)
                if result.interrupted { return nil }
                runs.append(result)
            }
            check(&entry, runs, cores: cores)
        }
        if let limit = options.capacityLimit {
            report("capacity")
            entry.capacity = try await capacity(each, number, limit, in: folder, interruption)
        }
        return entry
    }

    private func check(_ entry: inout PredictionResult.Entry, _ runs: [RunResult], cores: Int) {
        let usable = runs.filter { $0.validity.verdict != .invalid && $0.latency.count > 0 }
        if usable.isEmpty {
            entry.spoiled = runs.first?.validity.reasons.first ?? "nothing was delivered"
        }
        let live = PredictionResult.Figures(
            middleOf: (usable.isEmpty ? runs : usable).map { PredictionResult.Figures($0, cores: cores) })
        entry.live = live
        entry.isBeyondBound = live.utilisation > PredictionResult.utilisationBound
    }

    // MARK: Capacity

    private func capacity(
        _ each: (source: ScenarioSource, scenario: Scenario), _ number: Int, _ limit: Threshold, in folder: RunFolder,
        _ interruption: Interruption
    ) async throws -> PredictionResult.Capacity {
        let variation = try LoadVariation(.rate, source: each.source, scenario: each.scenario)
        var predicted = PredictionResult.Capacity()
        predicted.predicted = try simulatedCapacity(variation, limit, interruption)
        guard options.checks, !interruption.isRequested else { return predicted }
        var search = CapacitySearch.Options(limit: limit)
        search.repeats = 1
        search.program = options.program
        search.folder = "\(folder.path)/\(number)-\(RunFolder.fileName(each.scenario.name))-capacity"
        let outcome = try await CapacitySearch(source: each.source, scenario: each.scenario, options: search)
            .perform(interruption: interruption) { _ in }
        predicted.live = outcome.result.knee?.load
        return predicted
    }

    /// The same search as `wsmlab capacity`'s, in virtual time; `nil` where it finds no limit.
    private func simulatedCapacity(
        _ variation: LoadVariation, _ limit: Threshold, _ interruption: Interruption
    ) throws -> Double? {
        var settings = StaircaseSearch.Settings(
            start: variation.start, floor: variation.floor, ceiling: try variation.ceiling().load, isWhole: false)
        // The same load gives the same again.
        settings.repeats = 1
        var search = StaircaseSearch(settings)
        let judge = StepJudge(limit: limit)
        while !interruption.isRequested {
            switch search.next() {
            case .done: return search.carried
            case .measure(let load):
                guard let scenario = variation.source(load).load().scenario else { return search.carried }
                let result = try SimulatedRun.predicted(
                    scenario, calibration: calibration.calibration, interruption: interruption)
                search.record(judge.judge(result).outcome, at: load)
            }
        }
        return nil
    }
}
