package import WSMCore

/// What a ``LinkRelay`` can do to connections that it carries.
///
/// TCP neither loses nor reorders inside a connection: what a bad network does shows as delay, as a stall, or as a reset.
package enum LinkFault: Hashable, Sendable {
    /// Each chunk, whichever way it goes, waits for a length of time drawn for it; the order stays, so that one late chunk
    /// holds up those behind it.
    case delay(Distribution)
    /// No byte goes either way, and neither end is told: no FIN, no RST. Who connects meanwhile waits in vain.
    case cut(AfterCut)
    /// At most so many bytes a second each way.
    ///
    /// - Parameter isShared: Whether all connections that it hits share the rate, as on one thin line; otherwise each has
    ///   the rate for itself, as phones have.
    case throttle(bytesPerSecond: Int, isShared: Bool)
    /// Connections end at once, both ends get an RST. It hits those that are open when it begins.
    case reset

    /// What becomes of connections that were cut, once the cut is healed.
    package enum AfterCut: Hashable, Sendable {
        /// They go on, and everything that waited arrives: a partition short enough for TCP to send again.
        case resume
        /// They are dead: what was under way is lost, and both ends get an RST as soon as one of them has sent something,
        /// or after this time. So it is where a firewall or an address translator has forgotten its connections, or a
        /// kernel has given up.
        case reset(within: TimeSpan)
    }
}

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

    init(id: Int, fault: LinkFault, share: Double, requestedAt: MonotonicInstant) {
        self.id = id
        self.fault = fault
        self.share = share
        self.requestedAt = requestedAt
    }
}

/// What a relay has carried.
package struct LinkTraffic: Hashable, Sendable {
    /// Connections accepted so far.
    package internal(set) var accepted = 0
    /// Connections open now, at either end.
    package internal(set) var open = 0
    /// Connections whose upstream could not be reached; their client got an RST.
    package internal(set) var unreachable = 0
    /// Bytes from clients to the upstream, and back.
    package internal(set) var bytesUp = 0
    package internal(set) var bytesDown = 0
}
