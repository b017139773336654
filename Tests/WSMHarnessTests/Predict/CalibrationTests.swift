import Foundation
import Testing
import WSMCore
import WSMRecord
import WSMScenario
import WSMSimulation

@testable import WSMHarness

@Suite("Calibrations: the file, the fit, and simulations with one", .timeLimit(.minutes(3)))
struct CalibrationTests {
    private let scenario = """
        name: small
        seed: 3
        warmup: 200ms
        duration: 2s
        cluster: {manager: broadcast, instances: 2}
        clients: {count: 40, connectRate: 2000/s}
        workload:
          - {kind: broadcasts, rate: 50/s, publishers: 2, payload: 256B}
        """

    @Test("The steps are run in an order in which each stretch of them is a sample of all")
    func mixed() {
        let plan = CalibrationLoad.plan
        let mixed = CalibrationRun.mixed(plan)
        #expect(Set(mixed) == Set(plan) && mixed.count == plan.count)
        let memory = plan.count { $0.manager == "memory" }
        for part in [mixed.prefix(plan.count / 2), mixed.suffix(plan.count / 2)] {
            #expect((memory / 2 - 2...memory / 2 + 2).contains(part.count { $0.manager == "memory" }))
        }
    }

    @Test("A file is what was written, and names its line where it is damaged")
    func file() throws {
        let call = try ProgramCall()
        let path = "\(call.folder)/machine.json"
        try MachineCalibration.madeUp.write(path)
        #expect(try MachineCalibration.read(path) == .madeUp)

        let whole = try #require(call.read("machine.json"))
        let damages: [(from: String, to: String, words: String)] = [
            ("wsmlab.calibration/6", "wsmlab.calibration/9", "its schema is wsmlab.calibration/9"),
            ("\"nanoseconds\" : 8000", "\"nanoseconds\" : -8000", "write is -8000 ns"),
            ("\"nanoseconds\" : 8000", "\"nanoseconds\" : \"much\"", "is of another kind"),
            ("\"write\" :", "\"rite\" :", "there is no coefficient \"rite\""),
            ("\"cores\" : 2", "\"cores\" : 0", "machine.cores is 0"),
            ("\"perMille\" : 900", "\"perMille\" : 9000", "do not rise"),
            ("\"idle\" : 10000000", "\"idle\" : 9000", "waking has steps that do not rise"),
            ("\"slice\" : 1400000", "\"slice\" : 0", "waking has a slice or a tick"),
            ("\"packedBelow\" : 550", "\"packedBelow\" : -1", "waking has a packedBelow"),
            ("\"madeAt\"", "madeAt", "it is no JSON"),
        ]
        for damage in damages {
            let range = try #require(whole.firstRange(of: damage.from), "\(damage.from)")
            let text = whole.replacingCharacters(in: range, with: damage.to)
            try call.write(text, to: "machine.json")
            let error = #expect(throws: HarnessError.self) { try MachineCalibration.read(path) }
            let said = error?.message ?? ""
            #expect(error?.code == .invalidData && said.contains(damage.words), "\(damage.to): \(said)")
            #expect(said.contains(#/machine\.json:\d+: /#), "\(said)")
        }
    }

