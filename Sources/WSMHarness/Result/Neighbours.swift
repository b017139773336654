/// What healthy clients felt beside slow or stalled ones, and without them.
package struct Neighbours: Codable, Hashable, Sendable {
    /// Healthy clients of some instances.
    package struct Group: Codable, Hashable, Sendable {
        package var clients = 0
        /// Measured messages that they received, all together.
        package var received = 0
        /// Latencies in steps of a sixteenth; `nil` without samples.
        package var p50: Int64?
        package var p99: Int64?

        package init() {}

        package var receivedPerClient: Double { clients > 0 ? Double(received) / Double(clients) : 0 }
    }

    /// Clients that were slow or stalled at some time.
    package var sickClients = 0
    /// On instances that have some of these.
    package var besideSick = Group()
    /// On the other instances.
    package var elsewhere = Group()

    package init() {}
}
