import NIOCore
package import WSMCore
package import WSMRecord

/// What a run asks of its clients, whatever carries messages to them: ``ClientFleet`` on sockets, ``DirectFleet`` without.
///
/// The calls and their order are described at ``ClientFleet``.
package protocol Fleet<Sink>: Sendable {
    associatedtype Sink: DeliverySink & SendableMetatype

    /// The sessions open at this moment.
    var connectedCount: Int { get }
    func connectAll(_ plan: [FleetClient], startingAt start: MonotonicInstant) async throws
    func awaitConnected(deadline: MonotonicInstant) async throws
    func churn(_ plan: [FleetChurn]) throws
    /// Schedules something that happens to clients; may be called again for more.
    ///
    /// - Throws: ``FleetError`` with `invalidPlan` when a client is not of the connect plan, or has no socket.
    func disturb(_ disturbance: FleetDisturbance) throws
    func releaseSlowReaders()
    func awaitCloses() async
    @discardableResult
    func endSessions(deadline: MonotonicInstant) async -> FleetEnding
    func statistics() async -> FleetStatistics
    func withSinks<Result: Sendable>(_ body: @escaping @Sendable (Sink) throws -> Result) async throws -> [Result]
    func finish() async throws -> sending [Sink]
    /// Looks at a sample of receive buffers; none without sockets.
    func sampleReceiveBuffers(limit: Int) async -> ReceiveBuffers
}

/// What became of the sessions at the run's end.
package struct FleetEnding: Sendable, Hashable {
    /// Sessions whose socket had to be closed because the server had not closed its end by the deadline.
    package var abandoned: Int
}

extension ClientFleet: Fleet {}
