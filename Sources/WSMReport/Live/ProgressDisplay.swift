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

    /// The terminal, as it is at this moment.
    package struct Size: Hashable, Sendable {
        package var width: Int
        package var height: Int

        package init(width: Int, height: Int) {
            self.width = width
            self.height = height
        }
    }

    private struct State {
        var phase: RunProgress.Phase?
        var lastDrawn: MonotonicInstant?
        var region = LiveRegion()
        /// What stands on the screen, or would if a line had not been written in its place.
        var progress: RunProgress?
        var isFinished = false
    }

    private static let redrawEvery = TimeSpan.milliseconds(100)
    private static let plainLineEvery = TimeSpan.seconds(5)

    private let mode: Mode
    private let color: Bool
    private let size: @Sendable () -> Size
    private let write: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - mode: How to show it.
    ///   - color: Whether lines that are redrawn may be coloured.
    ///   - size: Asked at each redraw, since a window may change.
    ///   - write: Writes at once, and does not call back.
    package init(
        mode: Mode, color: Bool, size: @escaping @Sendable () -> Size, write: @escaping @Sendable (String) -> Void
    ) {
        self.mode = mode
        self.color = color
        self.size = size
        self.write = write
    }

    /// Shows `progress`, if it is time to.
    package func show(_ progress: RunProgress, now: MonotonicInstant) {
        guard mode != .quiet else { return }
        state.withLock { state in
            guard !state.isFinished else { return }
            // On a terminal the screen tells of what happens, and for how long.
            if mode == .plain, let note = progress.note { write(PlainText.printable(note) + "\n") }
            let changed = state.phase != progress.phase
            let interval = mode == .live ? ProgressDisplay.redrawEvery : ProgressDisplay.plainLineEvery
            let isDue = state.lastDrawn.map { now - $0 >= interval } ?? true
            guard changed || isDue else { return }
            state.phase = progress.phase
            state.lastDrawn = now
            state.progress = progress
            switch mode {
            case .live: draw(&state)
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
            let line = PlainText.printable(text)
            guard mode == .live else { return write(line + "\n") }
            write(state.region.above(line, width: size().width))
            draw(&state)
        }
    }

    /// Takes the live lines away and gives the cursor back.
    ///
    /// May be called more than once; later progress is not shown.
    package func finish() {
        state.withLock { state in
            guard !state.isFinished else { return }
            state.isFinished = true
            let end = state.region.end(width: size().width)
            if !end.isEmpty { write(end) }
        }
    }

    private func draw(_ state: inout State) {
        guard let progress = state.progress else { return }
        let size = self.size()
        // One column stays free, since a full line would wrap on some terminals, and one line, for the cursor's sake.
        let lines = LiveScreen.lines(progress, width: max(1, size.width - 1), height: size.height - 1, color: color)
        write(state.region.draw(lines.map(\.text), columns: lines.map(\.columns), width: size.width))
    }
}
