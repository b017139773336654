import Foundation
import Testing
import WSMCore
import WSMTestSupport

@testable import WSMScenario

@Suite("The JSON Schema of the format")
struct SchemaTests {
    @Test("The schema beside the scenarios is up to date")
    func upToDate() throws {
        let stored = try SourceText.contents(path: "\(scenariosFolder)/scenario.schema.json").get()
        #expect(
            String(decoding: stored, as: UTF8.self) == ScenarioSchema.json(),
            "write it anew: wsmlab schema > Scenarios/scenario.schema.json")
    }

    @Test("It is JSON, and has each key of the format with its description")
    func keys() throws {
        let root = try #require(JSONSerialization.jsonObject(with: Data(ScenarioSchema.json().utf8)) as? [String: Any])
        #expect(root["$schema"] as? String == "http://json-schema.org/draft-07/schema#")
        #expect(root["required"] as? [String] == ["name", "duration"])
        compare(root, with: ScenarioFormat.root, path: "")
        let properties = try #require(root["properties"] as? [String: [String: Any]])
        let cluster = try #require(properties["cluster"]?["properties"] as? [String: [String: Any]])
        #expect(cluster["manager"]?["enum"] as? [String] == ["memory", "broadcast"])
        #expect(cluster["instances"]?["maximum"] as? Int == 1000)
        let items = try #require(properties["workload"]?["items"] as? [String: Any])
        let kinds = try #require(items["oneOf"] as? [[String: Any]])
        #expect(kinds.count == ScenarioFormat.workloads.count)
        for (kind, variant) in zip(kinds, ScenarioFormat.workloads) {
            #expect((kind["required"] as? [String])?.prefix(2) == ["kind", "rate"])
            compare(kind, with: variant.format, path: variant.word, alsoKnown: ["kind"])
        }
    }

    private func compare(_ schema: [String: Any], with format: MapFormat, path: String, alsoKnown: Set<String> = []) {
        let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
        #expect(Set(properties.keys) == Set(format.keys.map(\.name)).union(alsoKnown), "\(path)")
        #expect(schema["additionalProperties"] as? Bool == false, "\(path)")
        for key in format.keys {
            let description = properties[key.name]?["description"] as? String ?? ""
            #expect(description.hasPrefix(key.summary), "\(path).\(key.name)")
            if case .map(let inner) = key.shape {
                compare(properties[key.name] ?? [:], with: inner, path: "\(path).\(key.name)")
            }
        }
    }

    @Test("Its patterns take what the parser takes, and refuse what it refuses")
    func patterns() throws {
        let root = try #require(JSONSerialization.jsonObject(with: Data(ScenarioSchema.json().utf8)) as? [String: Any])
        let definitions = try #require(root["definitions"] as? [String: [String: Any]])
        let texts = [
            "250ms", "10s", "2 m", "1.5h", "3µs", "50", "10 parsecs", "5ms/s", "-1s", "", "50/s", "5k/s", "0.2/s",
            "5 M/s",
            "256B", "64KiB", "4KiB/s", "1kB/s", "5%", "0.5 %", "20ms,", "exponential(20ms)", "uniform(10ms, 30ms)",
            "lognormal(20ms, 0.5)", "normal(20ms)", "exponential(20)", "1.s", ".5s", "5MB", "5KB", "lognormal(20ms)",
        ]
        let readers: [(String, (String) throws -> Void)] = [
            ("duration", { _ = try QuantityReader.duration($0) }), ("rate", { _ = try QuantityReader.rate($0) }),
            ("size", { _ = try QuantityReader.size($0) }), ("speed", { _ = try QuantityReader.byteRate($0) }),
            ("share", { _ = try QuantityReader.share($0) }),
            ("distribution", { _ = try QuantityReader.distribution($0) }),
        ]
        for (name, read) in readers {
            let pattern = try Regex(try #require(definitions[name]?["pattern"] as? String))
            for text in texts {
                let isRead = (try? read(text)) != nil
                #expect((text.wholeMatch(of: pattern) != nil) == isRead, "\(name): \(text)")
            }
        }
        let threshold = try Regex(try #require(definitions["threshold"]?["pattern"] as? String))
        #expect("latency.p99 < 50ms".wholeMatch(of: threshold) != nil)
        #expect("delivery.lostByCause.other-instance>0".wholeMatch(of: threshold) != nil)
        #expect("latency.p99 != 50ms".wholeMatch(of: threshold) == nil)
    }

    @Test("check-jsonschema takes the scenarios of the repository and those that runs write", .timeLimit(.minutes(5)))
    func validScenarios() async throws {
        var generator = RandomScenario(seed: 3)
        let written = (0..<20).map { _ in generator.draw().yaml() }
        let templates = ScenarioTemplate.allCases.map { $0.text(name: "new") }
        let stored = try FileManager.default.contentsOfDirectory(atPath: scenariosFolder)
            .filter { $0.hasSuffix(".yaml") }.map { "\(scenariosFolder)/\($0)" }
        #expect(stored.count >= repositoryScenarios.count)
        let answer = try await check(written + templates, and: stored)
        #expect(answer.exitCode == 0, "\(answer.output)")
    }

    @Test("It refuses what the program refuses", .timeLimit(.minutes(5)))
    func wrongScenarios() async throws {
        let wrong = [
            "name: a", "name: a\nduration: 5s\ncluster: {}\nnam: b", "name: a\nduration: 5\ncluster: {}",
            "name: a\nduration: 5s\ncluster: {instances: 0}",
            "name: a\nduration: 5s\ncluster: {}\nworkload: [{kind: x}]",
            "name: a\nduration: 5s\ncluster: {redis: {mode: embedded, url: 'redis://h'}}", "name: a\nduration: 5s",
            "name: a\nduration: 5s\ncluster: {}\nworkload: [{kind: engine-status, rate: 1/s, steps: 3}]",
        ]
        let answer = try await check(wrong)
        #expect(answer.exitCode == 1)
        for index in wrong.indices { #expect(answer.output.contains("/\(index).yaml::"), "\(wrong[index])") }
        for text in wrong { #expect(ScenarioFile.parse(text: text).scenario == nil) }
    }

    /// Lets check-jsonschema read texts, as `0.yaml` and so on, and files that are there already.
    private func check(_ texts: [String], and files: [String] = []) async throws -> IndependentReader.Answer {
        let folder = NSTemporaryDirectory() + "wsmlab-schema-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let paths = try texts.enumerated().map { index, text in
            let path = "\(folder)/\(index).yaml"
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            return path
        }
        return try await IndependentReader.command(
            "check-jsonschema",
            ["--schemafile", "\(scenariosFolder)/scenario.schema.json", "--color", "never"] + paths + files)
    }
}
