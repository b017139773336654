internal import Foundation
internal import Subprocess
internal import Synchronization
internal import SystemPackage
internal import WSMCore

/// Kills the run's processes when the run is gone: a process that a fault has stopped, or that hangs, cannot notice it by
/// itself.
///
/// A shell, which outlives the run by the time that it takes to notice the end of its input.
final class ProcessWarden: Sendable {
    /// Each line names a process that is to be killed at the end of the input, or takes it from the list again.
    private static let script = """
        pids=
        while read -r word pid; do
            case "$word" in
            watch) pids="$pids $pid" ;;
            forget) rest=; for known in $pids; do [ "$known" = "$pid" ] || rest="$rest $known"; done; pids=$rest ;;
            esac
        done
        for pid in $pids; do kill -KILL "$pid" 2>/dev/null; done
        """

    private let lines: AsyncStream<String>.Continuation
    private let watching: Task<Void, Never>

    /// Starts the warden; it ends with ``finish()``, or with the run.
    init() {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        lines = continuation
        watching = Task {
            var options = PlatformOptions()
            options.createSession = true
            _ = try? await run(
                .path("/bin/sh"), arguments: ["-c", Self.script, "wsmlab-warden"], platformOptions: options,
                input: .inputWriter, output: .discarded, error: .discarded
            ) { execution in
                for await line in stream { _ = try await execution.standardInputWriter.write(line + "\n") }
                try await execution.standardInputWriter.finish()
            }
        }
    }

    func watch(_ pid: Int32) { lines.yield("watch \(pid)") }
    func forget(_ pid: Int32) { lines.yield("forget \(pid)") }

    /// Lets it end; whom it still watches is killed.
    func finish() async {
        lines.finish()
        await watching.value
    }
}
