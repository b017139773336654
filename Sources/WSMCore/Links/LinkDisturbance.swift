/// One disturbance of a relay: what was wanted, when it was so, and what it hit.
package struct LinkDisturbance: Hashable, Sendable {
    /// Unique in its relay.
    package let id: Int
    package let fault: LinkFault
    /// The part of the connections that it hits, 0 to 1, drawn for each connection from the seed.
    package let share: Double
    /// Before this instant nothing was disturbed.
    package let requestedAt: MonotonicInstant
    /// From here on every connection that it hits was disturbed; `nil`: not yet.
    package internal(set) var beganAt: MonotonicInstant?
    /// From here on nothing was disturbed any more, except what a cut has left dead; `nil`: it lasts.
    package internal(set) var healedAt: MonotonicInstant?
    /// Connections that it hit: open ones, and those that came while it lasted.
    package internal(set) var hit = 0
    /// Of a cut: connections that were accepted meanwhile and went nowhere.
    package internal(set) var held = 0
    /// Connections that it ended with an RST, and when the last of them was.
    package internal(set) var reset = 0
    package internal(set) var lastResetAt: MonotonicInstant?
    /// Bytes that were under way and thrown away by a reset.
    package internal(set) var bytesLost = 0
    /// Of a delay: the chunks that it put off.
    package internal(set) var chunksDelayed = 0

    package init(id: Int, fault: LinkFault, share: Double, requestedAt: MonotonicInstant) {
        self.id = id
        self.fault = fault
        self.share = share
        self.requestedAt = requestedAt
    }
}
