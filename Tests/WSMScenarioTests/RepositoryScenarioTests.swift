import Testing
import WSMCore

@testable import WSMScenario

@Suite("The scenarios of this repository")
struct RepositoryScenarioTests {
    @Test("Each is valid, draws no warning, and is named as its file", arguments: repositoryScenarios)
    func valid(_ name: String) throws {
        let loaded = ScenarioFile.load(path: "\(scenariosFolder)/\(name).yaml")
        #expect(loaded.diagnostics.map(\.description) == [])
        let scenario = try #require(loaded.scenario)
        #expect(scenario.name == name)
        #expect(!scenario.description.isEmpty)
        #expect(!scenario.workload.isEmpty)
        #expect(!scenario.expect.thresholds.isEmpty)
    }

    @Test("Each reads back from what a run writes", arguments: repositoryScenarios)
    func roundTrip(_ name: String) throws {
        let original = try #require(ScenarioFile.load(path: "\(scenariosFolder)/\(name).yaml").scenario)
        #expect(try scenario(original.yaml()) == original)
    }

    @Test("Each begins with the editor's schema line and says what it teaches", arguments: repositoryScenarios)
    func header(_ name: String) throws {
        let bytes = try SourceText.contents(path: "\(scenariosFolder)/\(name).yaml").get()
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines.first == "# yaml-language-server: $schema=./scenario.schema.json")
        #expect(lines.contains { $0.hasPrefix("# What it teaches: ") })
        #expect(lines.allSatisfy { $0.utf8.count <= 120 })
    }

    @Test("The two thread-pool scenarios differ in nothing but the profile")
    func twins() throws {
        let reference = try #require(
            ScenarioFile.load(path: "\(scenariosFolder)/threadpool-redis-reference.yaml").scenario)
        var hardened = try #require(
            ScenarioFile.load(path: "\(scenariosFolder)/threadpool-redis-hardened.yaml").scenario)
        #expect(reference.cluster.profile == .reference)
        #expect(hardened.cluster.profile == .hardened)
        #expect(LoadPlan(reference) == LoadPlan(hardened))
        hardened.name = reference.name
        hardened.description = reference.description
        hardened.cluster = reference.cluster
        #expect(hardened == reference)
    }

    @Test("The two Redis restarts differ in nothing but the profile and what is expected")
    func restartTwins() throws {
        let reference = try #require(
            ScenarioFile.load(path: "\(scenariosFolder)/redis-restart-reference.yaml").scenario)
        var hardened = try #require(
            ScenarioFile.load(path: "\(scenariosFolder)/redis-restart-hardened.yaml").scenario)
        #expect(reference.cluster.profile == .reference)
        #expect(hardened.cluster.profile == .hardened)
        #expect(LoadPlan(reference) == LoadPlan(hardened))
        #expect(FaultPlan(reference) == FaultPlan(hardened))
        hardened.name = reference.name
        hardened.description = reference.description
        hardened.cluster = reference.cluster
        hardened.expect = reference.expect
        #expect(hardened == reference)
    }

    @Test("The thread-pool twins are light enough for the reference")
    func light() throws {
        let twin = try #require(
            ScenarioFile.load(path: "\(scenariosFolder)/threadpool-redis-reference.yaml").scenario)
        let steps = LoadPlan(twin).processes.map(\.steps.count).reduce(0, +)
        #expect(twin.clients.count <= 10)
        #expect(Double(steps) / twin.loadDuration.seconds <= 30)
    }
}
