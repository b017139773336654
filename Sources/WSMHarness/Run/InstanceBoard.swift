internal import Synchronization

/// What the run does to its instances at this moment, for whoever shows how they stand; safe from any thread.
///
/// Whether an instance runs is the cluster's to say; why it does not is known to who acts on it.
final class InstanceBoard: Sendable {
    enum Doing: Sendable {
        case pausing
        case stopping
        case starting
        /// The run has stopped it for good.
        case stopped
    }

    private let doing = Mutex<[Int: Doing]>([:])

    /// - Parameter what: `nil`: nothing any more.
    func note(_ what: Doing?, _ instance: Int) {
        doing.withLock { $0[instance] = what }
    }

    /// Notes `what` while `body` runs.
    func during<Result>(_ what: Doing, _ instance: Int, _ body: () async throws -> Result) async rethrows -> Result {
        note(what, instance)
        defer { note(nil, instance) }
        return try await body()
    }

    /// How the instances stand.
    ///
    /// - Parameter states: What the cluster says, by instance.
    func instances(_ states: [InstanceState]) -> [RunProgress.Instance] {
        let doing = self.doing.withLock { $0 }
        return states.enumerated().map { index, known in
            let state: RunProgress.Instance.State =
                switch (doing[index], known.isUp) {
                case (.stopping, _): .stopping
                case (.starting, _): .starting
                case (.stopped, _), (_, false): .down
                case (.pausing, true): .paused
                case (nil, true): .up
                }
            return RunProgress.Instance(
                index: index, state: state, isThreadDead: known.isUp && known.broadcastThread == .dead,
                backlog: known.backlog)
        }
    }
}
