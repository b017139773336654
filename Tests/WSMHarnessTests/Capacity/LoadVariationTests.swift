import Foundation
import Testing
import WSMScenario

@testable import WSMHarness

@Suite("How a load is put into a scenario")
struct LoadVariationTests {
    static let cluster = """
        name: small
        duration: 1s
        cluster: {manager: memory, instances: 2}
        clients: {count: 30, connectRate: 50/s}
        workload:
          - {kind: broadcasts, rate: 60/s, publishers: 2}
          - {kind: processes, rate: 2/s, steps: 4, subscriptions: 1}
        """

    /// A variation of a scenario's text, which is gone from the disk afterwards.
    private func with<Value>(
        _ variable: CapacityVariable, _ text: String = cluster, _ body: (LoadVariation) throws -> Value
    ) throws -> Value {
        let path = NSTemporaryDirectory() + "wsmlab-variation-\(UUID().uuidString).yaml"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let source = ScenarioSource(path: path)
        let loaded = source.load()
        let scenario = try #require(loaded.scenario, "\(loaded.diagnostics)")
        return try body(LoadVariation(variable, source: source, scenario: scenario))
    }

    @Test("A rate scales all workloads alike, from what the scenario has")
    func rate() throws {
        try with(.rate) { variation in
            // A process sends two messages for each of its four steps and for its end, and two for its subscription.
            #expect(variation.start == 60 + 2 * 12)
            let scenario = try #require(variation.source(168).load().scenario)
            #expect(scenario.workload.map(\.rate.perSecond) == [120, 4])
            #expect(variation.obstacle(168) == nil)
            #expect(variation.floor == 84.0 / 64)
        }
    }

    @Test("More clients connect at a higher rate, so that all are there within ten seconds")
    func clients() throws {
        try with(.clients) { variation in
            #expect(variation.start == 30)
            let few = try #require(variation.source(60).load().scenario)
            #expect(few.clients.count == 60 && few.clients.connectRate.perSecond == 50)
            let many = try #require(variation.source(6000).load().scenario)
            #expect(many.clients.connectRate.perSecond == 600)
        }
    }

    @Test("Instances are started as many as the load says")
    func instances() throws {
        try with(.instances) { variation in
            #expect(variation.start == 2)
            #expect(variation.source(5).load().scenario?.cluster.instances == 5)
            let ceiling = try variation.ceiling()
            #expect(ceiling.load == Double(Limits.instances.upperBound))
            #expect(!ceiling.obstacle.isEmpty)
        }
    }

    @Test("What the machine and the scenario format do not allow is known before a run")
    func ceilings() throws {
        try with(.clients) { variation in
            let ceiling = try variation.ceiling()
            #expect(ceiling.load >= 30 && ceiling.load < 10_000_000)
            #expect(ceiling.obstacle.contains("open files"), "\(ceiling)")
            #expect(variation.obstacle(ceiling.load) == nil)
        }
        try with(.rate) { variation in
            let ceiling = try variation.ceiling()
            #expect(variation.obstacle(ceiling.load) == nil)
            #expect(variation.obstacle(ceiling.load * 1.02) != nil)
        }
    }

    @Test(
        "What cannot be answered is refused in words",
        arguments: [
            (CapacityVariable.rate, "faults: [{at: 100ms, action: clients.disconnect}]", "faults=[]"),
            (.instances, "clients: {count: 3, assignment: {weights: [1, 2]}}", "weights"),
            (.rate, "clients: {count: 0}", "no clients"),
        ])
    func refused(variable: CapacityVariable, lines: String, words: String) throws {
        let own =
            lines.hasPrefix("clients")
            ? Self.cluster.replacingOccurrences(of: "clients: {count: 30, connectRate: 50/s}", with: lines)
            : "\(Self.cluster)\n\(lines)"
        #expect {
            try with(variable, own) { _ in }
        } throws: { error in
            (error as? HarnessError)?.code == .notSupported && "\(error)".contains(words)
        }
    }

    @Test("A limit on what the scenario's system never shows is refused before a run")
    func noSamples() throws {
        let text = """
            name: target
            duration: 1s
            target: {clients: ["ws://127.0.0.1:1/"], publish: {via: http, url: "http://127.0.0.1:1/"}}
            clients: {count: 3}
            workload: [{kind: broadcasts, rate: 1/s}]
            """
        let path = NSTemporaryDirectory() + "wsmlab-variation-\(UUID().uuidString).yaml"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let source = ScenarioSource(path: path)
        let scenario = try #require(source.load().scenario)
        let options = CapacitySearch.Options(limit: try Threshold.parse("stages.queue.p99 < 1ms").get())
        #expect {
            _ = try CapacitySearch(source: source, scenario: scenario, options: options)
        } throws: { error in
            (error as? HarnessError)?.code == .invalidData && "\(error)".contains("no samples with this target")
        }
    }

    @Test("A target has no instances to start")
    func target() throws {
        let text = """
            name: target
            duration: 1s
            target: {clients: ["ws://127.0.0.1:1/"], publish: {via: http, url: "http://127.0.0.1:1/"}}
            clients: {count: 3}
            workload: [{kind: broadcasts, rate: 1/s}]
            """
        #expect {
            try with(.instances, text) { _ in }
        } throws: { error in
            "\(error)".contains("target")
        }
        try with(.clients, text) { variation in #expect(variation.start == 3) }
    }
}
