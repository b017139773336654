package import WSMCore
package import WSMRecord
package import WSMVerify

/// All that a simulation knows at its end, before it is settled and judged.
package struct SimulationOutcome: Sendable {
    /// When the load began, its measured part began, and it ended by the plan.
    package var start: MonotonicInstant
    package var measuredFrom: MonotonicInstant
    package var end: MonotonicInstant
    /// When the load really ended: earlier where the run was interrupted.
    package var endedAt: MonotonicInstant
    package var interrupted = false
    /// Clients that never had a session when the load began.
    package var unconnected = 0
    package var endOfLoad: SettlementContext.EndOfLoad
    /// Open sessions that the end fence did not reach.
    package var unfencedAtEnd = 0
    package var faults: [InjectedFault] = []
    package var isRedisGone = false
    package var shutdown: SettlementContext.Shutdown
    package var instances: [Instance] = []
    package var fleet = FleetCounts()
    package var loop: LoopRecord
    package var scheduleSlip = LatencyHistogram()
    package var refusedStarts = 0
    /// Stops in order that met a queue that was not empty.
    package var stopsWithQueue = 0
    /// The same for the same scenario, seed and version, on every machine.
    package var traceHash: UInt64
    package var trail = HashTrail()
    /// Entries of the agenda that were performed.
    package var steps = 0
    /// What the measured window used of the cores; `nil` where each thread had one of its own.
    package var use: ProcessorUse?
    /// The queues for which Little's law does not hold, each with what does not agree: a fault of the simulation itself.
    package var imbalances: [String] = []

    /// How an instance stood at the end of the load, and what it counted.
    package struct Instance: Sendable {
        package var isUp: Bool
        /// How its broadcast thread ended; `nil` while it lives, or where there is none.
        package var threadEnd: ThreadEnd?
        package var counts: InstanceCounts
        package var stopReport = StopReport()

        package enum ThreadEnd: Sendable {
            case stopped
            case dead
        }
    }
}

/// How far a simulation has come.
package struct SimulationProgress: Sendable {
    package enum Phase: Sendable {
        case connecting
        case warmup
        case measuring
        case draining
        case closing
    }

    package var phase: Phase
    /// Of virtual time.
    package var elapsed: TimeSpan
    package var total: TimeSpan
    package var clientsConnected: Int
    package var received: Int64
}
