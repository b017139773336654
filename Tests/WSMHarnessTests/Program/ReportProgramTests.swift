import Foundation
import Testing

@testable import WSMHarness

@Suite("Reports of the program", .timeLimit(.minutes(5)))
struct ReportProgramTests {
    /// A short run whose threshold cannot be met.
    private static let scenario = """
        name: short
        warmup: 0s
        duration: 300ms
        cluster: {manager: memory}
        clients: {count: 2}
        workload: [{kind: broadcasts, rate: 100/s}]
        expect:
          thresholds:
            - delivery.received < 1
        """

    private func call() throws -> ProgramCall {
        let call = try ProgramCall()
        try call.write(Self.scenario, to: "Scenarios/short.yaml")
        return call
    }

    @Test("A run writes reports, points at its scenario, and keeps its verdict's exit code")
    func run() async throws {
        let call = try call()
        let answer = try await call.wsmlab(
            "run", "Scenarios/short.yaml", "--quiet", "--junit", "out/deep/junit.xml", "--markdown", "summary.md",
            "--annotations", "/dev/stderr", "--csv", "runs.csv", "--prometheus", "run.prom", "--bencher", "b.json",
            "--github-benchmark", "g.json", environment: ["GITHUB_WORKSPACE": call.folder])
        #expect([2, 4].contains(answer.exitCode))
        #expect(answer.output.contains("short: "))
        #expect(call.read("out/deep/junit.xml")?.contains("file=\"Scenarios/short.yaml\" line=\"9\"") == true)
        #expect(call.read("runs.csv")?.split(separator: "\r\n").count == 2)
        for name in ["summary.md", "run.prom", "b.json", "g.json"] {
            #expect(call.read(name)?.isEmpty == false, "\(name)")
        }
        #expect(answer.errors.hasPrefix("::error file=Scenarios/short.yaml,line="))

        let again = try await call.wsmlab("report", "Results/latest", "--annotations", "-")
        #expect(again.exitCode == 0)
        #expect(again.output == answer.errors)
        let summary = try await call.wsmlab("report", "Results/latest", "Results/latest")
        #expect(summary.output.components(separatedBy: "short: ").count == 3)

        // Without the file that the run was started with, the run folder's own says the lines.
        try FileManager.default.removeItem(atPath: "\(call.folder)/Scenarios/short.yaml")
        let moved = try await call.wsmlab("report", "Results/latest", "--annotations", "-")
        #expect(moved.output.hasPrefix("::error file=Results/latest/scenario.yaml,line="))
    }

    @Test("A report that cannot be written ends with 5, and the run is stored")
    func unwritable() async throws {
        let call = try call()
        try call.write("", to: "file")
        let answer = try await call.wsmlab(
            "run", "Scenarios/short.yaml", "--quiet", "--junit", "file/junit.xml", "--csv", "runs.csv")
        #expect(answer.exitCode == 5)
        #expect(answer.errors.contains("cannot write --junit file/junit.xml: Not a directory"))
        #expect(answer.errors.contains("wsmlab report Results/runs/short-"))
        #expect(answer.output.contains("short: "))
        #expect(call.read("runs.csv") != nil)
        #expect(try StoredResult.read(folder: "\(call.folder)/Results/latest").name == "short")
    }

    @Test("One report may take stdout; two, or one beside --format, are a mistake of usage")
    func standardOutput() async throws {
        let call = try call()
        let answer = try await call.wsmlab("run", "Scenarios/short.yaml", "--quiet", "--junit", "-")
        #expect(answer.output.hasPrefix("<?xml") && answer.output.hasSuffix("</testsuites>\n"))
        for words in [["--csv", "-"], ["--format", "json"]] {
            let command = ["report", "Results/latest", "--junit", "-"] + words
            let answer = try await call.run(RunningProgram.path, command)
            #expect(answer.exitCode == 64)
            #expect(answer.output.isEmpty)
        }
        let same = try await call.wsmlab("report", "Results/latest", "--junit", "a", "--csv", "a")
        #expect(same.exitCode == 64 && !call.exists("a"))
    }

    @Test("A job's summary is appended to, any other file replaced")
    func append() async throws {
        let call = try call()
        _ = try await call.wsmlab("run", "Scenarios/short.yaml", "--quiet")
        for name in ["step.md", "other.md"] {
            try call.write("before\n", to: name)
            _ = try await call.wsmlab(
                "report", "Results/latest", "--markdown", name, environment: ["GITHUB_STEP_SUMMARY": "step.md"])
        }
        #expect(call.read("step.md")?.hasPrefix("before\n# ") == true)
        #expect(call.read("other.md")?.hasPrefix("# ") == true)
    }

    @Test("A folder that is no run is named, and nothing is written")
    func damaged() async throws {
        let call = try call()
        _ = try await call.wsmlab("run", "Scenarios/short.yaml", "--quiet")
        try call.write("{}", to: "Results/runs/broken/result.json")
        let answer = try await call.wsmlab("report", "Results/latest", "Results/runs/broken", "--csv", "runs.csv")
        #expect(answer.exitCode == 65)
        #expect(answer.errors.contains("Results/runs/broken/result.json"))
        #expect(!call.exists("runs.csv"))
    }
}
