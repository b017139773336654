import Foundation
import Testing

@testable import WSMHarness

@Suite("The program predicts, and refuses bad calibrations", .timeLimit(.minutes(5)))
struct PredictProgramTests {
    private let scenario = """
        name: small
        warmup: 200ms
        duration: 1s
        cluster: {manager: memory, instances: 1, placement: processes}
        clients: {count: 5, connectRate: 2000/s}
        workload:
          - {kind: broadcasts, rate: 20/s, publishers: 1, payload: 256B}
        """

    @Test("A simulation names its calibration, and a prediction has no live figures")
    func predicts() async throws {
        let call = try ProgramCall()
        try call.write(scenario, to: "small.yaml")
        try MachineCalibration.madeUp.write("\(call.folder)/machine.json")
        let simulated = try await call.wsmlab(
            "simulate", "small.yaml", "--calibration", "machine.json", "--format", "json", "--quiet")
        #expect(simulated.exitCode == 0)
        let result = try RunResult(json: Data(simulated.output.utf8))
        #expect(result.simulation?.calibration == "machine.json")
        let predicted = try await call.wsmlab(
            "predict", "small.yaml", "--calibration", "machine.json", "--quiet", "--out", "out")
        #expect(predicted.exitCode == 0, "\(predicted.errors)")
        #expect(predicted.output.hasPrefix("PREDICTED  1 scenario by machine.json"))
        #expect(predicted.output.contains("latency p99.9") && call.exists("out/predict.json"))
    }

    @Test("With --check the scenario runs live, too, and both stand side by side")
    func checks() async throws {
        let call = try ProgramCall()
        try call.write(scenario, to: "small.yaml")
        try MachineCalibration.madeUp.write("\(call.folder)/machine.json")
        let answer = try await call.wsmlab(
            "predict", "small.yaml", "--calibration", "machine.json", "--check", "--quiet", "--out", "out", "--format",
            "json")
        // How near it comes is this machine's affair; that it was judged is not.
        #expect([0, 2, 4].contains(answer.exitCode), "\(answer.errors)")
        let checked = try JSONDecoder().decode(PredictionResult.self, from: Data(answer.output.utf8))
        #expect(checked.entries.first?.live?.deliveriesPerSecond ?? 0 > 0)
        #expect(checked.goals.map(\.figure) == ["p50", "p99"] && checked.exitCode == answer.exitCode)
        #expect(call.exists("out/1-small-1/result.json"))
    }

    @Test("What cannot be used is refused with its exit code")
    func refuses() async throws {
        let call = try ProgramCall()
        try call.write(scenario, to: "small.yaml")
        try call.write("{\"schema\": \"wsmlab.calibration/1\",\n oops", to: "broken.json")
        let broken = try await call.wsmlab("simulate", "small.yaml", "--calibration", "broken.json")
        #expect(
            broken.exitCode == 65 && broken.errors.contains("broken.json:2: this is no calibration"), "\(broken.errors)"
        )
        let absent = try await call.wsmlab("predict", "small.yaml", "--calibration", "none.json")
        #expect(absent.exitCode == 65 && absent.errors.contains("wsmlab calibrate -o none.json"))
        #expect(try await call.wsmlab("predict", "small.yaml").exitCode == 64)
        #expect(try await call.wsmlab("predict", "--calibration", "broken.json").exitCode == 64)
        let seeds = try await call.wsmlab("simulate", "small.yaml", "--calibration", "broken.json", "--seeds", "1..2")
        #expect(seeds.exitCode == 64)
        #expect(try await call.wsmlab("calibrate", "-o", ".").exitCode == 64)
        #expect(try await call.wsmlab("calibrate", "none.yaml").exitCode == 65)
        #expect(try await call.wsmlab("calibrate", "--set", "seed=2").exitCode == 64)
    }
}
