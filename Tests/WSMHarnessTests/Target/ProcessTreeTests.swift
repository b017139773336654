import Foundation
import Testing
import WSMCore
import WSMScenario

@testable import WSMHarness

@Suite("The processes of a target", .timeLimit(.minutes(2)))
struct ProcessTreeTests {
    /// A shell that runs a script, killed with its process group when it is let go.
    private final class Shell {
        let pid: pid_t

        init(_ script: String) throws {
            var attributes = posix_spawnattr_t()
            posix_spawnattr_init(&attributes)
            defer { posix_spawnattr_destroy(&attributes) }
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            // The test's output must not stay open for as long as the shell lives.
            for stream in 0..<Int32(3) { posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0) }
            var all = sigset_t()
            sigfillset(&all)
            var none = sigset_t()
            sigemptyset(&none)
            posix_spawnattr_setsigmask(&attributes, &none)
            posix_spawnattr_setsigdefault(&attributes, &all)
            posix_spawnattr_setpgroup(&attributes, 0)
            posix_spawnattr_setflags(
                &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
            let words: [String] = ["sh", "-c", script]
            var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
            defer { for argument in arguments { free(argument) } }
            var pid: pid_t = 0
            let status = posix_spawn(&pid, "/bin/sh", &actions, &attributes, &arguments, environ)
            try #require(status == 0 && pid > 1, "posix_spawn: \(status)")
            self.pid = pid
        }

        /// Kills the group; the shell is then gone, though nobody has waited for it.
        func end() { kill(-pid, SIGKILL) }

        deinit {
            end()
            var status: Int32 = 0
            waitpid(pid, &status, 0)
        }
    }

    private func withShell(_ script: String, _ body: (Shell) async throws -> Void) async throws {
        let shell = try Shell(script)
        try await body(shell)
        shell.end()
    }

    private func eventually(_ what: String, _ condition: () -> Bool) async throws {
        let deadline = MonotonicInstant.now() + .seconds(30)
        while !condition() {
            guard MonotonicInstant.now() < deadline else {
                Issue.record("waited 30 s in vain for: \(what)")
                return
            }
            try await Task.sleep(nanoseconds: 5_000_000)
        }
    }

    @Test("What a child uses counts for its parent, unless it is named itself")
    func children() async throws {
        try await withShell("while :; do :; done & wait") { shell in
            let root = shell.pid
            func usage(_ pids: [Int32]) -> [ProcessTreeUsage] { ProcessTree.usage(of: pids) }
            try await eventually("the child's CPU time") { (usage([root]).first?.cpuSeconds ?? 0) > 0.1 }
            let whole = try #require(usage([root]).first)
            #expect(whole.pid == root)
            #expect(whole.rssBytes > 0)
            #expect(whole.peakRssBytes >= whole.rssBytes)
            let parent = getpid()
            let both = usage([root, parent])
            #expect(both.map(\.pid) == [root, parent])
            #expect(both[0].cpuSeconds >= whole.cpuSeconds)
        }
    }

    @Test("A process that is gone has no use, and its last figures are kept")
    func ended() async throws {
        try await withShell("sleep 60") { shell in
            let pid = shell.pid
            #expect(ProcessTree.exists(pid))
            let watch = TargetWatch(pids: [pid], redis: nil, open: OpenConnections())
            defer { watch.stop() }
            #expect(watch.mark().count == 1)
            shell.end()
            try await eventually("the process to be gone") { !ProcessTree.exists(pid) }
            let after = try #require(watch.mark().first)
            #expect(after.pid == pid)
            #expect(after.rssBytes > 0)
            #expect(watch.ended[pid] != nil)
            #expect(ProcessTree.usage(of: [pid]).isEmpty)
            #expect(watch.redisState == nil)
        }
    }

    @Test("A process of target.pids that dies during the run is named among the reasons")
    func diesInTheRun() async throws {
        let relay = try await RelayServer.start()
        try await withShell("sleep 60") { shell in
            let pid = shell.pid
            let address = "127.0.0.1:\(relay.port)"
            let text = """
                name: test
                warmup: 100ms
                duration: 1s
                target:
                  clients: ["ws://\(address)/events"]
                  publish: {via: http, url: "http://\(address)/publish"}
                  pids: [\(pid)]
                clients: {count: 2}
                workload: [{kind: broadcasts, rate: 20/s}]
                """
            let result = try await TestRun.perform(
                text: text, progress: { if $0.phase == .measuring { kill(-pid, SIGKILL) } })
            #expect(result.target?.endedProcesses.map(\.pid) == [pid])
            #expect(result.validity.verdict != .valid)
            #expect(result.validity.reasons.contains { $0.contains("process \(pid) of target.pids ended") })
            #expect(result.resources.instances.map(\.pid) == [pid])
            #expect(result.delivery.lost == 0)
        }
        await relay.stop()
    }
}
