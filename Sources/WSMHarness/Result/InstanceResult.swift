package import WSMRecord

/// What one instance counted and went through, from its start to its stop.
package struct InstanceResult: Codable, Hashable, Sendable {
    package var index: Int
    /// WebSocket handshakes that it accepted.
    package var connections = 0
    package var broadcastsPublished = 0
    package var broadcastsFailed = 0
    /// Messages from the broker: with a subscription a client, one for each.
    package var brokerMessages = 0
    /// Updates that its full queue refused.
    package var queueRefused = 0
    /// Clients whose connection the slow-client policy ended.
    package var evicted = 0
    /// Clients that were accepted and dropped because the Redis pool was used up.
    package var poolExhausted = 0
    package var fanOutsAborted = 0
    package var brokerLosses = 0
    /// Messages that the slow-client policy left out, counted once for each client.
    package var leftOutForSlowClients = 0
    /// Clients that `disconnect_all` left out.
    package var skippedAtShutdown = 0
    /// Updates that the broadcast thread left in its queue when it was stopped.
    package var leftInQueue = 0
    /// Planned items that came to nothing because the instance was down.
    package var skippedWhileDown = 0
    /// How the broadcast thread stood when the load had ended: `running`, `stopped` or `dead`; `down` with its instance.
    package var broadcastThread = "running"
    /// Clients that it had to cut at its stop.
    package var clientsCut = 0
    /// Response times of its clients that read at full speed, in nanoseconds; `nil` without measured deliveries, and of the
    /// instances from the 65th on.
    package var latency: LatencySummary?

    package init(index: Int) {
        self.index = index
    }
}
