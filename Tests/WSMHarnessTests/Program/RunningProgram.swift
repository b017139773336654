import Foundation
import Subprocess
import Synchronization
import SystemPackage
import Testing

@testable import WSMHarness

/// `wsmlab` as people start it, in a folder for temporary files of its own.
final class RunningProgram: Sendable {
    private struct State {
        var pid: Int32?
        var said = ""
        var exit: TerminationStatus?
        var failure: String?
    }

    /// The program that the package builds beside its tests.
    static let path: String = {
        let tests = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        return tests.appendingPathComponent("wsmlab").path
    }()

    /// Where it keeps temporary files, and the folder of its run.
    let folder = NSTemporaryDirectory() + "wsmlab-program-\(UUID().uuidString)"
    var temporary: String { "\(folder)/tmp" }
    var runFolder: String { "\(folder)/run" }
    private let state = Mutex(State())

    static func start(
        _ arguments: [String], command: String = "run", scenario: String
    ) throws -> RunningProgram {
        let program = RunningProgram()
        try FileManager.default.createDirectory(atPath: program.temporary, withIntermediateDirectories: true)
        try Data(scenario.utf8).write(to: URL(fileURLWithPath: "\(program.folder)/scenario.yaml"))
        let words = [command, "\(program.folder)/scenario.yaml", "--out", program.runFolder] + arguments
        Task { await program.run(words) }
        return program
    }

    private func run(_ words: [String]) async {
        do {
            let result = try await Subprocess.run(
                .path(FilePath(Self.path)), arguments: Arguments(words),
                environment: .inherit.updating(["TMPDIR": temporary]), input: .none, output: .discarded,
                error: .sequence
            ) { execution in
                state.withLock { $0.pid = execution.processIdentifier.value }
                for try await part in execution.standardError {
                    let text = part.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                    state.withLock { $0.said += text }
                }
            }
            state.withLock { $0.exit = result.terminationStatus }
        } catch {
            state.withLock { $0.failure = "\(error)" }
        }
    }

    deinit {
        if let pid = state.withLock({ $0.exit == nil ? $0.pid : nil }) { kill(pid, SIGKILL) }
        try? FileManager.default.removeItem(atPath: folder)
    }

    var pid: Int32 { state.withLock { $0.pid ?? 0 } }
    /// What it wrote to its standard error so far.
    var said: String { state.withLock { $0.said } }
    var exit: TerminationStatus? { state.withLock { $0.exit } }

    func signal(_ number: Int32) { kill(pid, number) }

    /// Waits until it says `word`.
    func awaitWord(_ word: String, _ location: SourceLocation = #_sourceLocation) async throws {
        try await Self.wait("it to say \(word), it said: \(said)", location) { self.said.contains(word) }
    }

    /// Waits until it has ended; returns how long that took, in seconds.
    func awaitExit(_ location: SourceLocation = #_sourceLocation) async throws -> Double {
        let start = ContinuousClock.now
        try await Self.wait("it to end", location) { self.exit != nil }
        let span = (ContinuousClock.now - start).components
        return Double(span.seconds) + Double(span.attoseconds) / 1e18
    }

    /// Its children and theirs that run now.
    var descendants: [Int32] {
        var known: Set<Int32> = [pid]
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
        let parents = all.reduce(into: [Int32: Int32]()) { $0[$1] = Self.parent(of: $1) }
        var hasGrown = true
        while hasGrown {
            hasGrown = false
            for (child, parent) in parents where known.contains(parent) && known.insert(child).inserted {
                hasGrown = true
            }
        }
        return known.subtracting([pid]).sorted()
    }

    static func isAlive(_ pid: Int32) -> Bool {
        guard let state = fields(of: pid)?.first else { return false }
        return state != "Z"
    }

    static func commandLine(of pid: Int32) -> String {
        let bytes = (try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/cmdline"))) ?? Data()
        return String(decoding: bytes.map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
    }

    private static func parent(of pid: Int32) -> Int32? { fields(of: pid).flatMap { Int32($0[1]) } }

    private static func fields(of pid: Int32) -> [Substring]? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 1 ? fields : nil
    }

    /// Waits for a condition, at most 60 s.
    static func wait(
        _ what: @autoclosure () -> String, _ location: SourceLocation = #_sourceLocation,
        _ isTrue: () -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !isTrue() {
            try #require(ContinuousClock.now < deadline, "waited in vain for \(what())", sourceLocation: location)
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
