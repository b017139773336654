package import WSMCore

/// Something that happens to clients of a fleet at an instant: plain data, so that it can be told to a fleet in another
/// process.
package struct FleetDisturbance: Codable, Hashable, Sendable {
    package enum Kind: Codable, Hashable, Sendable {
        /// The connection ends, without a close frame; the client comes back as its reconnect policy says.
        case disconnect(Departure)
        /// The client reads nothing until this instant, and is open all the while.
        ///
        /// The server feels it once the kernel's buffers are full: some 64 KiB of the client's, and up to 4 MiB of its own on
        /// Linux.
        case stall(until: MonotonicInstant)
    }

    /// How a client loses its connection.
    package enum Departure: String, Codable, Hashable, Sendable, CaseIterable {
        /// An RST, as of a process that was killed with unread data: the server's next write fails.
        case reset
        /// A FIN, as of a process that ended.
        case close
        /// Nothing at all, as of a phone that changed networks: the old socket stays open, reads nothing and answers nothing,
        /// until the server gives it up or the load is over. The server has to find out.
        case vanish
    }

    package var kind: Kind
    /// The clients' numbers in the whole run.
    package var clients: [UInt32]
    /// When it happens; an instant that has passed means at once.
    package var at: MonotonicInstant

    package init(_ kind: Kind, of clients: [UInt32], at: MonotonicInstant) {
        self.kind = kind
        self.clients = clients
        self.at = at
    }
}