    @Test("Costs that made the rows come out of the fit again")
    func fit() throws {
        let rows = CalibrationLoad.plan.map { load in
            let published = Double(load.rate)
            let deliveries = published * Double(load.clients)
            let writes = deliveries * (load.rate > 100 ? 0.8 : 1)
            let turns = published * Double(load.instances) * (load.rate > 100 ? 0.7 : 1)
            let kilobytes = deliveries * Double(load.payload) / 1024
            let pause = Coldness(after: .milliseconds(Int64(1000 / published))).doublings
            let (slept, rested) = (published * pause, writes * pause)
            let waits = published * (load.rate > 1000 ? 0.5 : 1)
            let publishers = published * (load.manager == "broadcast" ? 2.5e-5 : 2e-5) + slept * 1e-5 + waits * 6e-6
            return CalibrationRow(
                load: load, validity: "valid", seconds: 4, deliveriesPerSecond: deliveries,
                publishedPerSecond: published,
                instancesCPU: 0.01 * Double(load.instances) + writes * 9e-6 + kilobytes * 3e-7 + turns * 4e-5
                    + slept * Double(load.instances) * 4e-6 + rested * 5e-7,
                redisCPU: 0.002 + published * 1e-5 + published * Double(load.instances + 1) * 5e-6
                    + slept * 2e-6,
                clientsCPU: 0.02 + writes * 7e-6 + kilobytes * 2e-7 + turns * 3e-6 + (deliveries - writes) * 1e-6
                    + slept * 3e-6 + rested * 4e-7 + publishers,
                publishersCPU: publishers, latencyP50: 1, latencyP99: 2, slipP50: 1,
                drivers: CalibrationDrivers(
                    turns: turns, writes: writes, clientTurns: turns, reads: writes,
                    furtherMessages: deliveries - writes, publishersCold: slept, timedWaits: waits,
                    instancesCold: slept * Double(load.instances),
                    redisCold: slept, clientsCold: slept, writesCold: rested, readsCold: rested))
        }
        let fitted = try CalibrationFit.fit(rows, receiveMore: 1000)
        func near(_ name: MachineCalibration.Name, _ nanoseconds: Double) -> Bool {
            abs(Double(fitted.coefficients[name]?.nanoseconds ?? -1) / nanoseconds - 1) < 0.02
        }
        #expect(near(.write, 9000) && near(.writePerKilobyte, 300) && near(.receive, 7000))
        #expect(near(.redisCommand, 10_000) && near(.redisSubscriber, 5000))
        #expect(near(.instanceCold, 4000) && near(.redisCold, 2000) && near(.clientCold, 3000))
        #expect(near(.publish, 20_000) && near(.publishToRedis, 5000) && near(.publisherCold, 10_000))
        #expect(near(.timedWait, 6000))
        #expect(near(.writeCold, 500) && near(.receiveCold, 400))
        #expect(fitted.fits.map(\.part) == ["publishers", "instances", "redis", "clients"])
        #expect(fitted.fits.allSatisfy { $0.rSquared > 0.999 })
        #expect(throws: HarnessError.self) { try CalibrationFit.fit(Array(rows.prefix(3)), receiveMore: 0) }
    }

    @Test("How late timed waits are rises with the sleep, and steps without sleep tell nothing of it")
    func pacing() {
        func row(_ rate: Int, slip: Int64?) -> CalibrationRow {
            let load = CalibrationLoad("memory", instances: 1, clients: 1, rate: rate)
            let late = slip ?? Int64(70_000 + 6000 * Coldness(after: load.pause).doublings)
            return CalibrationRow(
                load: load, validity: "valid", seconds: 4, deliveriesPerSecond: 1, publishedPerSecond: 1,
                instancesCPU: 1,
                redisCPU: 0, clientsCPU: 1, publishersCPU: 1, latencyP50: 1, latencyP99: 2, slipP50: late,
                drivers: CalibrationDrivers(turns: 1, writes: 1, clientTurns: 1, reads: 1, furtherMessages: 0))
        }
        let slept = [4, 50, 300, 2000].map { row($0, slip: nil) }
        let (base, cold) = CalibrationFit.pacing(slept + [row(9000, slip: 40), row(14_000, slip: 0)])
        #expect((69_900...70_100).contains(base) && (5950...6050).contains(cold), "\(base) \(cold)")
        #expect(CalibrationFit.pacing([row(9000, slip: 40)]) == (0, 0))
    }

    @Test("A simulated publisher is late by how long none of the load was due, however many there are")
    func lateness() throws {
        var calibration = MachineCalibration.madeUp
        calibration[.pacing] = .init(nanoseconds: 10_000)
        calibration[.pacingCold] = .init(nanoseconds: 100_000)
        func slip(publishers: Int) throws -> Double {
            let text = scenario.replacingOccurrences(
                of: "rate: 50/s, publishers: 2", with: "rate: 500/s, publishers: \(publishers)")
            let scenario = try #require(ScenarioSource.parsed(text))
            return Double(try SimulatedRun.predicted(scenario, calibration: calibration).scheduleSlip.p50)
        }
        let (one, eight) = (try slip(publishers: 1), try slip(publishers: 8))
        #expect(one > 50_000 && abs(eight / one - 1) < 0.15, "\(one) ns and \(eight) ns")
    }

