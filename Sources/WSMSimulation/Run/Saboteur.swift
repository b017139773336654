package import WSMCore
package import WSMManagers

/// A defect that is planted in every instance of a simulation, so that it can be seen whether the checkers find it.
///
/// Only tests make one: no run of the program has any, and live instances know nothing of it.
package struct Sabotage: Sendable {
    /// Makes what breaks one life of an instance.
    package let make: @Sendable () -> any Saboteur

    package init(_ make: @escaping @Sendable () -> any Saboteur) { self.make = make }
}

/// Breaks one life of a simulated instance at the seams between its machines; by default it breaks nothing.
package protocol Saboteur: AnyObject {
    /// Changes what the manager wants done after an input.
    func bend(_ effects: inout [ManagerEffect<Message>], after input: ManagerInput<Message>)
    /// Changes where a broadcast goes; the broker's reply comes whatever becomes of it.
    ///
    /// - Parameters:
    ///   - channels: Where it should go.
    ///   - place: Its place among those that leave in one write.
    ///   - isAfterLoss: Whether the publisher's connection broke since its last broadcast.
    func bend(_ channels: inout [ChannelName], place: Int, isAfterLoss: Bool)
    /// Whether the broadcast thread takes its newest updates first when it takes so many at once.
    func takesNewestFirst(of count: Int) -> Bool
    /// Whether the broadcast thread goes to sleep after a broadcast without a look at its queue.
    var sleepsWithoutLooking: Bool { get }
    /// Whether a stop leaves what still waits.
    var leavesQueueAtStop: Bool { get }
}

extension Saboteur {
    package func bend(_ effects: inout [ManagerEffect<Message>], after input: ManagerInput<Message>) {}
    package func bend(_ channels: inout [ChannelName], place: Int, isAfterLoss: Bool) {}
    package func takesNewestFirst(of count: Int) -> Bool { false }
    package var sleepsWithoutLooking: Bool { false }
    package var leavesQueueAtStop: Bool { false }
}
