import Foundation
import Testing
import WSMCore

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

    @Test(
        "An independent reader takes the scenarios of the repository and refuses wrong ones",
        .enabled("needs python3 with the modules jsonschema and yaml", { await Python.hasModules }))
    func independentReader() async throws {
        let wrong = [
            "name: a", "name: a\nduration: 5s\ncluster: {}\nnam: b", "name: a\nduration: 5\ncluster: {}",
            "name: a\nduration: 5s\ncluster: {instances: 0}",
            "name: a\nduration: 5s\ncluster: {}\nworkload: [{kind: x}]",
            "name: a\nduration: 5s\ncluster: {redis: {mode: embedded, url: 'redis://h'}}", "name: a\nduration: 5s",
            "name: a\nduration: 5s\ncluster: {}\nworkload: [{kind: engine-status, rate: 1/s, steps: 3}]",
        ]
        let right = try repositoryScenarios.map { name in
            String(decoding: try SourceText.contents(path: "\(scenariosFolder)/\(name).yaml").get(), as: UTF8.self)
        }
        var generator = RandomScenario(seed: 3)
        let written = (0..<20).map { _ in generator.draw().yaml() }
        let input = try JSONSerialization.data(withJSONObject: [
            "schema": ScenarioSchema.json(), "right": right + written, "wrong": wrong,
        ])
        let output = try await Python.run(
            """
            import json, sys, jsonschema, yaml
            given = json.load(sys.stdin)
            schema = json.loads(given["schema"])
            jsonschema.Draft7Validator.check_schema(schema)
            validator = jsonschema.Draft7Validator(schema)
            for text in given["right"]:
                for error in validator.iter_errors(yaml.safe_load(text)):
                    print("refused:", error.message, list(error.path))
            for text in given["wrong"]:
                if validator.is_valid(yaml.safe_load(text)):
                    print("taken:", text)
            print("done")
            """, input: input)
        #expect(output == "done\n")
        for text in wrong { #expect(ScenarioFile.parse(text: text).scenario == nil) }
    }
}

/// Runs python3 without blocking a thread of the test.
enum Python {
    /// Whether the modules that the schema test needs can be imported.
    static var hasModules: Bool {
        get async { (try? await run("import jsonschema, yaml\nprint('yes')", input: Data())) == "yes\n" }
    }

    /// What `program` writes to its standard output, given `input`.
    static func run(_ program: String, input: Data) async throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wsmlab-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (inputFile, outputFile) = (folder.appendingPathComponent("in"), folder.appendingPathComponent("out"))
        try input.write(to: inputFile)
        try Data().write(to: outputFile)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", program]
        process.standardInput = try FileHandle(forReadingFrom: inputFile)
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        process.standardError = FileHandle.nullDevice
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in continuation.resume() }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
        return String(decoding: try Data(contentsOf: outputFile), as: UTF8.self)
    }
}