    @Test("Residuals are quantiles of measured values, from the first to the last")
    func residuals() {
        let residuals = CalibrationFit.residuals([1.2, 0.9, 1.0])
        #expect(residuals.map(\.perMille) == [900, 1000, 1200])
        #expect(residuals.map(\.perMillion) == [0, 500_000, 1_000_000])
        #expect(CalibrationFit.residuals([1]).isEmpty)
    }

    @Test("A simulation with a calibration is the same each time, slower on dearer machines, and loses nothing")
    func simulation() throws {
        let scenario = try #require(ScenarioSource.parsed(scenario))
        let first = try SimulatedRun.predicted(scenario, calibration: .madeUp, file: "machine.json")
        let second = try SimulatedRun.predicted(scenario, calibration: .madeUp)
        #expect(first.verdict == .passed && first.traceHash == second.traceHash)
        #expect(first.simulation?.calibration == "machine.json" && first.simulation?.cores == 2)
        #expect(first.delivery.lost == 0 && first.delivery.received == first.delivery.expected)
        // Where no cores are left asleep, each message goes through three wake-ups of 15 µs, and the work of Redis, an instance and a
        // client's loop, 34 µs; drawn times are at least nine tenths of these.
        var apart = MachineCalibration.madeUp
        apart.waking.packedBelow = 0
        apart.waking.keptBelow = 0
        let beside = try SimulatedRun.predicted(scenario, calibration: apart)
        #expect(beside.latencyFromActualSend.min > 71_000)

        var dear = MachineCalibration.madeUp
        dear[.write].nanoseconds *= 10
        let slow = try SimulatedRun.predicted(scenario, calibration: dear)
        #expect(slow.latency.p50 > first.latency.p50 * 2)
        let (cheapUse, dearUse) = (
            first.simulation?.instancesCPUSeconds ?? 0, slow.simulation?.instancesCPUSeconds ?? 0
        )
        #expect(cheapUse > 0 && dearUse > cheapUse * 2)
    }

    @Test("What has come to a busy event loop together is written together")
    func coalescing() throws {
        func drivers(_ rate: Int) throws -> CalibrationDrivers {
            let text = scenario.replacingOccurrences(of: "rate: 50/s", with: "rate: \(rate)/s")
            let scenario = try #require(ScenarioSource.parsed(text))
            return try #require(try SimulatedRun.drivers(scenario, calibration: .madeUp))
        }
        // Writing a message to all takes a sixth of a millisecond on either instance.
        let (quiet, busy) = (try drivers(50), try drivers(6000))
        #expect(quiet.writes > 0.9 * 50 * 40 && quiet.furtherMessages < 0.1 * 50 * 40)
        #expect(busy.writes < 0.7 * 6000 * 40, "\(busy)")
        #expect(busy.furtherMessages > 0)
    }

    @Test("A prediction is judged by the middle of what counts")
    func judgement() {
        func entry(_ name: String, _ predicted: Double, _ live: Double, utilisation: Double = 0.3)
            -> PredictionResult.Entry
        {
            func figures(_ time: Double) -> PredictionResult.Figures {
                .init(p50: time, p90: time, p99: time, p999: time, deliveriesPerSecond: 1, utilisation: utilisation)
            }
            return .init(
                name: name, scenario: "\(name).yaml", predicted: figures(predicted), live: figures(live),
                isBeyondBound: utilisation > PredictionResult.utilisationBound)
        }
        let named = NamedCalibration(file: "machine.json", calibration: .madeUp)
        var result = PredictionResult(
            startedAt: "", calibration: named,
            entries: [entry("a", 110, 100), entry("b", 95, 100), entry("c", 900, 100, utilisation: 0.9)])
        result.judge()
        #expect(result.verdict == .within && result.exitCode == 0)
        #expect(result.goals.map(\.scenarios) == [2, 2])
        result.entries[1].predicted.p50 = 40
        result.judge()
        #expect(result.verdict == .outside && result.exitCode == 2)
        result.entries[0].spoiled = "INVALID"
        result.entries[1].spoiled = "INVALID"
        result.judge()
        #expect(result.verdict == .inconclusive && result.exitCode == 4)
    }
}

extension ScenarioSource {
    /// A scenario from its text; `nil` where it is refused.
    fileprivate static func parsed(_ text: String) -> Scenario? {
        ScenarioFile.parse(text: text, name: "test.yaml").scenario
    }
}
