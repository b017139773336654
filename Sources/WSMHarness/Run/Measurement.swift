internal import WSMClients
internal import WSMCore
internal import WSMInstance
internal import WSMManagers
internal import WSMRecord
internal import WSMScenario
internal import WSMSimulation
internal import WSMVerify

/// Everything that a run has measured, before it is settled and judged.
struct Measurement: Sendable {
    let subject: RunSubject
    var clock: LoadClock?
    var interrupted = false
    /// Why not all clients connected.
    var connectFailure: String?
    /// Open sessions that had received nothing when the load began.
    var neverSubscribed = 0
    /// Open sessions that the end fence did not reach.
    var unfencedAtEnd = 0
    /// How long the run waited for the end fences.
    var endOfLoad: SettlementContext.EndOfLoad?
    /// What became of the scenario's faults.
    var faults: [FaultRecord] = []
    /// Whether Redis was taken away for good.
    var isRedisGone = false
    /// Whether the private Redis ended without a fault's having ended it.
    var redisDied = false
    /// How the instances were stopped.
    var shutdown: SettlementContext.Shutdown?
    var samples: (before: ResourceSample, after: ResourceSample)?
    /// Redis as it was when the measured window began; `nil` with a target.
    var redisBefore: RedisInspection.State?
    /// Redis as it was at the end of the measured window.
    var redisState: RedisInspection.State?
    /// What a target showed from outside; `nil` with a cluster.
    var target: TargetResult?
    /// What the generator can do here, or why nobody knows.
    var calibration = CalibrationOutcome.skipped("the run ended before it")
    var generator = GeneratorFigures()
    /// How the instances stood at the end of the load.
    var states: [InstanceState] = []
    var counts: [InstanceCounts] = []
    var stopReports: [LiveInstance.StopReport] = []
    /// Processes of the run that ended on their own.
    var failures: [PartFailure] = []
    var fleet = FleetStatistics()
    var loops: [LoopRecord] = []
    var load = LoadFigures()
    /// What the settlement is given, once nothing more can happen.
    var frozenContext: SettlementContext?
    var trace: TraceOutcome?

    /// The hash of a simulation; `nil` for a live run.
    var traceHash: String?
    /// Where a simulation's hash has been on its way.
    var hashTrail = HashTrail()
    /// Simulated stops that met a queue that was not empty.
    var stopsWithQueue = 0
    /// What a simulation used of the cores that its threads shared; `nil` where each had one of its own.
    var simulatedUse: ProcessorUse?
    /// Whether it happened in virtual time.
    var isSimulated = false

    init(_ subject: RunSubject) {
        self.subject = subject
    }

    /// The time that was really measured: the planned window, or less where the run was interrupted.
    var measuredSpan: TimeSpan {
        guard interrupted, let samples else { return subject.scenario.duration }
        return max(.zero, samples.after.at - samples.before.at)
    }
}
