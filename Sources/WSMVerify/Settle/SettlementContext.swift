package import WSMCore

/// What a run knows beside deliveries and publishes: how the cluster is made, and what happened to it.
package struct SettlementContext: Sendable {
    package var manager: ManagerKind
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
    /// When the broker was out of an instance's reach.
    package var brokerOutages: [InstanceWindow] = []
    /// Instances whose broadcast thread died: what is pending on them never comes.
    package var threadDeaths: [InstanceInstant] = []
    /// Fan-outs of single messages that stopped before the last client.
    package var abortedFanOuts: [AbortedFanOut] = []
    /// When an instance told its clients that they may have missed something.
    package var gapMarkers: [InstanceInstant] = []

    package init(manager: ManagerKind, runStart: MonotonicInstant, measuredFrom: MonotonicInstant) {
        self.manager = manager
        self.runStart = runStart
        self.measuredFrom = measuredFrom
    }

    /// Something that happened to a client on an instance; `client` is the fleet's number.
    package struct ClientInstant: Hashable, Sendable {
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
    package struct ClientWindow: Hashable, Sendable {
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

    /// Something that happened to an instance.
    package struct InstanceInstant: Hashable, Sendable {
        package var instance: UInt16
        package var at: MonotonicInstant

        package init(instance: UInt16, at: MonotonicInstant) {
            self.instance = instance
            self.at = at
        }
    }

    /// A time during which something held for an instance, or for all of them.
    package struct InstanceWindow: Hashable, Sendable {
        /// `nil`: all instances.
        package var instance: UInt16?
        package var from: MonotonicInstant
        /// `nil`: to the end of the run.
        package var until: MonotonicInstant?

        package init(instance: UInt16?, from: MonotonicInstant, until: MonotonicInstant?) {
            self.instance = instance
            self.from = from
            self.until = until
        }

        /// Whether it concerns `instance` at some instant in `start` … `end`.
        func overlaps(_ instance: UInt16, _ start: Int64, _ end: Int64) -> Bool {
            guard self.instance == nil || self.instance == instance else { return false }
            return from.nanoseconds <= end && start <= (until?.nanoseconds ?? .max)
        }
    }

    /// One message whose fan-out on one instance stopped half-way.
    package struct AbortedFanOut: Hashable, Sendable {
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
