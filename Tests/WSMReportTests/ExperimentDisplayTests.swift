import Synchronization
import Testing
import WSMCore

@testable import WSMHarness
@testable import WSMReport

@Suite("How far an experiment of many runs has come")
struct ExperimentDisplayTests {
    private func progress(_ name: String = "memory") -> Experiment.Progress {
        Experiment.Progress(
            done: 3, total: 12, next: RunOrder.Turn(round: 1, arm: 0), armName: name, left: .seconds(130))
    }

    @Test("The line tells the run, its arm, its round and the time left")
    func live() {
        #expect(
            ExperimentProgressLine.live("comparing", progress(), width: 100)
                == "comparing [#######-----------------------] run 4 of 12: memory, round 2  about 2 min 10 s left")
        #expect(
            ExperimentProgressLine.live("comparing", progress(), sinceThen: .seconds(65), width: 100)
                == "comparing [##################------------] run 4 of 12: memory, round 2  about 1 min 05 s left")
        let done = Experiment.Progress(done: 12, total: 12, next: nil, armName: "", left: .zero)
        #expect(
            ExperimentProgressLine.live("comparing", done, width: 100)
                == "comparing [##############################] 12 of 12 runs done")
        #expect(
            ExperimentProgressLine.plain("comparing", progress())
                == "comparing: run 4 of 12: memory, round 2, about 2 min 10 s left")
    }

    @Test(
        "No line is wider than the terminal, whatever an arm is called",
        arguments: [1, 10, 40, 41, 60, 80, 200], ["memory", "記憶記憶記憶記憶記憶記憶記憶記憶記憶", "\u{1b}[2Jx\n"])
    func width(width: Int, name: String) {
        let line = ExperimentProgressLine.live("comparing", progress(name), width: width)
        #expect(TerminalText.columns(line) <= width)
        #expect(!line.contains("\u{1b}"))
        #expect(!line.contains("\n"))
    }

    @Test("On a terminal it hides the cursor once and gives it back, elsewhere it writes plain lines, quiet nothing")
    func display() {
        let written = Mutex("")
        func text(_ mode: ProgressDisplay.Mode) -> String {
            written.withLock { $0 = "" }
            let display = ExperimentDisplay(
                title: "comparing", mode: mode, width: { 60 }, write: { part in written.withLock { $0 += part } })
            display.show(progress(), now: .now())
            display.announce("interrupted")
            display.show(progress("broadcast"), now: .now())
            display.finish()
            display.finish()
            display.show(progress(), now: .now())
            return written.withLock { $0 }
        }
        let live = text(.live)
        #expect(live.hasPrefix("\u{1b}[?25l\rcomparing "))
        #expect(live.hasSuffix("\r\u{1b}[J\u{1b}[?25h"))
        #expect(live.components(separatedBy: "\u{1b}[?25l").count == 2)
        #expect(live.contains("\r\u{1b}[Jinterrupted\r\n"))
        let plain = text(.plain)
        #expect(plain.split(separator: "\n").count == 3)
        #expect(!plain.contains("\u{1b}"))
        #expect(text(.quiet) == "")
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [Substring] {
        split(separator: separator, omittingEmptySubsequences: false)
    }
}
