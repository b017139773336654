import WSMCore
import WSMHarness
import WSMReport

/// What a command of many runs shows on stderr, and what Ctrl-C does to it.
struct ExperimentConsole: Sendable {
    let display: ExperimentDisplay
    let interruption = Interruption()

    /// Shows nothing yet; from now on the first Ctrl-C asks the experiment to end in order, and the second ends the program.
    ///
    /// - Parameters:
    ///   - title: What is being done: `comparing`.
    ///   - isQuiet: Whether to show nothing at all.
    ///   - interrupted: What the first Ctrl-C leads to: `this run ends, whole rounds are compared`.
    init(title: String, isQuiet: Bool, interrupted: String) {
        let mode: ProgressDisplay.Mode = isQuiet ? .quiet : Output.errors.isTerminal ? .live : .plain
        let display = ExperimentDisplay(
            title: title, mode: mode, width: { Output.errors.width }, write: Output.errors.write)
        self.display = display
        Signals.watch(
            interruption, first: { display.announce("interrupted: \(interrupted); once more quits at once") },
            last: { display.finish() })
    }

    /// Gives the terminal back; must be called however the experiment ends.
    func finish() { display.finish() }
}
