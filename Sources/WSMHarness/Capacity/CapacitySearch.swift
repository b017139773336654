internal import Foundation
package import WSMCore
package import WSMScenario

/// Finds how much load a system carries: run after run, each in a process of its own, as ``StaircaseSearch`` asks for them.
package struct CapacitySearch: Sendable {
    package struct Options: Sendable {
        package var variable = CapacityVariable.rate
        package var limit: Threshold
        /// The most runs of each step; odd.
        package var repeats = 3
        /// How far apart the carried and the missed load may be in the end.
        package var tolerance = 0.05
        /// No run begins later than this.
        package var timeLimit = TimeSpan.seconds(1800)
        /// Where capacity.json and the run folders go; `nil`: `Results/runs/capacity-<name>-<time>`.
        package var folder: String?
        /// The wsmlab that runs the scenario.
        package var program = ProgramRun.ownProgram
        /// See ``StepJudge/trustsGenerator``.
        package var trustsGenerator = false

        package init(limit: Threshold) {
            self.limit = limit
        }
    }

    /// Where the search stands, for a display.
    package struct Progress: Hashable, Sendable {
        package var variable: CapacityVariable
        /// The load of the run that begins, and which of its runs it is, from 1.
        package var load: Double
        package var run: Int
        package var repeats: Int
        package var carried: Double?
        package var missed: Double?
        /// Runs that are done, and how the last of them went.
        package var done: Int
        package var last: StepJudge.Judgement?
        package var lastLoad: Double?
        package var elapsed: TimeSpan
    }

    /// What the search leaves behind.
    package struct Outcome: Sendable {
        package var result: CapacityResult
        /// The path of the folder.
        package var folder: String
    }

    /// The name of the result's file in the folder.
    package static let resultName = "capacity.json"

    private let variation: LoadVariation
    private let scenario: Scenario
    private let options: Options
    private let judge: StepJudge
    private let ceiling: (load: Double, obstacle: String)

    /// - Throws: ``HarnessError`` when the scenario cannot be asked for its capacity, or not even run as it is written.
    package init(source: ScenarioSource, scenario: Scenario, options: Options) throws {
        self.scenario = scenario
        self.options = options
        // Each run checks the limit too, so that its own verdict and report say what the step's does.
        let limit: (key: String, value: String) = ("expect.thresholds", "[\"\(options.limit.expression)\"]")
        variation = try LoadVariation(options.variable, source: source.setting([limit]), scenario: scenario)
        ceiling = try variation.ceiling()
        var judge = StepJudge(limit: options.limit)
        judge.trustsGenerator = options.trustsGenerator
        self.judge = judge
    }

    /// Performs the search and writes its folder.
    ///
    /// A request on `interruption` ends it in order, with what was found so far, marked `interrupted`.
    ///
    /// - Throws: ``HarnessError`` when a run could not take place before anything was carried, or the folder be written.
    package func perform(
        interruption: Interruption, progress: @Sendable (Progress) -> Void
    ) async throws -> Outcome {
        let folder = try RunFolder.make(options.folder, name: "capacity-\(scenario.name)")
        var conclusion = CapacityConclusion(
            name: scenario.name, startedAt: RunFolder.timestamp(), options: options, obstacle: ceiling.obstacle)
        var search = StaircaseSearch(settings)
        let began = MonotonicInstant.now()
        var last: (load: Double, judgement: StepJudge.Judgement)?
        do {
            while conclusion.end == nil {
                let load: Double
                switch search.next() {
                case .measure(let next): load = next
                case .done(let end):
                    conclusion.end = .search(end)
                    continue
                }
                progress(
                    Progress(
                        variable: options.variable, load: load, run: search.runsOfStep + 1, repeats: options.repeats,
                        carried: search.carried, missed: search.missed, done: conclusion.runCount,
                        last: last?.judgement, lastLoad: last?.load, elapsed: .now() - began))
                if interruption.isRequested {
                    conclusion.end = .interrupted
                } else if .now() - began > options.timeLimit {
                    conclusion.end = .outOfTime
                } else if let obstacle = memoryObstacle(load, search, conclusion) {
                    conclusion.end = .ceiling(obstacle)
                } else if let judgement = try await run(load, in: folder, &conclusion, interruption) {
                    search.record(judgement.outcome, at: load)
                    last = (load, judgement)
                } else {
                    conclusion.end = .interrupted
                }
            }
        } catch let error as HarnessError where search.carried != nil {
            // What was measured so far stands; a run that could not take place ends the search, not its result.
            conclusion.end = .failed(error)
        } catch {
            folder.removeUnfinished()
            throw error
        }
        let result = conclusion.result(carried: search.carried, missed: search.missed)
        try folder.write([UInt8](result.json()), as: Self.resultName)
        folder.linkLatest()
        return Outcome(result: result, folder: folder.path)
    }

    /// Why the machine has no memory for a load above all that have been run; `nil` for one that it has.
    private func memoryObstacle(
        _ load: Double, _ search: StaircaseSearch, _ conclusion: CapacityConclusion
    ) -> String? {
        guard search.missed == nil, search.notJudged == nil, let carried = search.carried,
            let last = conclusion.results(at: carried).last
        else { return nil }
        return MemoryForecast.obstacle(load, last: last, at: carried, available: MemoryForecast.available())
    }

    private var settings: StaircaseSearch.Settings {
        var settings = StaircaseSearch.Settings(
            start: variation.start, floor: variation.floor, ceiling: ceiling.load, isWhole: options.variable.isWhole)
        settings.tolerance = options.tolerance
        settings.repeats = options.repeats
        return settings
    }

    /// Performs one run and judges it; `nil` when somebody ended it before its time.
    private func run(
        _ load: Double, in folder: RunFolder, _ conclusion: inout CapacityConclusion, _ interruption: Interruption
    ) async throws -> StepJudge.Judgement? {
        let name = "\(LoadText.plain(load))-\(conclusion.runCount(at: load) + 1)"
        let program = ProgramRun(
            program: options.program, source: variation.source(load),
            folder: "\(folder.path)/\(name)", deadline: deadline)
        let result = try await program.perform(interruption: interruption)
        guard !result.interrupted else { return nil }
        let judgement = judge.judge(result)
        conclusion.add(.init(folder: name, result: result, judgement: judgement), at: load)
        return judgement
    }

    /// How long a run may take: its load, its clients' connecting, and what comes before and after at its longest.
    private var deadline: TimeSpan {
        let connecting = Double(scenario.clients.count) / max(1, scenario.clients.connectRate.perSecond)
        return scenario.loadDuration + .seconds(Int64(max(10, connecting)) + 150)
    }
}

/// Loads in the names of folders and in sentences.
enum LoadText {
    /// `4.243`, `141.4`, `200`: the four digits that a load has.
    static func plain(_ load: Double) -> String {
        let places = load == load.rounded() || load >= 1000 ? 0 : load >= 100 ? 1 : load >= 10 ? 2 : 3
        return String(format: "%.\(places)f", load)
    }
}
