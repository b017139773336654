internal import WSMClients
internal import WSMCore
internal import WSMRecord
internal import WSMVerify

/// The clients of a run, wherever they run.
///
/// The calls and their order are described at `ClientFleet`.
protocol RunFleet: Sendable {
    /// The sessions open at this moment, as far as it is known here.
    var connectedCount: Int { get }
    func connectAll(_ plan: [FleetClient], startingAt start: MonotonicInstant) async throws
    func awaitConnected(deadline: MonotonicInstant) async throws
    /// Messages that are intended from `instant` on are measured, and their receipts kept over time.
    func startMeasuring(at instant: MonotonicInstant, timeline: Timeline.Plan) async throws
    /// Tells all who observe clients of a fault.
    func tell(_ mark: FaultMark) async throws
    func churn(_ plan: [FleetChurn]) async throws
    /// Schedules something that happens to clients.
    func disturb(_ disturbance: FleetDisturbance) async throws
    func releaseSlowReaders() async
    /// Open sessions that have received nothing that was published at `instant` or later.
    func sessionsBehind(_ instant: MonotonicInstant) async throws -> Int
    /// How far each event loop of the clients has come.
    func progress() async throws -> [ObserverProgress]
    func awaitCloses() async
    func endSessions(deadline: MonotonicInstant) async
    func statistics() async -> FleetStatistics
    /// Ends what is still open and hands over all that was received.
    func finish() async throws -> [LoopRecord]

    /// Watches the generator over the measured window; `nil` without sockets.
    func makeWatch() async throws -> any GeneratorWatching
    /// What each process of clients has used so far, as far as it is the clients' own.
    func usage() async -> [PartUsage]

    /// Hands over what has waited in the trace's lanes since before `instant`.
    func handOverTrace(olderThan instant: MonotonicInstant) async
    /// Closes the trace's lanes; what is received later is nowhere.
    func closeTrace() async
    /// Processes of clients that ended without the run's doing.
    func failures() -> [PartFailure]
}

/// A look at the load generator over the measured window.
protocol GeneratorWatching: Sendable {
    /// The measured window begins.
    func begin() async
    /// The measured window ends.
    func end() async -> GeneratorFigures
}
