package import WSMRecord

/// What the load generator itself can do on this machine: its own parts, measured just before the load without a system.
package struct Calibration: Codable, Hashable, Sendable {
    /// Deliveries a second that the loops which record them can take in when each comes in a read of its own, as from an
    /// instance that keeps up.
    ///
    /// Counted over the time in which they ran, so that it holds whatever the null server could send.
    package var deliveriesPerSecond: Double
    /// The same when many frames wait in one read, as from an instance that has fallen behind; `nil` without sockets.
    package var bulkDeliveriesPerSecond: Double?
    /// What a million deliveries cost these loops, each in a read of its own.
    package var cpuSecondsPerMillionDeliveries: Double
    /// From the write of a frame at the null server until an idle client had it; `nil` without sockets.
    package var latencyFloor: LatencySummary?
    /// How late as many threads as the load has woke from their waits: the floor of the schedule slip.
    package var pacing: LatencySummary

    package init(
        deliveriesPerSecond: Double, bulkDeliveriesPerSecond: Double?, cpuSecondsPerMillionDeliveries: Double,
        latencyFloor: LatencySummary?, pacing: LatencySummary
    ) {
        self.deliveriesPerSecond = deliveriesPerSecond
        self.bulkDeliveriesPerSecond = bulkDeliveriesPerSecond
        self.cpuSecondsPerMillionDeliveries = cpuSecondsPerMillionDeliveries
        self.latencyFloor = latencyFloor
        self.pacing = pacing
    }
}
