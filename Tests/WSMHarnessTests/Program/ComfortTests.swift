import Foundation
import Testing

@testable import WSMHarness

@Suite("Comfort of the program: new, list, completions", .timeLimit(.minutes(5)))
struct ComfortTests {
    @Test("A new scenario is valid and named as its file, and nothing is overwritten without --force")
    func new() async throws {
        let call = try ProgramCall()
        let answer = try await call.wsmlab("new", "mine.yaml", "--template", "faults")
        #expect(answer.exitCode == 0)
        let text = try #require(call.read("mine.yaml"))
        #expect(text.contains("\nname: mine\n"))
        #expect(try await call.wsmlab("validate", "mine.yaml").exitCode == 0)

        let again = try await call.wsmlab("new", "mine.yaml")
        #expect(again.exitCode == 5 && again.errors.contains("mine.yaml is there already"))
        #expect(call.read("mine.yaml") == text)
        #expect(try await call.wsmlab("new", "mine.yaml", "--force").exitCode == 0)
        #expect(call.read("mine.yaml") != text)
        #expect(try await call.wsmlab("new", "a b.yaml").exitCode == 64)
        #expect(try await call.wsmlab("new", "no/such/folder/x.yaml").exitCode == 5)
        #expect(try await call.wsmlab("new", "-").output.hasPrefix("# yaml-language-server"))
    }

    /// A folder with two runs and what is none.
    private func stored() throws -> ProgramCall {
        let call = try ProgramCall()
        for (name, start) in [("old", "2026-01-01T00:00:00Z"), ("young", "2026-02-01T00:00:00Z")] {
            var result = RunResult(
                name: name, seed: 1, startedAt: start, durationNanoseconds: 1,
                environment: RunEnvironment(version: "0", swift: "6", kernel: "Linux", cores: 2))
            result.delivery = DeliveryCounts(expected: 4, received: 3, lost: 1, lostByCause: ["evicted": 1])
            result.judge()
            try call.write(String(decoding: try result.json(), as: UTF8.self), to: "Results/runs/\(name)-1/result.json")
        }
        try call.write("{\"schema\": 1", to: "Results/runs/broken/result.json")
        try call.write("", to: "Results/runs/empty/trace.zst")
        try call.write("{}", to: "Results/runs/compare-1/compare.json")
        try call.write("no folder", to: "Results/runs/note.txt")
        return call
    }

    @Test("The list has the newest run first, and says which folders are damaged")
    func list() async throws {
        let call = try stored()
        let lines = try await call.wsmlab("list").output.split(separator: "\n")
        #expect(lines.count == 6)
        let runs = lines.filter { $0.contains("PASSED") }
        #expect(runs.count == 2)
        #expect(runs[0].contains("2026-02-01 00:00:00") && runs[0].hasSuffix("Results/runs/young-1"))
        #expect(runs[0].contains("75.00 %"))
        #expect(lines.contains { $0.contains("DAMAGED") && $0.contains("Results/runs/broken") })
        #expect(lines.contains { $0.contains("compare  ") && $0.hasSuffix("Results/runs/compare-1") })
        #expect(lines.contains { $0.contains("DAMAGED") && $0.contains("Results/runs/empty: no result.json") })
        #expect(try await call.wsmlab("list", "--limit", "1").output.contains("4 older ones"))
        #expect(try await call.wsmlab("list", "nowhere").exitCode == 65)
    }

    @Test("As JSON the list names every folder")
    func listJSON() async throws {
        struct List: Decodable {
            struct Run: Decodable {
                var folder: String
                var damaged: String?
                var experiment: String?
                var verdict: String?
                var lost: Int?
                var p99: Int?
            }
            var schema: String
            var runs: [Run]
        }
        let text = try await stored().wsmlab("list", "--format", "json").output
        let list = try JSONDecoder().decode(List.self, from: Data(text.utf8))
        #expect(list.schema == "wsmlab.list/1" && list.runs.count == 5)
        let young = try #require(list.runs.first { $0.folder == "Results/runs/young-1" })
        #expect(young.verdict == "passed" && young.lost == 1 && young.p99 == nil)
        #expect(list.runs.count { $0.experiment == "compare" } == 1)
        #expect(list.runs.count { $0.damaged != nil && $0.verdict == nil } == 2)
    }

    /// What bash offers for a command line whose cursor is at its end.
    private func complete(_ line: String, in call: ProgramCall) async throws -> [String] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path
        let script = """
            PATH="$(dirname "$1"):$PATH"
            source <(wsmlab --generate-completion-script bash; cat "$2/scripts/completions/wsmlab.bash")
            complete -p wsmlab | grep -q -- '-F _wsmlab_words' || { echo "not registered"; exit 1; }
            compopt() { :; }    # of use only while the shell itself completes
            COMP_LINE=$3
            COMP_POINT=${#COMP_LINE}
            # Words as readline splits them: at blanks, and at = and : as words of their own.
            mapfile -t COMP_WORDS < <(grep -oE '[^[:space:]=:]+|[=:]+' <<<"$COMP_LINE")
            [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            current=${COMP_WORDS[COMP_CWORD]}
            [[ $current == = ]] && current=
            _wsmlab_words wsmlab "$current" "${COMP_WORDS[COMP_CWORD - 1]}"
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let answer = try await call.run("/bin/bash", ["-c", script, "complete", RunningProgram.path, root, line])
        #expect(answer.exitCode == 0 && answer.errors.isEmpty, "\(answer.errors)")
        return answer.output.split(separator: "\n").map(String.init)
    }

    @Test("bash completes commands, flags, keys of scenarios, their values, and run folders")
    func bash() async throws {
        let call = try stored()
        try call.write("", to: "mine.yaml")
        #expect(try await complete("wsmlab re", in: call) == ["report"])
        #expect(try await complete("wsmlab run --jun", in: call) == ["--junit"])
        #expect(try await complete("wsmlab run mi", in: call) == ["mine.yaml"])
        #expect(try await complete("wsmlab run mine.yaml --set clu", in: call) == ["cluster."])
        #expect(try await complete("wsmlab run mine.yaml --set cluster.man", in: call) == ["cluster.manager="])
        #expect(
            try await complete("wsmlab run mine.yaml --set cluster.manager=", in: call) == ["memory", "broadcast"])
        #expect(try await complete("wsmlab run mine.yaml --set cluster.manager=m", in: call) == ["memory"])
        #expect(
            try await complete("wsmlab report Results/runs/y", in: call) == ["Results/runs/young-1"])
        #expect(try await complete("wsmlab verify Res", in: call).contains("Results/runs/old-1"))
        #expect(try await complete("wsmlab new --template f", in: call) == ["faults"])
    }
}
