import Synchronization
package import WSMCore
package import WSMHarness

/// Shows a run's progress on stderr: live on a terminal, a plain line now and then elsewhere, or not at all.
///
/// Safe from any thread. Whoever shows anything must call ``finish()`` before the program ends, however it ends: on a
/// terminal the cursor is hidden until then.
package final class ProgressDisplay: Sendable {
    package enum Mode: Sendable, Hashable {
        /// Lines that are redrawn in place.
        case live
        /// Lines that stay, every few seconds and when the phase changes.
        case plain
        case quiet
    }

    private struct State {
        var phase: RunProgress.Phase?
        var lastDrawn: MonotonicInstant?
        var linesOnScreen = 0
        var isFinished = false
    }

    private static let redrawEvery = TimeSpan.milliseconds(100)
    private static let plainLineEvery = TimeSpan.seconds(5)

    private let mode: Mode
    private let width: @Sendable () -> Int
    private let write: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// A display that writes through `write`, which must not call back; `width` is asked at each redraw, since a window
    /// may change.
    package init(mode: Mode, width: @escaping @Sendable () -> Int, write: @escaping @Sendable (String) -> Void) {
        self.mode = mode
        self.width = width
        self.write = write
    }

    /// Shows `progress`, if it is time to.
    package func show(_ progress: RunProgress, now: MonotonicInstant) {
        guard mode != .quiet else { return }
        state.withLock { state in
            guard !state.isFinished else { return }
            if let note = progress.note { write(erase(&state) + PlainText.printable(note) + "\n") }
            let changed = state.phase != progress.phase
            let interval = mode == .live ? ProgressDisplay.redrawEvery : ProgressDisplay.plainLineEvery
            let isDue = state.lastDrawn.map { now - $0 >= interval } ?? true
            let wasErased = mode == .live && progress.note != nil
            guard changed || isDue || wasErased else { return }
            state.phase = progress.phase
            state.lastDrawn = now
            switch mode {
            case .live: draw(progress, state: &state)
            case .plain: write(ProgressLine.plain(progress) + "\n")
            case .quiet: break
            }
        }
    }

    /// Shows a line of its own at once, which stays.
    package func announce(_ text: String) {
        guard mode != .quiet else { return }
        state.withLock { state in
            guard !state.isFinished else { return }
            write(erase(&state) + PlainText.printable(text) + "\n")
        }
    }

    /// Takes the live lines away and gives the cursor back.
    ///
    /// May be called more than once; later progress is not shown.
    package func finish() {
        state.withLock { state in
            guard !state.isFinished else { return }
            state.isFinished = true
            guard mode == .live, state.phase != nil else { return }
            write(erase(&state) + ProgressDisplay.showCursor)
        }
    }

    private static let hideCursor = "\u{1b}[?25l"
    private static let showCursor = "\u{1b}[?25h"

    private func draw(_ progress: RunProgress, state: inout State) {
        // One column stays free: a full line would wrap on some terminals.
        let lines = ProgressLine.live(progress, width: max(20, width() - 1))
        var text = ProgressDisplay.hideCursor + erase(&state)
        text += lines.joined(separator: "\n")
        state.linesOnScreen = lines.count
        write(text)
    }

    /// Goes back to the first live line and clears from there to the end of the screen.
    private func erase(_ state: inout State) -> String {
        defer { state.linesOnScreen = 0 }
        guard state.linesOnScreen > 0 else { return "" }
        let up = state.linesOnScreen > 1 ? "\u{1b}[\(state.linesOnScreen - 1)A" : ""
        return "\r\(up)\u{1b}[J"
    }
}
