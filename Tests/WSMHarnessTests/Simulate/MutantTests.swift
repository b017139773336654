import Testing
import WSMCore
import WSMHarness
import WSMMutants
import WSMScenario

@Suite("Planted mutants in a swarm", .timeLimit(.minutes(15)))
struct MutantTests {
    /// Those that one of the first seeds finds; `make swarm` looks for all of them.
    @Test(
        "A swarm finds a mutant, and makes it small",
        arguments: [
            "resubscribe-silently", "reference-stop", "swap-remove", "forgotten-channel", "second-publish-lost",
            "forgotten-at-stop",
        ])
    func found(_ name: String) async throws {
        let mutant = try #require(Mutant.named(name))
        let hunt = MutantHunt(
            base: Scenario(name: "swarm", duration: .seconds(1)), seeds: try SeedRange(parsing: "1..40"), budget: 200,
            interruption: Interruption())
        let shrunk = try #require(
            try await DedicatedThread.perform(name: "hunt") { try hunt.hunt(mutant).shrunk })
        #expect(shrunk.size.items <= 10 && shrunk.size.items <= shrunk.before.items)
        #expect(shrunk.result.verdict == .guarantee)
        // The same scenario without the defect keeps the guarantee, where the defect is ours.
        guard mutant.sabotage != nil else { return }
        let clean = try await DedicatedThread.perform(name: "simulate") {
            try SimulatedRun.judged(shrunk.scenario, interruption: Interruption()).result
        }
        #expect(!shrunk.kind.isRepeated(by: clean), "\(clean.reason)")
    }

    @Test("There are the reference's defects and ten more, each with a name of its own")
    func all() {
        #expect(Mutant.ofReference.count >= 7 && Mutant.ours.count >= 10)
        #expect(Set(Mutant.all.map(\.name)).count == Mutant.all.count)
    }
}
