/// The exit codes of every command.
///
/// People script against them: a code never changes its meaning.
package enum ExitCode: Int32, Sendable, CaseIterable {
    /// Everything that was expected was shown.
    case passed = 0
    /// A fault of wsmlab itself.
    case internalError = 1
    /// A threshold was missed, or the gate found a regression.
    case thresholdMissed = 2
    /// A guarantee that was promised is violated.
    case guaranteeViolated = 3
    /// Not enough evidence, or the run is INVALID.
    case inconclusive = 4
    /// The ground is missing: no Redis, port taken, too few file descriptors, no room to write to.
    case environment = 5
    /// The command line makes no sense (`EX_USAGE`).
    case usage = 64
    /// A scenario or a stored file is invalid (`EX_DATAERR`).
    case invalidData = 65
    /// Ctrl-C or SIGTERM ended the run before its time; its result was still written.
    case interrupted = 130

    /// What the code says, in one line, for help texts.
    package var meaning: String {
        switch self {
        case .passed: "passed"
        case .internalError: "internal error"
        case .thresholdMissed: "a threshold was missed, or the gate found a regression"
        case .guaranteeViolated: "a guarantee that was promised is violated"
        case .inconclusive: "inconclusive: not enough evidence, or the run is INVALID"
        case .environment: "environment: no Redis, port taken, too few file descriptors …"
        case .usage: "usage"
        case .invalidData: "scenario invalid"
        case .interrupted: "interrupted"
        }
    }
}
