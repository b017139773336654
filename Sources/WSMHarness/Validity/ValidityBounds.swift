/// From where on the load generator is suspected, and from where on it has spoiled the run: the one table of them.
///
/// A pair is (SUSPECT above, INVALID above). Times are nanoseconds, shares go from 0 to 1.
package struct ValidityBounds: Hashable, Sendable {
    package struct Bound: Hashable, Sendable {
        package var suspect: Double
        package var invalid: Double

        package init(_ suspect: Double, _ invalid: Double) {
            self.suspect = suspect
            self.invalid = invalid
        }

        /// Whatever is measured is borne.
        package static let none = Bound(.infinity, .infinity)
    }

    /// Schedule slip, p99.
    ///
    /// One message in a hundred later than this by our own fault. Linux wakes a thread within 0.1 ms on an idle core, and
    /// within some 4 ms on one that it shares with a busy thread; a user notices 100 ms.
    package var scheduleSlip = Bound(20e6, 100e6)
    /// Lateness of the clients' event loops, p99: what a delivery may wait in the client although it has arrived.
    ///
    /// It is part of every latency that was measured.
    package var clientLoopStall = Bound(20e6, 100e6)
    /// Lateness of the fleet's timers, p99.
    ///
    /// They only move connects and churns, which no latency counts from, and so never spoil a run alone.
    package var timerLateness = Bound(100e6, .infinity)
    /// Of the time in which a loop that records deliveries had work, the part that it waited for a CPU.
    ///
    /// At 1/2 all work takes twice its time: the latency is then the machine's as much as the system's. Measured with the
    /// quickstart on two cores: 0.25 on a machine with nothing else to do, 0.35 to 0.5 beside one compiler, and 0.66 and more
    /// bound to one core with a busy loop, under a heavy load and a light one alike.
    package var cpuWait = Bound(0.5, 0.6)
    /// Waits for a CPU that are shorter in the mean (100 µs) delay nothing that anybody looks at, whatever their part.
    package var leastCPUWait = 100e3
    /// The part of the time in which the busiest of these loops had work.
    ///
    /// A queue before a server that is 85 % occupied is six deliveries long (M/M/1: ρ / (1 − ρ)), before one that is 95 %
    /// occupied nineteen.
    package var loopOccupied = Bound(0.85, 0.95)
    /// CPU time that the hypervisor gave away: in it everything stood still, the system and its clock-watchers alike.
    package var steal = Bound(0.05, 0.25)
    /// Samples of a client's receive buffer that found it more than half full: data that has arrived and is not read.
    package var receiveBuffers = Bound(0.02, 0.2)
    /// The plan's deliveries a second against what calibration found the generator can take in.
    package var demand = Bound(0.7, 1)

    package init() {}

    package static let standard = ValidityBounds()

    /// For runs of which nobody reads a time (tests of the counts on a machine that is busy with other tests): only what
    /// spoils the counts is judged.
    package static let countsOnly: ValidityBounds = {
        var bounds = ValidityBounds()
        bounds.scheduleSlip = .none
        bounds.clientLoopStall = .none
        bounds.timerLateness = .none
        bounds.cpuWait = .none
        bounds.loopOccupied = .none
        bounds.steal = .none
        bounds.receiveBuffers = .none
        bounds.demand = .none
        return bounds
    }()
}
