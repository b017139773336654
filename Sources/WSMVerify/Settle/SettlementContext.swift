package import WSMCore

/// What a run knows beside deliveries and publishes: how the cluster is made, and what happened to it.
package struct SettlementContext: Sendable, Codable {
    package var manager: ManagerKind
    /// The number that stands for publishers outside of all instances; witnesses leave it out.
    package var outside: UInt16?
    /// How long, in nanoseconds, a message that the broker has confirmed may still be on its way to an instance: a session that
    /// begins in that time may get it (`session-bounds`).
    package var inFlight: Int64 = 0
    /// How much later a message may come than one that was published after it: a broker of several servers has no one order.
    ///
    /// What a session received then says only of what was published so long before that it must have come; `nil`: of all.
    package var spread: TimeSpan?
    /// Where witnesses count time from.
    package var runStart: MonotonicInstant
    /// Messages intended from here on are measured; the same instant that the observers were given.
    package var measuredFrom: MonotonicInstant
    /// Clients that the slow-client policy disconnected.
    package var evictions: [ClientInstant] = []
    /// A close code that only the slow-client policy uses: a session that ended with it was evicted.
    package var evictionCloseCode: UInt16?
    /// When the slow-client policy dropped messages of a client that stayed.
    package var slowClientDrops: [ClientWindow] = []
    package var instanceDowntimes: [InstanceWindow] = []
    /// When the broker was out of an instance's reach, or of one client's that has a subscription of its own.
    package var brokerOutages: [InstanceWindow] = []
    /// Instances whose broadcast thread died: what is pending on them never comes.
    package var threadDeaths: [InstanceInstant] = []
    /// Fan-outs of single messages that stopped before the last client.
    package var abortedFanOuts: [AbortedFanOut] = []
    /// When an instance told its clients, or one of them, that they may have missed something.
    package var gapMarkers: [InstanceInstant] = []
    /// How late deliveries may be; the same bounds that the observers were given.
    package var bounds = LagBounds()
    /// How the run waited for what was on its way; `nil`: it did not.
    package var endOfLoad: EndOfLoad?
    /// When the last fault was healed, and how long recovering may take; `nil`: there was no fault.
    package var recovery: Recovery?
    /// How the instances were stopped; `nil`: they were not.
    package var shutdown: Shutdown?
    /// The faults that were injected, by their numbers; `nil` as none, so that a trace from before there were any can be read.
    package var faults: [Fault]?
    /// The buckets of time in which losses are counted; `nil`: in none.
    package var timeline: Timeline.Plan?

    package init(manager: ManagerKind, runStart: MonotonicInstant, measuredFrom: MonotonicInstant) {
        self.manager = manager
        self.runStart = runStart
        self.measuredFrom = measuredFrom
    }

    /// The end of the load: fences were published from `fencedFrom` on, and waited for up to `waitedUntil`.
    ///
    /// A session that was subscribed, that is still open then and has not got a fence, is deaf: what was published before the
    /// fences has not come to it in all that time.
    package struct EndOfLoad: Hashable, Sendable, Codable {
        package var fencedFrom: MonotonicInstant
        package var waitedUntil: MonotonicInstant

        package init(fencedFrom: MonotonicInstant, waitedUntil: MonotonicInstant) {
            self.fencedFrom = fencedFrom
            self.waitedUntil = waitedUntil
        }
    }

    /// A fault that the run injected.
    package struct Fault: Hashable, Sendable, Codable {
        /// When it began; `nil`: it was not injected.
        package var at: MonotonicInstant?
        /// When its cause was gone; `nil`: never.
        package var healedAt: MonotonicInstant?

        package init(at: MonotonicInstant?, healedAt: MonotonicInstant? = nil) {
            self.at = at
            self.healedAt = healedAt
        }
    }

    /// When all has to be well again.
    package struct Recovery: Hashable, Sendable, Codable {
        package var healedAt: MonotonicInstant
        package var bound: TimeSpan

        package init(healedAt: MonotonicInstant, bound: TimeSpan) {
            self.healedAt = healedAt
            self.bound = bound
        }

        var deadline: Int64 { (healedAt + bound).nanoseconds }
    }

    /// The stop of the instances, while clients were connected.
    package struct Shutdown: Hashable, Sendable, Codable {
        /// From here on the instances were stopping.
        package var at: MonotonicInstant
        /// What each instance left behind.
        package var leftovers: [Leftover]
        /// Subscriptions that the broker itself still counted afterwards.
        package var subscriptions: Int
        /// Close frames that clients got after their first.
        package var repeatedCloses: Int64

        package init(
            at: MonotonicInstant, leftovers: [Leftover] = [], subscriptions: Int = 0, repeatedCloses: Int64 = 0
        ) {
            self.at = at
            self.leftovers = leftovers
            self.subscriptions = subscriptions
            self.repeatedCloses = repeatedCloses
        }
    }

    /// What a stopped instance left behind.
    package struct Leftover: Hashable, Sendable, Codable {
        package var instance: UInt16
        /// Clients whose connection had to be cut, and updates that were never published.
        package var clients: Int
        package var queued: Int

        package init(instance: UInt16, clients: Int = 0, queued: Int = 0) {
            self.instance = instance
            self.clients = clients
            self.queued = queued
        }
    }

    /// Something that happened to a client on an instance; `client` is the fleet's number.
    package struct ClientInstant: Hashable, Sendable, Codable {
        package var client: UInt32
        package var instance: UInt16
        package var at: MonotonicInstant

        package init(client: UInt32, instance: UInt16, at: MonotonicInstant) {
            self.client = client
            self.instance = instance
            self.at = at
        }
    }

    /// A time during which something held for a client on an instance.
    package struct ClientWindow: Hashable, Sendable, Codable {
        package var client: UInt32
        package var instance: UInt16
        package var from: MonotonicInstant
        package var until: MonotonicInstant

        package init(client: UInt32, instance: UInt16, from: MonotonicInstant, until: MonotonicInstant) {
            self.client = client
            self.instance = instance
            self.from = from
            self.until = until
        }
    }

    /// Something that happened to an instance, or to one client of it.
    package struct InstanceInstant: Hashable, Sendable, Codable {
        package var instance: UInt16
        /// `nil`: all its clients.
        package var client: UInt32?
        package var at: MonotonicInstant

        package init(instance: UInt16, client: UInt32? = nil, at: MonotonicInstant) {
            self.instance = instance
            self.client = client
            self.at = at
        }

        /// Whether it concerns this client, connected to `instance`.
        func concerns(_ client: UInt32, on instance: UInt16) -> Bool {
            self.instance == instance && (self.client == nil || self.client == client)
        }
    }

    /// A time during which something held for an instance, for one client of it, or for all instances.
    package struct InstanceWindow: Hashable, Sendable, Codable {
        /// `nil`: all instances.
        package var instance: UInt16?
        /// `nil`: the instance itself and all its clients.
        package var client: UInt32?
        package var from: MonotonicInstant
        /// `nil`: to the end of the run.
        package var until: MonotonicInstant?

        package init(
            instance: UInt16?, client: UInt32? = nil, from: MonotonicInstant, until: MonotonicInstant?
        ) {
            self.instance = instance
            self.client = client
            self.from = from
            self.until = until
        }

        /// Whether it concerns `instance`, or this client of it, at some instant in `start` … `end`.
        func overlaps(_ instance: UInt16, client: UInt32? = nil, _ start: Int64, _ end: Int64) -> Bool {
            guard self.instance == nil || self.instance == instance else { return false }
            guard self.client == nil || self.client == client else { return false }
            return overlaps(start, end)
        }

        /// Whether it concerns `instance`, or any client of it, at some instant in `start` … `end`.
        func overlaps(anyClientOf instance: UInt16, _ start: Int64, _ end: Int64) -> Bool {
            (self.instance == nil || self.instance == instance) && overlaps(start, end)
        }

        private func overlaps(_ start: Int64, _ end: Int64) -> Bool {
            from.nanoseconds <= end && start <= (until?.nanoseconds ?? .max)
        }
    }

    /// One message whose fan-out on one instance stopped half-way.
    package struct AbortedFanOut: Hashable, Sendable, Codable {
        package var instance: UInt16
        package var publisher: UInt32
        package var sequence: UInt64

        package init(instance: UInt16, publisher: UInt32, sequence: UInt64) {
            self.instance = instance
            self.publisher = publisher
            self.sequence = sequence
        }
    }
}
