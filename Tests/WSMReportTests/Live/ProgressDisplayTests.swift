import Synchronization
import Testing
import WSMCore

@testable import WSMHarness
@testable import WSMReport

@Suite("The showing of a run's progress")
struct ProgressDisplayTests {
    /// What a display writes, and the size of its terminal.
    private final class Terminal: Sendable {
        let written = Mutex("")
        let size = Mutex(ProgressDisplay.Size(width: 80, height: 24))

        func display(_ mode: ProgressDisplay.Mode) -> ProgressDisplay {
            ProgressDisplay(
                mode: mode, color: false, size: { self.size.withLock { $0 } },
                write: { text in self.written.withLock { $0 += text } })
        }

        var text: String { written.withLock { $0 } }
    }

    private func instant(_ milliseconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: 1_000_000_000 + milliseconds * 1_000_000)
    }

    @Test("Frames come at most ten times a second, and at once when the phase changes")
    func frames() {
        let terminal = Terminal()
        let display = terminal.display(.live)
        for millisecond in 0..<1000 {
            display.show(RunProgress(phase: .measuring), now: instant(Int64(millisecond)))
        }
        let frames = terminal.text.split(separator: "\u{1b}[J").count
        #expect(frames == 10)
        display.show(RunProgress(phase: .draining), now: instant(1000 - 50))
        #expect(terminal.text.contains("draining"))
    }

    @Test("A frame goes back over the lines of the one before, also where a narrower terminal has wrapped them")
    func resize() {
        let terminal = Terminal()
        let display = terminal.display(.live)
        let progress = LiveScreenTests.busy()
        display.show(progress, now: instant(0))
        let lines = LiveScreen.lines(progress, width: 79, height: 23, color: false)
        terminal.written.withLock { $0 = "" }
        display.show(progress, now: instant(200))
        #expect(terminal.text.hasPrefix("\r\u{1b}[\(lines.count - 1)A"))
        terminal.written.withLock { $0 = "" }
        terminal.size.withLock { $0.width = 40 }
        display.show(progress, now: instant(400))
        let rows = lines.reduce(0) { $0 + ($1.columns + 39) / 40 }
        #expect(rows > lines.count)
        #expect(terminal.text.hasPrefix("\r\u{1b}[\(rows - 1)A"))
    }

    @Test("The cursor is hidden once and given back once, also when nothing comes any more")
    func cursor() {
        let terminal = Terminal()
        let display = terminal.display(.live)
        display.finish()
        #expect(terminal.text == "")
        let other = terminal.display(.live)
        other.show(RunProgress(phase: .starting), now: instant(0))
        other.announce("inter\u{1b}[2Jrupted")
        other.finish()
        other.finish()
        other.show(RunProgress(phase: .measuring), now: instant(1000))
        #expect(terminal.text.split(separator: "\u{1b}[?25l", omittingEmptySubsequences: false).count == 2)
        #expect(terminal.text.hasSuffix("\u{1b}[?25h"))
        #expect(terminal.text.split(separator: "\u{1b}[?25h", omittingEmptySubsequences: false).count == 2)
        #expect(!terminal.text.contains("\u{1b}[2J"))
        #expect(!terminal.text.contains("measuring"))
    }

    @Test(
        "Elsewhere a plain line comes with each phase and every five seconds, with each fault, and no escape sequence")
    func plain() {
        let terminal = Terminal()
        let display = terminal.display(.plain)
        for second in 0..<12 {
            display.show(RunProgress(phase: .measuring), now: instant(Int64(second) * 1000))
        }
        var noted = RunProgress(phase: .measuring)
        noted.note = "redis.restart at 4 s"
        display.show(noted, now: instant(11_200))
        display.show(RunProgress(phase: .draining), now: instant(11_300))
        display.finish()
        let lines = terminal.text.split(separator: "\n")
        #expect(lines.map { $0.prefix(9) } == ["measuring", "measuring", "measuring", "redis.res", "draining:"])
        #expect(!terminal.text.contains("\u{1b}"))
    }

    @Test("Quiet is quiet")
    func quiet() {
        let terminal = Terminal()
        let display = terminal.display(.quiet)
        display.show(LiveScreenTests.busy(), now: instant(0))
        display.announce("interrupted")
        display.finish()
        #expect(terminal.text == "")
    }
}
