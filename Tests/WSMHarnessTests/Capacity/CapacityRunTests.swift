import Foundation
import NIOCore
import Synchronization
import Testing
import WSMCore
import WSMScenario

@testable import WSMHarness

/// A server that takes the same time for each message: the next one leaves that much after the one before.
///
/// It loses nothing and refuses nobody; what is too much waits, however long.
private final class ServiceQueue: Sendable {
    private let interval: Int64
    private let free = Mutex(NIODeadline.uptimeNanoseconds(0))

    init(perSecond: Double) {
        interval = Int64(1e9 / perSecond)
    }

    /// When a message that comes now has been served.
    func departure() -> NIODeadline {
        free.withLock { free in
            free = max(free, .now()) + .nanoseconds(interval)
            return free
        }
    }
}

@Suite("The capacity of a system with a known limit", .serialized, .timeLimit(.minutes(6)))
struct CapacityRunTests {
    /// A folder with a scenario in it, which is gone afterwards.
    private func withScenario(
        _ text: String, _ body: (_ folder: String, ScenarioSource, Scenario) async throws -> Void
    ) async throws {
        let folder = NSTemporaryDirectory() + "wsmlab-capacity-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/scenario.yaml"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let source = ScenarioSource(path: path)
        let loaded = source.load()
        try await body(folder, source, try #require(loaded.scenario, "\(loaded.diagnostics)"))
    }

    private func options(_ limit: String, folder: String) throws -> CapacitySearch.Options {
        var options = CapacitySearch.Options(limit: try Threshold.parse(limit).get())
        options.folder = "\(folder)/found"
        options.program = RunningProgram.path
        // Beside a whole test suite the generator is late; what is asked here is whether the search finds the number.
        options.trustsGenerator = true
        return options
    }

    /// The median latency is held against the limit: a busy machine that stands still now and then does not move it, and
    /// a queue that grows by 3 % of the time does.
    @Test("A relay that passes exactly N messages a second is found to carry N, within 5 %", arguments: [180.0, 310])
    func known(perSecond: Double) async throws {
        let queue = ServiceQueue(perSecond: perSecond)
        let relay = try await RelayServer.start { _ in .init(deliverAt: queue.departure()) }
        let text = """
            name: relay
            warmup: 100ms
            duration: 2s
            target:
              clients: ["ws://127.0.0.1:\(relay.port)/events"]
              publish: {via: http, url: "http://127.0.0.1:\(relay.port)/publish"}
            clients: {count: 4, connectRate: 500/s}
            workload:
              - {kind: broadcasts, rate: 60/s, arrival: constant, publishers: 2, payload: 300B}
              - {kind: broadcasts, rate: 40/s, arrival: constant, publishers: 1, payload: 300B}
            """
        try await withScenario(text) { folder, source, scenario in
            var options = try options("latency.p50 < 33ms", folder: folder)
            options.timeLimit = .seconds(150)
            let outcome = try await CapacitySearch(source: source, scenario: scenario, options: options).perform(
                interruption: Interruption(), progress: { _ in })
            let result = outcome.result
            let told = "\(result.points.map { "\($0.load) \($0.outcome) \($0.runs.map(\.p50))" })"
            #expect(result.verdict == .found, "\(result.reason) \(told)")
            let knee = try #require(result.knee, "\(told)")
            #expect(abs(knee.load / perSecond - 1) <= 0.05, "\(told)")
            // Each message reaches all four, and the last ones may arrive when the window is over.
            #expect(abs(knee.deliveriesPerSecond / (4 * perSecond) - 1) <= 0.1, "\(told)")
            #expect(result.exhausted == CapacityResource.target.rawValue)
            #expect(result.exitCode == ExitCode.passed.rawValue)
            #expect(result.points.allSatisfy { $0.lost == 0 }, "\(told)")
            let missed = try #require(result.bracket.missed)
            #expect(missed > knee.load && missed <= knee.load * 1.05)
            let stored = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/found/\(CapacitySearch.resultName)"))
            #expect(try CapacityResult(json: stored) == result)
            for run in result.points.flatMap(\.runs) {
                #expect(FileManager.default.fileExists(atPath: "\(folder)/found/\(run.folder)/result.json"))
            }
        }
        await relay.stop()
    }

    static let cluster = """
        name: small
        warmup: 100ms
        duration: 400ms
        cluster: {manager: memory, instances: 1}
        clients: {count: 3, transport: direct}
        workload:
          - {kind: broadcasts, rate: 50/s, publishers: 1, arrival: constant}
        """

    @Test("An interrupted search keeps what was carried until then, and says that it was interrupted")
    func interrupted() async throws {
        try await withScenario(Self.cluster) { folder, source, scenario in
            let interruption = Interruption()
            var options = try options("latency.p99 < 1s", folder: folder)
            options.repeats = 1
            let seen = Mutex<[CapacitySearch.Progress]>([])
            let outcome = try await CapacitySearch(source: source, scenario: scenario, options: options).perform(
                interruption: interruption
            ) { progress in
                seen.withLock { $0.append(progress) }
                if progress.done == 2 { interruption.request() }
            }
            let result = outcome.result
            #expect(result.interrupted && result.exitCode == ExitCode.interrupted.rawValue)
            #expect(result.bracket == .init(carried: 100))
            #expect(result.points.map(\.load) == [50, 100])
            #expect(seen.withLock { $0.map(\.load) } == [50, 100, 200])
            #expect(seen.withLock { $0.last?.carried } == 100)
            #expect(FileManager.default.fileExists(atPath: "\(folder)/found/\(CapacitySearch.resultName)"))
        }
    }

    @Test("A search whose time is over ends with the bracket that it has")
    func outOfTime() async throws {
        try await withScenario(Self.cluster) { folder, source, scenario in
            var options = try options("latency.p99 < 1s", folder: folder)
            options.timeLimit = .milliseconds(1)
            let outcome = try await CapacitySearch(source: source, scenario: scenario, options: options).perform(
                interruption: Interruption(), progress: { _ in })
            #expect(outcome.result.verdict == .unsettled)
            #expect(outcome.result.points.reduce(0) { $0 + $1.runs.count } <= 1)
        }
    }

    @Test("A program that cannot run the scenario is an error, and leaves nothing behind")
    func unfit() async throws {
        try await withScenario(Self.cluster) { folder, source, scenario in
            var options = try options("latency.p99 < 1s", folder: folder)
            options.program = "/nowhere/wsmlab"
            let search = try CapacitySearch(source: source, scenario: scenario, options: options)
            await #expect(throws: HarnessError.self) {
                _ = try await search.perform(interruption: Interruption(), progress: { _ in })
            }
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/found"))
        }
    }
}
