import Testing
import WSMVerify

@Suite("Planted defects", .timeLimit(.minutes(5)))
struct PlantedDefectTests {
    @Test("Each defect is found with its exact count, and nothing else is", arguments: Twin.all)
    func twin(_ twin: Twin) async throws {
        let trials = try await Trials.shared.of(twin)
        for (seed, trial) in zip(twin.seeds, trials) {
            #expect(trial.found == trial.expected, "seed \(seed), \(trial.planted) planted: \(trial.witnesses)")
        }
    }
}
