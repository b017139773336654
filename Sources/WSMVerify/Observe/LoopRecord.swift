package import WSMCore
package import WSMRecord

/// All that one event loop's observer knows at the end of a run: a value that may leave the loop.
package struct LoopRecord: Sendable {
    package let channel: UInt8
    package var sessions: ContiguousArray<ObservedSession> { ledger.sessions }
    var ledger: SessionLedger
    package internal(set) var sightings = Sightings()
    /// ``StageHistograms/latency`` is filled in by ``DeliveryObserver/snapshot()``, from ``latencies``.
    package internal(set) var stages = StageHistograms()
    /// Of measured messages and clients that read at full speed, by instance.
    package internal(set) var latencies = InstanceLatencies()
    /// Of measured messages and clients that read at full speed.
    package internal(set) var skew: SkewTable
    /// Distinct messages received, over all sessions.
    package internal(set) var received: Int64 = 0
    /// Fences received.
    package internal(set) var fences: Int64 = 0
    /// Messages without a stamp of this run: all, and those received in the measured window.
    package internal(set) var foreign: Int64 = 0
    package internal(set) var measuredForeign: Int64 = 0
    package internal(set) var connectFailures: [UInt32: ConnectFailures] = [:]
    /// Updates of processes whose step was compared, and those that it was too late to compare.
    package internal(set) var stepsChecked: Int64 = 0
    package internal(set) var stepsUnchecked: Int64 = 0
    /// The receipts over time; `nil` where the observer was not asked for it.
    package internal(set) var timeline: Timeline?
    /// What the clients heard around each fault; `nil` without faults.
    var listening: FaultListening?
    /// How far the clients were behind, by instance.
    var lags: ContiguousArray<LagTally> = []
    /// When clients were slow or stalled.
    package internal(set) var sickness = Sickness()

    /// The tries of one client that came to nothing.
    package struct ConnectFailures: Hashable, Sendable {
        package internal(set) var count: Int64
        package internal(set) var first: MonotonicInstant
    }

    init(channel: UInt8, publisherCount: Int) {
        self.channel = channel
        self.ledger = SessionLedger(publisherCount: publisherCount)
        self.skew = SkewTable(publisherCount: publisherCount)
    }
}

/// How often the clients of one instance got a message later than a bound, and the earliest time.
struct LagTally: Sendable {
    /// Receipts of clients that read at full speed, and those of them later than ``LagBounds/isolation``.
    var healthy: Int64 = 0
    var healthyLate = LateTimes()
    /// Receipts later than ``LagBounds/lag``, of any client.
    var late: Int64 = 0
    var firstLate: Sighting?
    /// The longest time that any receipt was behind, in nanoseconds.
    var longest: Int64 = 0
}

/// How late a delivery may be, counted from the instant at which its publisher had it ready.
package struct LagBounds: Hashable, Sendable, Codable {
    /// Nanoseconds that a healthy client may wait on account of sick ones (`isolation`).
    package var isolation: Int64
    /// Nanoseconds that any client may be behind (`bounded-lag`); `nil`: there is no bound.
    package var lag: Int64?

    package init(isolation: TimeSpan = .seconds(2), lag: TimeSpan? = nil) {
        self.isolation = isolation.nanoseconds
        self.lag = lag?.nanoseconds
    }
}
