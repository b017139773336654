package import WSMRecord

/// Everything that is known after a run: `result.json`, schema `wsmlab.result/1`.
///
/// Numbers are plain, times are nanoseconds. Fields may be added; none changes its meaning.
package struct RunResult: Codable, Equatable, Sendable {
    package static let schemaName = "wsmlab.result/1"

    package enum Verdict: String, Codable, Sendable, CaseIterable {
        case passed
        /// A threshold was missed.
        case threshold
        /// A guarantee is not as expected.
        case guarantee
        /// Nothing can be said.
        case inconclusive
    }

    package var schema = RunResult.schemaName
    package var name: String
    package var seed: UInt64
    /// The scenario's file as the command line named it, so that reports can point at its lines; `nil` where it is not known.
    package var scenarioPath: String?
    /// The wall clock at the start, ISO 8601 in UTC.
    package var startedAt: String
    /// The measured window's length.
    package var durationNanoseconds: Int64
    package var interrupted: Bool
    package var verdict: Verdict = .inconclusive
    package var exitCode: Int32 = ExitCode.inconclusive.rawValue
    /// Why the verdict is what it is, in one sentence.
    package var reason = ""
    /// What ran.
    package var setup = RunSetup()
    package var validity = Validity()
    /// What the load generator can do on this machine; `nil` where it was not calibrated.
    package var calibration: Calibration?
    /// What was seen of the load generator in the measured window; `nil` in simulated runs.
    package var generator: GeneratorFigures?
    package var delivery = DeliveryCounts()
    /// From the intended instant until the client had it: the response time that a user sees.
    package var latency = LatencySummary()
    /// From the actual send: the service time.
    package var latencyFromActualSend = LatencySummary()
    /// How late the generator was: our fault, not the system's.
    package var scheduleSlip = LatencySummary()
    /// For each message, from its first receipt to its last.
    package var fanOutSkew = LatencySummary()
    /// The latency of clients that read slowly on purpose, which are not in ``latency``.
    package var latencySlowReaders = LatencySummary()
    package var stages = StageLatencies()
    package var timing = TimingCounts()
    package var clients = ClientCounts()
    package var guarantees: [GuaranteeResult] = []
    package var thresholds: [ThresholdResult] = []
    package var faults: [FaultResult] = []
    /// Beside slow or stalled clients, and without; `nil` where there were none.
    package var neighbours: Neighbours?
    /// What each instance counted.
    package var instances: [InstanceResult] = []
    /// What a target showed from outside; of runs against one only.
    package var target: TargetResult?
    package var resources = Resources()
    /// What `trace.zst` holds; `nil` without one.
    package var trace: TraceFigures?
    /// The trace's hash; of simulated runs only.
    package var traceHash: String?
    /// Of simulated runs with a calibration only.
    package var simulation: SimulationFigures?
    package var environment: RunEnvironment

    package init(
        name: String, seed: UInt64, startedAt: String, durationNanoseconds: Int64, interrupted: Bool = false,
        environment: RunEnvironment
    ) {
        self.name = name
        self.seed = seed
        self.startedAt = startedAt
        self.durationNanoseconds = durationNanoseconds
        self.interrupted = interrupted
        self.environment = environment
    }

    /// Sets ``verdict``, ``exitCode`` and ``reason`` from what was measured.
    ///
    /// The last step of making a result.
    package mutating func judge() {
        let judgement = RunVerdict.judge(self)
        verdict = judgement.verdict
        exitCode = judgement.exitCode.rawValue
        reason = judgement.reason
    }
}

/// What ran, as far as a reader of the numbers must know it.
package struct RunSetup: Codable, Hashable, Sendable {
    /// `broadcast`, `memory`, or `target` for a system that ran already.
    package var manager = ""
    package var profile = ""
    package var instances = 0
    package var placement = ""
    package var transport = ""
    package var warmupNanoseconds: Int64 = 0

    package init() {}

    package init(
        manager: String, profile: String, instances: Int, placement: String, transport: String,
        warmupNanoseconds: Int64
    ) {
        self.manager = manager
        self.profile = profile
        self.instances = instances
        self.placement = placement
        self.transport = transport
        self.warmupNanoseconds = warmupNanoseconds
    }
}

/// Where a message spent its time, stage by stage.
///
/// A stage that a setup does not have is empty.
package struct StageLatencies: Codable, Hashable, Sendable {
    /// Intended instant until the worker was done.
    package var worker = LatencySummary()
    /// Waiting for the broadcast thread.
    package var queue = LatencySummary()
    /// From the broadcast thread's taking it until it was handed to the broker.
    package var publish = LatencySummary()
    /// Through the broker, until an instance had it.
    package var broker = LatencySummary()
    /// From the instance's having it until the frame was written.
    package var write = LatencySummary()
    /// From the write until the client had it.
    package var wire = LatencySummary()

    package init() {}
}

/// What the clocks showed that no latency may hide.
package struct TimingCounts: Codable, Hashable, Sendable {
    /// Receipts before their own intended instant: impossible on one clock, so counted, never dropped.
    package var negativeLatencies = 0

    package init() {}
}

/// What became of the clients.
package struct ClientCounts: Codable, Hashable, Sendable {
    package var planned = 0
    /// Those that connected at least once.
    package var connected = 0
    /// Those that never did.
    package var failed = 0
    package var reconnects = 0
    /// Those that had to be refused; `nil` where every client is let in.
    package var refused: RefusedClients?

    package init() {}

    package init(planned: Int, connected: Int, failed: Int = 0, reconnects: Int = 0) {
        self.planned = planned
        self.connected = connected
        self.failed = failed
        self.reconnects = reconnects
    }
}
