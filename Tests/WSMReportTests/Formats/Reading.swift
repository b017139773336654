import Foundation
import Testing
import WSMReport
import WSMTestSupport

/// Lets independent readers read what a format writes.
enum Reading {
    /// What a script of `scripts/readers` makes of `text`, decoded.
    static func python<Value: Decodable>(
        _ script: String, _ text: String, as type: Value.Type, _ location: SourceLocation = #_sourceLocation
    ) async throws -> Value {
        let answer = try await withFile(text) { try await IndependentReader.python(script, [$0]) }
        try #require(answer.exitCode == 0, "\(script): \(answer.errors.suffix(2000))", sourceLocation: location)
        return try JSONDecoder().decode(type, from: Data(answer.output.utf8))
    }

    /// Whether `check-jsonschema` finds the document valid against a schema of `scripts/readers`.
    static func isValid(_ text: String, schema: String) async throws -> (Bool, words: String) {
        let answer = try await withFile(text) { path in
            try await IndependentReader.command(
                "check-jsonschema", ["--schemafile", "\(IndependentReader.root)/scripts/readers/\(schema)", path])
        }
        return (answer.exitCode == 0, answer.output + answer.errors)
    }

    private static func withFile<Value>(_ text: String, _ body: (String) async throws -> Value) async throws -> Value {
        let path = NSTemporaryDirectory() + "wsmlab-report-\(UUID().uuidString)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body(path)
    }
}
