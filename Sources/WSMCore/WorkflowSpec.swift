/// What a simulated workflow does: steps that take time, and how it ends.
public struct WorkflowSpec: Hashable, Sendable {
    /// What happens instead of the plain end.
    public enum Ending: Hashable, Sendable {
        case completed
        /// The step with this index fails; a resume runs it again, and it succeeds.
        case failed(atStep: Int)
        /// Waits for input after the step with this index, until it is resumed.
        case suspended(afterStep: Int)
    }

    public var name: String
    /// How long each step takes.
    public var steps: [TimeSpan]
    public var ending: Ending
    /// The subscriptions that the process changes.
    public var subscriptions: [OrchestratorUUID]

    public init(
        name: String, steps: [TimeSpan], ending: Ending = .completed, subscriptions: [OrchestratorUUID] = []
    ) {
        self.name = name
        self.steps = steps
        self.ending = ending
        self.subscriptions = subscriptions
    }
}
