import Foundation
import Subprocess
import SystemPackage

/// One call of `wsmlab` (or of a shell that calls it) in a folder of its own, which is gone with it.
final class ProgramCall: Sendable {
    /// What came of it.
    struct Answer {
        var exitCode: Int32?
        var output: String
        var errors: String
    }

    let folder = NSTemporaryDirectory() + "wsmlab-call-\(UUID().uuidString)"

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func wsmlab(_ words: String..., environment: [String: String] = [:]) async throws -> Answer {
        try await run(RunningProgram.path, words, environment: environment)
    }

    func run(_ program: String, _ words: [String], environment: [String: String] = [:]) async throws -> Answer {
        let result = try await Subprocess.run(
            .path(FilePath(program)), arguments: Arguments(words),
            environment: .inherit.updating(
                Dictionary(uniqueKeysWithValues: environment.map { (.init(stringLiteral: $0.key), $0.value) })),
            workingDirectory: FilePath(folder), input: .none, output: .string(limit: 1 << 24),
            error: .string(limit: 1 << 24))
        var code: Int32?
        if case .exited(let status) = result.terminationStatus { code = status }
        return Answer(exitCode: code, output: result.standardOutput, errors: result.standardError)
    }

    func write(_ text: String, to name: String) throws {
        let path = "\(folder)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    /// A file's text; `nil` where there is none.
    func read(_ name: String) -> String? {
        FileManager.default.contents(atPath: "\(folder)/\(name)").map { String(decoding: $0, as: UTF8.self) }
    }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(folder)/\(name)") }
}
