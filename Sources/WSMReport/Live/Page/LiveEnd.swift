import WSMHarness

/// How a run ended: the last text to its page.
struct LiveEnd: LiveText {
    struct Deliveries: Encodable {
        var expected: Int
        var received: Int
        var lost: Int
        /// Those that nobody can say were owed: around a connect, a close or a fault.
        var indeterminate: Int
    }

    let type = "end"
    /// `passed`, `threshold`, `guarantee`, `inconclusive`, or `error` for a run that came to nothing.
    var verdict: String
    /// The answer in one word, as every report has it.
    var word: String
    var tone: LiveTone?
    var reason: String
    var exitCode: Int32
    /// Where the result is stored; `nil` where there is none.
    var folder: String?
    var deliveries: Deliveries?
    /// How far the run was.
    var state: LiveState

    init(_ outcome: RunOutcome, state: LiveState) {
        let result = outcome.result
        let headline = Headline(result)
        verdict = result.verdict.rawValue
        word = headline.word
        tone = LiveTone(headline.style)
        reason = LiveValue.words(result.reason)
        exitCode = result.exitCode
        folder = LiveValue.words(outcome.folder, limit: 1024)
        deliveries = Deliveries(
            expected: result.delivery.expected, received: result.delivery.received, lost: result.delivery.lost,
            indeterminate: result.delivery.indeterminate)
        self.state = state
    }

    init(error: String, exitCode: Int32, state: LiveState) {
        verdict = "error"
        word = "ERROR"
        tone = .bad
        reason = LiveValue.words(error)
        self.exitCode = exitCode
        self.state = state
    }
}
