import Foundation
import Subprocess
import SystemPackage
import Testing

@testable import WSMHarness

@Suite("However the program ends, nothing of it is left", .serialized, .timeLimit(.minutes(5)))
struct ProgramEndTests {
    static func scenario(
        _ placement: String, duration: String = "30s", manager: String = "broadcast", redis: String = "{}"
    ) -> String {
        """
        name: ends
        warmup: 200ms
        duration: \(duration)
        cluster: {manager: \(manager), instances: 2, placement: \(placement), redis: \(redis)}
        clients: {count: 20, connectRate: 20/s}
        workload:
          - {kind: broadcasts, rate: 40/s, publishers: 2}
        """
    }

    /// Those that have been seen under the run, by their number; a number that something else has got by now is not theirs.
    func left(_ known: [Int32: String]) -> [String] {
        known.filter { RunningProgram.isAlive($0.key) && RunningProgram.commandLine(of: $0.key) == $0.value }
            .map { "\($0.key): \($0.value)" }.sorted()
    }

    func descendants(_ program: RunningProgram) -> [Int32: String] {
        program.descendants.reduce(into: [:]) { $0[$1] = RunningProgram.commandLine(of: $1) }
    }

    @Test("Killed with kill -9, also while a process of it stands still", arguments: ["in-process", "processes"])
    func killed(placement: String) async throws {
        let program = try RunningProgram.start([], scenario: Self.scenario(placement))
        try await program.awaitWord("measuring")
        let known = descendants(program)
        let children = known.filter { $0.value.hasSuffix("wsmlab child ") }.map(\.key).sorted()
        #expect(children.count == (placement == "processes" ? 3 : 0), "\(known)")
        #expect(known.values.contains { $0.contains("redis-server") }, "\(known)")
        for child in children.prefix(1) { kill(child, SIGSTOP) }
        program.signal(SIGKILL)
        _ = try await program.awaitExit()
        try await RunningProgram.wait("what is left to end: \(left(known))") { left(known).isEmpty }
        try await RunningProgram.wait("its temporary files to be gone") {
            (try? FileManager.default.contentsOfDirectory(atPath: program.temporary)) == []
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: program.runFolder) == ["trace.zst"])
    }

    @Test(
        "Killed with kill -9, no node of a cluster and no sentinel is left",
        arguments: [("{mode: cluster}", 3), ("{mode: sentinel}", 5)])
    func killedWithServers(redis: String, servers: Int) async throws {
        let program = try RunningProgram.start([], scenario: Self.scenario("in-process", redis: redis))
        try await program.awaitWord("measuring")
        let known = descendants(program)
        // Each with the shell that looks after it.
        #expect(
            known.values.filter { $0.contains("redis-server ") && !$0.contains("/bin/sh") }.count == servers, "\(known)"
        )
        program.signal(SIGKILL)
        _ = try await program.awaitExit()
        try await RunningProgram.wait("what is left to end: \(left(known))") { left(known).isEmpty }
        try await RunningProgram.wait("its temporary files to be gone") {
            (try? FileManager.default.contentsOfDirectory(atPath: program.temporary)) == []
        }
    }

    @Test(
        "Interrupted in any phase, it ends within 5 s with a result",
        arguments: ["connecting", "warm-up", "measuring", "draining"], ["in-process", "processes"])
    func interrupted(phase: String, placement: String) async throws {
        let duration = phase == "draining" ? "300ms" : "30s"
        let program = try RunningProgram.start([], scenario: Self.scenario(placement, duration: duration))
        try await program.awaitWord(phase)
        let known = descendants(program)
        program.signal(SIGINT)
        let seconds = try await program.awaitExit()
        #expect(seconds < 5, "\(seconds) s")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(program.runFolder)/result.json"))
        let result = try RunResult(json: bytes)
        // Once the load has ended by itself there is nothing to interrupt.
        if phase != "draining" {
            #expect(result.interrupted)
            #expect(program.exit == .exited(ExitCode.interrupted.rawValue))
        }
        #expect(result.delivery.isBalanced)
        #expect(left(known).isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: program.temporary) == [])
    }

    @Test("A comparison that is killed or interrupted leaves no run behind", arguments: [SIGKILL, SIGINT])
    func comparison(signal: Int32) async throws {
        let program = try RunningProgram.start(
            ["--vary", "cluster.instances=1,2"], command: "compare", scenario: Self.scenario("in-process"))
        try await program.awaitWord("run 1 of 6")
        let ownServers: () -> [Int32: String] = {
            descendants(program).filter { $0.value.contains("redis-server ") && !$0.value.contains("/bin/sh") }
        }
        try await RunningProgram.wait("the first run to have its Redis") { !ownServers().isEmpty }
        let known = descendants(program)
        program.signal(signal)
        _ = try await program.awaitExit()
        try await RunningProgram.wait("what is left to end: \(left(known))") { left(known).isEmpty }
        try await RunningProgram.wait("its temporary files to be gone") {
            (try? FileManager.default.contentsOfDirectory(atPath: program.temporary)) == []
        }
        if signal == SIGINT {
            #expect(program.exit == .exited(ExitCode.interrupted.rawValue))
            let stored = try StoredComparison.read([program.runFolder])
            #expect(stored.interrupted && stored.variants.allSatisfy(\.results.isEmpty))
        }
    }

    @Test("An instance that dies on its own is reported, and what it cost is accounted for")
    func childDies() async throws {
        let program = try RunningProgram.start([], scenario: Self.scenario("processes", duration: "3s"))
        try await program.awaitWord("measuring")
        let children = descendants(program).filter { $0.value.hasSuffix("wsmlab child ") }.map(\.key).sorted()
        // The first that was started.
        kill(try #require(children.first), SIGKILL)
        _ = try await program.awaitExit()
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(program.runFolder)/result.json"))
        let result = try RunResult(json: bytes)
        #expect(result.validity.verdict == .invalid)
        let reason = result.validity.reasons.first { $0.contains("instance 0") }
        #expect(reason?.contains("ended on its own") == true, "\(result.validity.reasons)")
        #expect(reason?.contains("signal 9") == true, "\(result.validity.reasons)")
        #expect(result.delivery.isBalanced)
        #expect(result.delivery.lostByCause["unexplained"] == nil, "\(result.delivery.lostByCause)")
        #expect(result.delivery.received > 0)
    }

    @Test("A process of a run that nobody's run has started says so and ends")
    func childByHand() async throws {
        let result = try await run(
            .path(FilePath(RunningProgram.path)), arguments: ["child"], input: .none, output: .discarded,
            error: .string(limit: 4096))
        #expect(result.terminationStatus == .exited(ExitCode.usage.rawValue))
        #expect(result.standardError.contains("wsmlab run"))
    }
}
