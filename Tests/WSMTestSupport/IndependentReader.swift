internal import Foundation
internal import Subprocess
internal import SystemPackage

/// A reader that others wrote, which tests hold our files and figures against: a Python package, or a browser.
///
/// `make test` installs them with `scripts/readers/install.sh`. A test without its reader fails: it says what to do.
package enum IndependentReader {
    /// What a reader said.
    package struct Answer: Sendable {
        package var exitCode: Int32
        package var output: String
        package var errors: String
    }

    /// Why there is no answer.
    package struct Unavailable: Error, CustomStringConvertible {
        package var description: String
    }

    /// The package's folder: the one that this file is in, two above.
    package static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// Runs `scripts/readers/<script>` in the readers' Python.
    package static func python(_ script: String, _ arguments: [String]) async throws -> Answer {
        try await run("\(root)/.build/readers/bin/python", ["\(root)/scripts/readers/\(script)"] + arguments)
    }

    /// Runs a command that one of the packages installs, `check-jsonschema`.
    package static func command(_ name: String, _ arguments: [String]) async throws -> Answer {
        try await run("\(root)/.build/readers/bin/\(name)", arguments)
    }

    private static let outputLimit = 64 << 20
    private static let deadline = Duration.seconds(120)

    private static func run(_ program: String, _ arguments: [String]) async throws -> Answer {
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw Unavailable(description: "there is no \(program): scripts/readers/install.sh installs it")
        }
        var options = PlatformOptions()
        options.createSession = true
        let running = Task {
            let result = try await Subprocess.run(
                .path(FilePath(program)), arguments: Arguments(arguments), platformOptions: options, input: .none,
                output: .string(limit: outputLimit), error: .string(limit: outputLimit))
            guard case .exited(let code) = result.terminationStatus else {
                throw Unavailable(
                    description: "\(program) ended with \(result.terminationStatus): a signal, or in vain")
            }
            return Answer(
                exitCode: code, output: result.standardOutput, errors: result.standardError)
        }
        // A cancelled subprocess is killed.
        let limit = Task {
            try await Task.sleep(for: deadline)
            running.cancel()
        }
        defer { limit.cancel() }
        return try await running.value
    }
}
