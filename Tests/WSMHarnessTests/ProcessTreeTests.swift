import Foundation
import Testing
import WSMCore
import WSMScenario

@testable import WSMHarness

@Suite("The processes of a target", .timeLimit(.minutes(2)))
struct ProcessTreeTests {
    /// Runs `body` with a shell that runs `script`; both are gone afterwards.
    private func withShell(_ script: String, _ body: (Process) async throws -> Void) async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script]
        process.standardInput = FileHandle.nullDevice
        try process.run()
        defer { process.terminate() }
        try await body(process)
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
        // The child ends by itself once its parent is gone.
        try await withShell("sh -c 'echo; while kill -0 $PPID; do :; done' >/dev/null 2>&1 & wait") { process in
            let root = process.processIdentifier
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
        try await withShell("sleep 60") { process in
            let pid = process.processIdentifier
            #expect(ProcessTree.exists(pid))
            let watch = TargetWatch(pids: [pid], redis: nil, open: OpenConnections())
            defer { watch.stop() }
            #expect(watch.mark().count == 1)
            process.terminate()
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
        try await withShell("sleep 60") { process in
            let address = "127.0.0.1:\(relay.port)"
            let text = """
                name: test
                warmup: 100ms
                duration: 1s
                target:
                  clients: ["ws://\(address)/events"]
                  publish: {via: http, url: "http://\(address)/publish"}
                  pids: [\(process.processIdentifier)]
                clients: {count: 2}
                workload: [{kind: broadcasts, rate: 20/s}]
                """
            let scenario = try #require(ScenarioFile.parse(text: text).scenario)
            let folder = NSTemporaryDirectory() + "wsmlab-test-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let pid = process.processIdentifier
            let outcome = try await ScenarioRun.run(
                scenario: scenario, options: RunOptions(folder: folder),
                progress: { if $0.phase == .measuring { kill(pid, SIGTERM) } }, interruption: Interruption())
            let result = outcome.result
            #expect(result.target?.endedProcesses.map(\.pid) == [pid])
            #expect(result.validity.verdict != .valid)
            #expect(result.validity.reasons.contains { $0.contains("process \(pid) of target.pids ended") })
            #expect(result.resources.instances.map(\.pid) == [pid])
            #expect(result.delivery.lost == 0)
        }
        await relay.stop()
    }
}
