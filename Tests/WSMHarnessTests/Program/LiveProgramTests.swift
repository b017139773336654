import Foundation
import Subprocess
import Testing
import WSMCore
import WSMTestSupport

@testable import WSMHarness

@Suite("wsmlab run --live", .serialized, .timeLimit(.minutes(5)))
struct LiveProgramTests {
    /// What `scripts/readers/live_viewer.py` heard.
    struct Heard: Decodable {
        struct Text: Decodable {
            var type: String
            var phase: String?
            var startMilliseconds: [Double]?
            var verdict: String?
            var word: String?
            var reason: String?
            var exitCode: Int32?
            var folder: String?
        }
        struct Viewer: Decodable {
            var texts: [Text]
            var code: Int?
        }
        var page: Int
        var policy: String
        var viewers: [Viewer]
    }

    private func address(_ program: RunningProgram) async throws -> String {
        try await RunningProgram.wait("the address, it said: \(program.said)") {
            program.said.contains("live: http://127.0.0.1:") && program.said.contains("/\n")
        }
        let line = try #require(program.said.split(separator: "\n").first { $0.hasPrefix("live: ") })
        return String(line.dropFirst(6))
    }

    private func watch(_ program: RunningProgram, late: Int) async throws -> Heard {
        let answer = try await IndependentReader.python("live_viewer.py", [try await address(program), "\(late)"])
        try #require(answer.exitCode == 0, "\(answer.errors.suffix(2000))")
        return try JSONDecoder().decode(Heard.self, from: Data(answer.output.utf8))
    }

    @Test(
        "Viewers follow a run to its verdict; one that joins late gets what was before", arguments: [[], ["--quiet"]])
    func viewers(flags: [String]) async throws {
        let program = try RunningProgram.start(
            ["--live", "0"] + flags, scenario: ProgramEndTests.scenario("in-process", duration: "3s", manager: "memory")
        )
        let heard = try await watch(program, late: 8)
        _ = try await program.awaitExit()
        let result = try RunResult(
            json: try Data(contentsOf: URL(fileURLWithPath: "\(program.runFolder)/result.json")))
        #expect(heard.page > 10_000 && heard.policy.contains("script-src 'sha256-"))
        try #require(heard.viewers.count == 2)
        for viewer in heard.viewers {
            #expect(viewer.code == 1000 && viewer.texts.count > 3)
            #expect(viewer.texts.first?.type == "history" && viewer.texts.dropFirst().first?.type == "state")
            let end = try #require(viewer.texts.last)
            #expect(end.type == "end" && end.verdict == result.verdict.rawValue && end.reason == result.reason)
            #expect(end.exitCode == result.exitCode && end.folder == program.runFolder)
            #expect(
                viewer.texts.contains { $0.phase == "measuring" } && viewer.texts.contains { $0.phase == "closing" })
        }
        let before = try #require(heard.viewers[1].texts.first?.startMilliseconds)
        #expect(before.count > 2 && before == before.sorted())
        #expect(flags.isEmpty || program.said.split(separator: "\n").count == 1, "\(program.said)")
    }

    @Test("Interrupted, it still tells the viewers how it ended, and ends in time")
    func interrupted() async throws {
        let program = try RunningProgram.start(
            ["--live", "0"], scenario: ProgramEndTests.scenario("in-process", manager: "memory"))
        let watching = Task { try await watch(program, late: 1) }
        try await program.awaitWord("measuring")
        program.signal(SIGINT)
        let seconds = try await program.awaitExit()
        #expect(seconds < 5, "\(seconds) s")
        for viewer in try await watching.value.viewers {
            #expect(viewer.code == 1000 && viewer.texts.last?.word == "INTERRUPTED")
            #expect(viewer.texts.last?.exitCode == ExitCode.interrupted.rawValue)
        }
    }

    @Test("A port that is no port, or for a run that is none, is a usage error; a taken one is told before the run")
    func ports() async throws {
        let call = try ProgramCall()
        try call.write(ProgramEndTests.scenario("in-process", manager: "memory"), to: "s.yaml")
        for port in ["-1", "65536", "x", ""] {
            #expect(try await call.wsmlab("run", "s.yaml", "--live=\(port)").exitCode == 64, "\(port)")
        }
        let dry = try await call.wsmlab("run", "s.yaml", "--live", "0", "--dry-run")
        #expect(dry.exitCode == 64 && dry.output.isEmpty && dry.errors.contains("--dry-run"))
        let other = try await LiveServer.start(port: 0, content: .init(page: "", script: "'none'", greeting: { [] }))
        let taken = try await call.wsmlab("run", "s.yaml", "--out", "out", "--live", "\(other.port)")
        await other.finish(last: nil, deadline: .milliseconds(100))
        #expect(taken.exitCode == 5 && taken.errors.contains("--live 0"), "\(taken.errors)")
        #expect(!call.exists("out") && !taken.errors.contains("starting"))
    }

    @Test("A run that cannot take place tells its viewers nothing of a result, and keeps its exit code")
    func failed() async throws {
        let program = try RunningProgram.start(
            ["--live", "0"],
            scenario: ProgramEndTests.scenario("in-process", redis: "{url: 'redis://127.0.0.1:1'}"))
        _ = try await address(program)
        _ = try await program.awaitExit()
        #expect(program.exit == .exited(ExitCode.environment.rawValue))
    }
}
