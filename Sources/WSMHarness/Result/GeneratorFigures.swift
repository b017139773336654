package import WSMRecord

/// What was seen of the load generator in the measured window: the ground on which ``Validity`` stands.
///
/// Shares go from 0 to 1; times are nanoseconds. What a run does not have (client loops without sockets, instances in this
/// process) is `nil`.
package struct GeneratorFigures: Codable, Hashable, Sendable {
    /// Deliveries a second that the plan asks for: its messages times the clients that they reach.
    package var plannedDeliveriesPerSecond: Double = 0
    /// Why the result has no calibration; `nil` where it has one.
    package var notCalibrated: String?
    /// How late the clients' event loops got to a task that was due.
    package var clientLoopStalls: LatencySummary?
    /// The same of the instances' event loops: the system's own delay, and no reason to doubt the run.
    package var instanceLoopStalls: LatencySummary?
    /// How late the fleet's own timers came: connects, churns, pings; since the first connect.
    package var timerLateness: TimerFigures?
    package var cpu: CPUFigures?
    package var receiveBuffers: ReceiveBufferFigures?
    /// Planned processes that the full thread pool refused; `nil`: none.
    package var refusedStarts: Int?

    package init() {}
}

/// The lateness of timers.
package struct TimerFigures: Codable, Hashable, Sendable {
    package var count: Int
    package var p99: Int64
    package var max: Int64

    package init(count: Int, p99: Int64, max: Int64) {
        self.count = count
        self.p99 = p99
        self.max = max
    }
}

/// Who used the CPUs, and who waited for them.
package struct CPUFigures: Codable, Hashable, Sendable {
    /// The busiest of the loops that record deliveries: the clients' event loops, or the instances' where clients have no
    /// sockets.
    package var recordingLoop: LoopShares
    /// The busiest of the instances' event loops.
    package var instanceLoop: LoopShares
    /// The part of all the machine's CPU time that was used, by whomever.
    package var machineBusy: Double
    /// The part that the hypervisor gave to other machines.
    package var steal: Double
    /// The CPUs that this process may use.
    package var allowedCPUs: Int
    /// The part of all the machine's CPU time that neither the run nor the system under test used; `nil` where not all of
    /// the system is seen.
    package var otherPrograms: Double?

    package init(
        recordingLoop: LoopShares, instanceLoop: LoopShares = LoopShares(), machineBusy: Double, steal: Double,
        allowedCPUs: Int
    ) {
        self.recordingLoop = recordingLoop
        self.instanceLoop = instanceLoop
        self.machineBusy = machineBusy
        self.steal = steal
        self.allowedCPUs = allowedCPUs
    }
}

/// How a thread spent the measured window.
package struct LoopShares: Codable, Hashable, Sendable {
    /// The part of the time in which it ran.
    package var busy: Double
    /// The part of the time in which it had work and no CPU.
    package var waiting: Double
    /// How long it waited for a CPU each time that it had work, in the mean.
    package var waitPerWake: Int64

    package init(busy: Double = 0, waiting: Double = 0, waitPerWake: Int64 = 0) {
        self.busy = busy
        self.waiting = waiting
        self.waitPerWake = waitPerWake
    }

    /// The part of the time in which it had work.
    package var occupied: Double { busy + waiting }
    /// The part of the time with work that went by without a CPU.
    package var waitRatio: Double { occupied > 0 ? waiting / occupied : 0 }
}

/// What lay unread in the clients' sockets, from a sample of those that read as fast as they can.
package struct ReceiveBufferFigures: Codable, Hashable, Sendable {
    /// How many times a socket was looked at.
    package var samples: Int
    /// How many of these found its buffer more than half full.
    package var overHalf: Int
    /// The most that was found, as a part of the buffer.
    package var fullest: Double

    package init(samples: Int, overHalf: Int, fullest: Double) {
        self.samples = samples
        self.overHalf = overHalf
        self.fullest = fullest
    }

    package var shareOverHalf: Double { samples > 0 ? Double(overHalf) / Double(samples) : 0 }
}
