import Foundation
import Testing
import WSMTestSupport

@testable import WSMHarness

@Suite("A run in a terminal", .serialized, .timeLimit(.minutes(5)))
struct TerminalTests {
    /// What `scripts/readers/terminal.py` saw.
    struct Seen: Decodable {
        var code: Int32
        /// The lines of each frame that was drawn in place.
        var frames: [[String]]
        /// How many lines had left the screen upwards when the last of them was drawn.
        var scrolled: Int
        var hidden: [Bool]
        var colors: [String]
        /// All lines at the end, those that have left the screen too.
        var last: [String]
        var isCursorHidden: Bool
    }

    private func see(
        columns: Int, rows: Int, color: Bool = true, interruptAt word: String = "", duration: String = "2s"
    ) async throws -> Seen {
        let folder = NSTemporaryDirectory() + "wsmlab-terminal-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let scenario = ProgramEndTests.scenario("in-process", duration: duration, manager: "memory")
        try Data(scenario.utf8).write(to: URL(fileURLWithPath: "\(folder)/scenario.yaml"))
        let settings = ["TERM=xterm-256color"] + (color ? [] : ["NO_COLOR=1"])
        let answer = try await IndependentReader.python(
            "terminal.py",
            ["\(columns)", "\(rows)", word, "/usr/bin/env", "-u", "NO_COLOR"] + settings
                + [RunningProgram.path, "run", "\(folder)/scenario.yaml", "--out", "\(folder)/run"])
        try #require(answer.exitCode == 0, "\(answer.errors.suffix(2000))")
        return try JSONDecoder().decode(Seen.self, from: Data(answer.output.utf8))
    }

    @Test(
        "One screen is redrawn in place, whatever the terminal's size, and gone when the summary comes",
        arguments: [(100, 40), (80, 24), (40, 10), (24, 3)])
    func inPlace(columns: Int, rows: Int) async throws {
        let seen = try await see(columns: columns, rows: rows)
        let measuring = seen.frames.filter { $0.first?.contains("measuring") == true }
        #expect(measuring.count >= 2, "\(seen.frames.count) frames")
        // A line too wide would be wrapped, and leave its half behind: then a frame had two heads.
        for frame in seen.frames {
            #expect(frame.count { $0.contains("measuring") || $0.contains("connecting") } <= 1, "\(frame)")
            #expect(frame.count <= rows)
        }
        #expect(seen.scrolled == 0)
        if columns >= 60 {
            let last = try #require(measuring.last)
            for word in ["clients", "rate", "latency", "instances"] {
                #expect(last.count { $0.contains(word) } == 1, "\(word): \(last)")
            }
        }
        // A busy machine may spoil its times.
        let head = try #require(seen.last.first)
        #expect(["PASSED", "INCONCLUSIVE", "INVALID"].contains { head.hasPrefix($0) }, "\(seen.last)")
        #expect(!seen.last.contains { $0.contains("measuring") }, "\(seen.last)")
        #expect(!seen.isCursorHidden && seen.hidden.allSatisfy { $0 })
    }

    @Test("NO_COLOR is honoured", arguments: [true, false])
    func colors(isOn: Bool) async throws {
        let seen = try await see(columns: 100, rows: 40, color: isOn, duration: "1s")
        #expect(seen.colors.isEmpty == !isOn, "\(seen.colors)")
        #expect(seen.frames.count > 2)
    }

    @Test("Ctrl-C gives the terminal back, and says what becomes of the run")
    func interrupted() async throws {
        let seen = try await see(columns: 80, rows: 24, interruptAt: "measuring", duration: "30s")
        #expect(seen.code == 130)
        #expect(!seen.isCursorHidden)
        #expect(
            seen.last.contains { $0.hasPrefix("interrupted: the load ends, the result is written") }, "\(seen.last)")
        #expect(seen.last.contains { $0.contains("INTERRUPTED") }, "\(seen.last)")
    }
}
