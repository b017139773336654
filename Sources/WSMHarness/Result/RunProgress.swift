package import WSMCore
package import WSMRecord

/// How far a run has come: a plain value that the harness streams and a display draws.
///
/// It tells what is certain at its moment. What was lost, and why, is known only when the run is settled: see ``Signs``.
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

    /// One instance of the cluster.
    package struct Instance: Hashable, Sendable {
        package enum State: String, Sendable, CaseIterable {
            case up
            /// It comes back after a fault.
            case starting
            /// A fault lets it stand still.
            case paused
            case stopping
            case down
        }

        package var index: Int
        package var state: State
        /// Whether its `ProcessDataBroadcastThread` has died: it takes updates that nobody will publish.
        package var isThreadDead: Bool
        /// Updates and broadcasts that wait in it.
        package var backlog: Int

        package init(index: Int, state: State, isThreadDead: Bool = false, backlog: Int = 0) {
            self.index = index
            self.state = state
            self.isThreadDead = isThreadDead
            self.backlog = backlog
        }
    }

    /// One fault of the scenario; its instants count from the start of the measured window.
    package struct Fault: Hashable, Sendable {
        package var action: String
        /// The instance that it aims at; `nil`: all, or none.
        package var target: Int?
        package var plannedAt: TimeSpan
        /// When it was injected; `nil` while it is to come, or when it could not be.
        package var at: TimeSpan?
        /// When its cause was gone; `nil` while it lasts.
        package var healedAt: TimeSpan?
        /// Whether it lasts at all, and is not over as soon as it has happened.
        package var isLasting: Bool
        /// Why it could not be injected, or not healed.
        package var failure: String?

        package init(
            action: String, target: Int? = nil, plannedAt: TimeSpan, at: TimeSpan? = nil, healedAt: TimeSpan? = nil,
            isLasting: Bool = true, failure: String? = nil
        ) {
            self.action = action
            self.target = target
            self.plannedAt = plannedAt
            self.at = at
            self.healedAt = healedAt
            self.isLasting = isLasting
            self.failure = failure
        }
    }

    /// Faults of the scenario, a few of many.
    package struct Faults: Hashable, Sendable {
        /// How many of those that have happened are told of.
        package static let limit = 8
        /// Those that have happened, the last ones, in the order of their instants.
        package var happened: [Fault] = []
        /// How many more happened before them.
        package var earlier = 0
        /// The next one to come.
        package var next: Fault?

        package init() {}
    }

    /// Signs that something goes missing, each a fact: counts since the start, warm-up too.
    ///
    /// No figure of losses: of how many deliveries each costs, and which of them nobody was owed, the run knows nothing yet.
    package struct Signs: Hashable, Sendable {
        /// Broadcasts that the broker did not take.
        package var publishesFailed = 0
        /// Updates that a full broadcast queue refused.
        package var updatesRefused = 0
        /// Clients that the slow-client policy cut off.
        package var clientsEvicted = 0
        /// Deliveries that are missing between others of their session: lost, unless they still come.
        package var deliveriesOvertaken = 0

        package init() {}
    }

    /// The scenario's name.
    package var name: String
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
    /// Messages and deliveries a second, over the last second or so.
    package var publishedPerSecond: Double
    package var receivedPerSecond: Double
    /// The latency so far; `nil` before the first measured delivery.
    package var p50: TimeSpan?
    package var p99: TimeSpan?
    /// The latency over the last second or so, told apart to a sixteenth; `nil` where nothing measured has arrived in it.
    package var recentP50: TimeSpan?
    package var recentP99: TimeSpan?
    /// Where messages spend their time, so far; `nil` before the first measured one.
    package var stages: StageMeans?
    /// None with a target.
    package var instances: [Instance] = []
    package var faults = Faults()
    package var signs = Signs()
    /// Something that just happened, for a line of its own: a fault, a client that cannot connect.
    package var note: String?

    package init(
        name: String = "", phase: Phase, elapsed: TimeSpan = .zero, total: TimeSpan = .zero,
        clientsConnected: Int = 0, clientsPlanned: Int = 0, published: Int = 0, received: Int = 0,
        publishedPerSecond: Double = 0, receivedPerSecond: Double = 0, p50: TimeSpan? = nil, p99: TimeSpan? = nil,
        note: String? = nil
    ) {
        self.name = name
        self.phase = phase
        self.elapsed = elapsed
        self.total = total
        self.clientsConnected = clientsConnected
        self.clientsPlanned = clientsPlanned
        self.published = published
        self.received = received
        self.publishedPerSecond = publishedPerSecond
        self.receivedPerSecond = receivedPerSecond
        self.p50 = p50
        self.p99 = p99
        self.note = note
    }
}
