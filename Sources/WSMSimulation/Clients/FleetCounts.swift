/// What a simulated fleet counted beside the deliveries; each as in the live fleet.
package struct FleetCounts: Hashable, Sendable {
    package var attempts = 0
    package var opened = 0
    /// Attempts that a client made by itself after it had failed or lost its session.
    package var reconnects = 0
    package var refused = 0
    package var timedOut = 0
    package var churned = 0
    package var churnsSkipped = 0
    package var closedByServer = 0
    package var dropped = 0
    /// Close frames that came after the first of their session.
    package var repeatedCloses = 0
    package var disconnected = 0
    package var stalled = 0
    package var disturbancesSkipped = 0
    package var pongTimeouts = 0
    package var pingsSent = 0
    package var pongsReceived = 0
}
