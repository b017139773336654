/// What can be done to connections by a relay that carries them, be it live or simulated.
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
