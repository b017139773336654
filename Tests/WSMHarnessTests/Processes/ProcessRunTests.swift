import Foundation
import Testing
import WSMCore
import WSMRecord
import WSMScenario

@testable import WSMHarness

@Suite("A run in processes of its own", .serialized, .timeLimit(.minutes(5)))
struct ProcessRunTests {
    static func scenario(_ keys: String, overrides: [(String, String)] = []) -> Scenario? {
        let text = """
            name: test
            seed: 3
            warmup: 200ms
            duration: 1s
            clients: {count: 24, connectRate: 500/s, churn: {rate: 4/s}}
            workload:
              - {kind: processes, rate: 10/s, steps: 3, stepDuration: exponential(5ms), failed: 20%, suspended: 20%, aborted: 20%}
              - {kind: broadcasts, rate: 40/s, publishers: 2, payload: 300B}
              - {kind: engine-status, rate: 2/s}
            \(keys)
            """
        return ScenarioFile.parse(text: text, name: "test.yaml", overrides: overrides).scenario
    }

    func run(_ scenario: Scenario?) async throws -> RunResult {
        try await TestRun.perform(
            #require(scenario),
            check: { folder, _ in
                let left = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
                #expect(
                    left == [
                        "heatmap.csv", "latency.hlog", "result.json", "scenario.yaml", "timeseries.csv", "trace.zst",
                    ])
            })
    }

    @Test(
        "The verdicts are those of one process",
        arguments: [
            "cluster: {instances: 2, workers: 3}", "cluster: {profile: reference, instances: 2, workers: 3}",
            "cluster: {manager: memory, instances: 2, workers: 3}",
            "cluster: {executor: worker, instances: 2, workers: 3}",
        ])
    func sameVerdicts(cluster: String) async throws {
        let one = try await run(Self.scenario(cluster))
        let many = try await run(Self.scenario(cluster, overrides: [("cluster.placement", "processes")]))
        #expect(one.guarantees.map(\.id) == many.guarantees.map(\.id))
        for (left, right) in zip(one.guarantees, many.guarantees) {
            #expect(left.verdict == right.verdict, "\(left.id): \(left.witness ?? "") \(right.witness ?? "")")
            #expect(left.promised == right.promised, "\(left.id)")
        }
        #expect(one.verdict == many.verdict, "\(one.reason); \(many.reason)")
        // The reference's thread does not drain, so that some of what was submitted last is not published.
        #expect(abs(one.delivery.published - many.delivery.published) <= one.delivery.published / 10)
        #expect(many.delivery.received > 0)
        #expect(many.delivery.lostByCause.keys == one.delivery.lostByCause.keys)
        #expect(many.scheduleSlip.count == one.scheduleSlip.count)
        for stage in [many.stages.write, many.stages.wire, many.stages.publish, many.stages.worker] {
            #expect(stage.count > 0)
        }
        for run in [one, many] {
            let load = try #require(run.resources.loadCPUSeconds)
            #expect(load > 0 && load < run.resources.clients[0].cpuSeconds)
        }
        #expect(Set(many.resources.instances.map(\.pid)).count == 2)
        #expect(Set(many.resources.instances.map(\.pid)).isDisjoint(with: [getpid()]))
    }

    @Test("An instance that cannot be started is told with its reason, and nothing is left")
    func noStart() async throws {
        let scenario = Self.scenario(
            "cluster: {instances: 2, placement: processes, redis: {url: 'redis://127.0.0.1:1'}}")
        let error = await #expect(throws: HarnessError.self) { try await run(scenario) }
        #expect(error?.code == .redisUnavailable)
    }

    @Test("A program that is no wsmlab is told as such")
    func wrongProgram() async throws {
        let scenario = try #require(Self.scenario("cluster: {placement: processes}"))
        let folder = NSTemporaryDirectory() + "wsmlab-test-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // A shell looks for a file of that name, and says so.
        for (program, words) in [("/bin/false", "exit code 1"), ("/bin/sh", "child"), ("/nowhere/wsmlab", "/nowhere")] {
            var options = RunOptions(folder: folder, bounds: .countsOnly)
            options.childProgram = program
            let error = await #expect(throws: HarnessError.self) {
                try await ScenarioRun.run(
                    scenario: scenario, options: options, progress: { _ in }, interruption: Interruption())
            }
            #expect(error?.code == .childFailed)
            #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        }
    }
}
