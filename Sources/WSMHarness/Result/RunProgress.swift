package import WSMCore
package import WSMRecord

/// How far a run has come: a plain value that the harness streams and a display draws.
package struct RunProgress: Hashable, Sendable {
    /// The parts of a run, in their order.
    package enum Phase: String, Sendable, CaseIterable {
        /// Redis and the instances come up.
        case starting
        /// The load generator is measured without a system.
        case calibrating
        /// The clients connect.
        case connecting
        /// Load that is checked but not counted.
        case warmup = "warm-up"
        /// The measured window.
        case measuring
        /// The load has ended; what is on its way arrives.
        case draining
        /// Clients, instances and Redis go down, files are written.
        case closing
    }

    package var phase: Phase
    /// Since the phase began.
    package var elapsed: TimeSpan
    /// How long the phase will take; zero where nobody knows.
    package var total: TimeSpan
    package var clientsConnected: Int
    package var clientsPlanned: Int
    /// Messages published so far.
    package var published: Int
    /// Deliveries received so far, by all clients together.
    package var received: Int
    /// Deliveries a second, over the last moments.
    package var ratePerSecond: Double
    /// The latency so far; `nil` before the first measured delivery.
    package var p50: TimeSpan?
    package var p99: TimeSpan?
    /// Where messages spend their time, so far; `nil` before the first measured one.
    package var stages: StageMeans?
    /// Deliveries known to be missing.
    package var lost: Int
    /// Something that just happened, for a line of its own: a fault, a client that cannot connect.
    package var note: String?

    package init(
        phase: Phase, elapsed: TimeSpan = .zero, total: TimeSpan = .zero, clientsConnected: Int = 0,
        clientsPlanned: Int = 0, published: Int = 0, received: Int = 0, ratePerSecond: Double = 0,
        p50: TimeSpan? = nil, p99: TimeSpan? = nil, lost: Int = 0, note: String? = nil
    ) {
        self.phase = phase
        self.elapsed = elapsed
        self.total = total
        self.clientsConnected = clientsConnected
        self.clientsPlanned = clientsPlanned
        self.published = published
        self.received = received
        self.ratePerSecond = ratePerSecond
        self.p50 = p50
        self.p99 = p99
        self.lost = lost
        self.note = note
    }
}
