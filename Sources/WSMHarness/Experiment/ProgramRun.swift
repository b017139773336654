internal import Foundation
internal import Subprocess
internal import Synchronization
internal import SystemPackage
internal import WSMCore

/// One run of a scenario by a wsmlab of its own, this build or another one.
///
/// A process for each run, so that no run finds the memory, the threads or the descriptors of an earlier one.
package struct ProgramRun: Sendable {
    /// This very program, also after its file has been replaced by a new build.
    package static let ownProgram = "/proc/\(getpid())/exe"

    var program: String
    var source: ScenarioSource
    /// The run folder.
    var folder: String
    /// From the start until it must have ended by itself.
    var deadline: TimeSpan

    /// Runs its arguments and asks them to end once nobody holds the other end of its input any more.
    ///
    /// That is so, too, when who started it is killed.
    private static let script = """
        exec 3<&0
        "$@" </dev/null 3<&- &
        run=$!
        { read -r word; kill -TERM "$run"; } <&3 2>/dev/null &
        watcher=$!
        exec 3<&-
        wait "$run"
        status=$?
        kill "$watcher" 2>/dev/null
        exit "$status"
        """

    /// How long a run that was asked to end may take before it is killed; by itself it takes at most 5 s.
    private static let grace = TimeSpan.seconds(20)
    private static let lastWordsLimit = 4096

    /// What messages call the program.
    private var name: String { program == Self.ownProgram ? "this wsmlab" : program }

    /// Performs the run and reads its result, whatever the verdict.
    ///
    /// A request on `interruption` ends it in order, with a result that is marked `interrupted`.
    ///
    /// - Throws: ``HarnessError`` when the run could not take place, ended on its own, or not in time.
    func perform(interruption: Interruption) async throws -> RunResult {
        let line = try LifeLine()
        let words = Mutex<[UInt8]>([])
        let status: TerminationStatus
        do {
            var options = PlatformOptions()
            // Ctrl-C in a terminal goes to the experiment alone, which then ends its runs in order.
            options.createSession = true
            status = try await Subprocess.run(
                .path("/bin/sh"), arguments: Arguments(["-c", Self.script, "wsmlab-run", program] + arguments),
                platformOptions: options,
                input: .fileDescriptor(FileDescriptor(rawValue: line.theirs), closeAfterSpawningProcess: true),
                output: .discarded, error: .sequence
            ) { execution in
                let watches = watch(execution.processIdentifier.value, line, interruption)
                defer { for watch in watches { watch.cancel() } }
                for try await part in execution.standardError {
                    let bytes = part.withUnsafeBytes { Array($0) }
                    words.withLock { $0 = Array(($0 + bytes).suffix(Self.lastWordsLimit)) }
                }
            }.terminationStatus
        } catch {
            throw HarnessError(.childFailed, "cannot start \(name)", cause: error)
        }
        let said = String(decoding: words.withLock { $0 }, as: UTF8.self)
        let result = try result(status, said: said.trimmingCharacters(in: .whitespacesAndNewlines))
        if result.interrupted, !interruption.isRequested {
            let limit = Int(deadline.seconds)
            throw HarnessError(
                .childFailed, "a run by \(name) was interrupted, or did not end by itself within \(limit) s")
        }
        return result
    }

    private var arguments: [String] {
        ["run", source.path, "--out", folder, "--quiet"]
            + source.changes.flatMap { ["--set", "\($0.key)=\($0.value)"] }
    }

    /// Asks the run to end when somebody asks the experiment to, and at the deadline; what has not ended by then is killed.
    private func watch(
        _ session: pid_t, _ line: LifeLine, _ interruption: Interruption
    ) -> [Task<Void, any Error>] {
        let end: @Sendable () async throws -> Void = {
            line.letGo()
            try await Task.sleep(nanoseconds: UInt64(Self.grace.nanoseconds))
            kill(-session, SIGKILL)
        }
        let limit = UInt64(deadline.nanoseconds)
        return [
            Task {
                await interruption.wait()
                try Task.checkCancellation()
                try await end()
            },
            Task {
                try await Task.sleep(nanoseconds: limit)
                try await end()
            },
        ]
    }

    // MARK: What came of it

    private func result(_ status: TerminationStatus, said: String) throws -> RunResult {
        let reason = said.isEmpty ? "it gave no reason" : said
        guard case .exited(let number) = status, let code = ExitCode(rawValue: number) else {
            throw HarnessError(.childFailed, "\(name) did not end by itself (\(status)): \(reason)")
        }
        switch code {
        case .passed, .thresholdMissed, .guaranteeViolated, .inconclusive, .interrupted: break
        case .environment: throw HarnessError(.groundMissing, "a run by \(name) could not take place: \(reason)")
        case .usage, .invalidData:
            throw HarnessError(.invalidData, "\(name) does not run this scenario: \(reason)")
        case .internalError: throw HarnessError(.childFailed, "\(name) failed: \(reason)")
        }
        return try StoredResult.read(folder: folder)
    }
}
