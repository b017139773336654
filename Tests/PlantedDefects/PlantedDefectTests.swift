import Testing

@Suite("Planted defects", .timeLimit(.minutes(5)))
struct PlantedDefectTests {
    @Test("In streams, each defect is found with its exact count, and nothing else is", arguments: StreamDefect.twins)
    func streams(twin: Twin) async throws { try await check(twin) }

    @Test(
        "In the machines, each defect is found with its exact count, and nothing else is",
        arguments: ManagerDefect.twins)
    func managers(twin: Twin) async throws { try await check(twin) }

    @Test(
        "Behind a relay, each defect is found with its exact count, and nothing else is", arguments: RelayDefect.twins)
    func relays(twin: Twin) async throws { try await check(twin) }

    @Test(
        "In live instances, each loss has its cause and its checkers, and nothing else is found",
        arguments: LiveDefect.twins)
    func live(twin: Twin) async throws { try await check(twin) }

    private func check(_ twin: Twin) async throws {
        let trials = try await Trials.shared.of(twin)
        #expect(trials.count == twin.seeds.count)
        for (seed, trial) in zip(twin.seeds, trials) {
            #expect(trial.found == trial.expected, "seed \(seed), \(trial.planted) planted: \(trial.witnesses)")
        }
    }
}
