import Synchronization
package import WSMCore
package import WSMHarness

/// Draws how far an experiment of many runs has come.
package enum ExperimentProgressLine {
    /// What is redrawn on a terminal: `comparing [####------] run 4 of 12: memory, round 2  about 2 min 10 s left`.
    ///
    /// - Parameters:
    ///   - title: What is being done, in a word.
    ///   - sinceThen: How long ago `progress` was told.
    ///   - width: The line is not wider; what does not fit is left out, the bar first.
    package static func live(
        _ title: String, _ progress: Experiment.Progress, sinceThen: TimeSpan = .zero, width: Int
    ) -> String {
        let left = max(.zero, progress.left - sinceThen)
        let tail = left > .zero ? "  about \(ClockText.coarse(left)) left" : ""
        let middle = turn(progress)
        let head = PlainText.printable(title)
        let room = width - TerminalText.columns(head + middle + tail) - 4
        let cells = min(30, room)
        // A run that is under way counts for the part of the time that it has taken.
        let all = progress.total > 0 ? Double(progress.done) / Double(progress.total) : 0
        let soFar = progress.left > .zero ? 1 - left.seconds / progress.left.seconds : 0
        let bar = cells >= 5 ? " \(BarText.bar(all + soFar * (1 - all), cells: cells))" : ""
        return TerminalText.cut("\(head)\(bar) \(middle)\(tail)", to: width)
    }

    /// A line of its own, for logs: `comparing: run 4 of 12: memory, round 2, about 2 min 10 s left`.
    package static func plain(_ title: String, _ progress: Experiment.Progress) -> String {
        let tail = progress.left > .zero ? ", about \(ClockText.coarse(progress.left)) left" : ""
        return "\(PlainText.printable(title)): \(turn(progress))\(tail)"
    }

    private static func turn(_ progress: Experiment.Progress) -> String {
        guard let next = progress.next else { return "\(progress.done) of \(progress.total) runs done" }
        let name = PlainText.printable(progress.armName)
        return "run \(progress.done + 1) of \(progress.total): \(name), round \(next.round + 1)"
    }
}

/// Shows an experiment's progress on stderr: one line that is redrawn on a terminal, a line a run elsewhere, or nothing.
///
/// Safe from any thread. Whoever shows anything must call ``finish()`` before the program ends, however it ends: on a
/// terminal the cursor is hidden until then.
package final class ExperimentDisplay: Sendable {
    private struct State {
        var region = LiveRegion()
        var shown: (progress: Experiment.Progress, at: MonotonicInstant)?
        var isFinished = false
    }

    private let title: String
    private let mode: ProgressDisplay.Mode
    private let width: @Sendable () -> Int
    private let write: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - title: What is being done, in a word: `comparing`.
    ///   - mode: As for a run's display.
    ///   - width: The terminal's columns, asked at each redraw, since a window may change.
    ///   - write: Writes at once, and does not call back.
    package init(
        title: String, mode: ProgressDisplay.Mode, width: @escaping @Sendable () -> Int,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.title = title
        self.mode = mode
        self.width = width
        self.write = write
    }

    /// Shows `progress` at once; on a terminal the time left goes on by itself.
    package func show(_ progress: Experiment.Progress, now: MonotonicInstant) {
        guard mode != .quiet else { return }
        let isFirst = state.withLock { state in
            guard !state.isFinished else { return false }
            if mode == .plain {
                write(ExperimentProgressLine.plain(title, progress) + "\n")
                return false
            }
            defer { draw(&state, now: now) }
            let isFirst = state.shown == nil
            state.shown = (progress, now)
            return isFirst
        }
        if isFirst { startClock() }
    }

    /// Shows a line of its own at once, which stays.
    package func announce(_ text: String) {
        guard mode != .quiet else { return }
        state.withLock { state in
            guard !state.isFinished else { return }
            let line = PlainText.printable(text)
            write(mode == .live ? state.region.above(line, width: width()) : line + "\n")
            draw(&state, now: .now())
        }
    }

    /// Takes the live line away and gives the cursor back.
    ///
    /// May be called more than once; later progress is not shown.
    package func finish() {
        state.withLock { state in
            guard !state.isFinished else { return }
            state.isFinished = true
            write(state.region.end(width: width()))
        }
    }

    private func draw(_ state: inout State, now: MonotonicInstant) {
        guard mode == .live, let shown = state.shown else { return }
        let width = self.width()
        // One column stays free: a full line would wrap on some terminals.
        let line = ExperimentProgressLine.live(
            title, shown.progress, sinceThen: now - shown.at, width: max(1, width - 1))
        write(state.region.draw([line], columns: [TerminalText.columns(line)], width: width))
    }

    /// Redraws twice a second, until the display is finished or gone.
    private func startClock() {
        _ = DedicatedThread(name: "progress") { [weak self] in
            while true {
                // Nobody waits for this thread, and it holds nothing.
                let _: Void? = Monitor(()).wait(until: .now() + .milliseconds(500)) { _ in nil }
                guard let self, self.tick() else { return }
            }
        }
    }

    /// Whether it is to be called again.
    private func tick() -> Bool {
        state.withLock { state in
            if !state.isFinished { draw(&state, now: .now()) }
            return !state.isFinished
        }
    }
}
