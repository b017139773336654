internal import WSMCore

/// A process of the run that ended on its own.
struct PartFailure: Hashable, Sendable {
    /// What it was: `instance 1`.
    var name: String
    /// The instance that it was; `nil` for another part.
    var instance: Int?
    var pid: Int32
    /// `signal 11`, `exit code 1`.
    var how: String
    var at: MonotonicInstant
    /// The end of what it wrote to its standard error; may be empty.
    var lastWords: String

    /// What happened in one sentence; `start` is the instant that times are told from.
    func text(since start: MonotonicInstant) -> String {
        let seconds = (Double((at - start).nanoseconds) / 1e7).rounded() / 100
        let words = lastWords.isEmpty ? "without a word" : "its last words: \(lastWords)"
        return "\(name) (process \(pid)) ended on its own \(seconds) s into the load (\(how)); \(words)"
    }
}

extension PartFailure {
    /// The failure of a process that the run has not ended; `nil` while it runs.
    init?(_ process: ChildProcess, instance: Int? = nil) {
        guard let end = process.end else { return nil }
        self.init(
            name: process.name, instance: instance, pid: process.pid, how: end.how, at: end.at,
            lastWords: end.lastWords)
    }
}
