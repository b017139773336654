package import WSMCore

/// The machine that instances, Redis and load generator share in a calibrated simulation.
///
/// Without one each thread of a simulation has a core of its own, and clients have what comes at once.
package struct SharedMachine: Hashable, Sendable {
    /// Cores that all threads share.
    package var cores: Int
    /// Event loops of the client fleet.
    package var clientLoops: Int
    /// What a turn of an instance's event loop costs, and one of a client loop's: waking, and asking the kernel what has come.
    package var turn = TimeSpan.zero
    package var clientTurn = TimeSpan.zero
    /// What a client's loop spends on one read, with one message.
    package var receive: TimeSpan
    /// What it spends on each further message of the same read.
    package var receiveMore: TimeSpan
    /// What it spends on each KiB.
    package var receivePerKilobyte: TimeSpan
    /// How late a thread is that sleeps until an instant.
    package var pacing: TimeSpan
    /// How much later it is for each doubling of the time since a thread of the load was last due (``Coldness``).
    package var pacingCold = TimeSpan.zero
    /// What sleeping until an instant costs a thread that publishes for the load: setting a timer, and being woken by it.
    package var timedWait = TimeSpan.zero
    /// What a thread's first work after a sleep costs more for each doubling of the time since it ran, or one that keeps its caches
    /// warm (``Warmth``).
    package var publisherCold = TimeSpan.zero
    package var instanceCold = TimeSpan.zero
    package var redisCold = TimeSpan.zero
    package var clientCold = TimeSpan.zero
    /// The same for each write of an instance and each read of a client's loop, by how long the socket had rested.
    package var writeCold = TimeSpan.zero
    package var receiveCold = TimeSpan.zero
    /// How much longer a wake-up takes than that of its core, for each doubling of the same time.
    package var wakeCold = TimeSpan.zero
    /// What waking a core takes that sleeps.
    package var wakes = WakeCurve()
    /// Around ``WakeCurve/Step/latency``.
    package var wakeSpread = MeasuredSpread()
    /// Around ``pacing``.
    package var pacingSpread = MeasuredSpread()
    /// Around the work of an instance's turn, of Redis' turn and of a client loop's.
    package var instanceSpread = MeasuredSpread()
    package var redisSpread = MeasuredSpread()
    package var clientSpread = MeasuredSpread()
    /// How long a thread keeps its core while others wait for it (`base_slice_ns`: 0.7 ms, twice that with two or three cores).
    package var slice = TimeSpan.microseconds(1400)
    /// How often it is looked whether one that waits for its core can have another that sleeps (`CONFIG_HZ`).
    package var tick = TimeSpan.milliseconds(4)

    package init(
        cores: Int, clientLoops: Int, receive: TimeSpan, receiveMore: TimeSpan, receivePerKilobyte: TimeSpan,
        pacing: TimeSpan
    ) {
        self.cores = cores
        self.clientLoops = clientLoops
        self.receive = receive
        self.receiveMore = receiveMore
        self.receivePerKilobyte = receivePerKilobyte
        self.pacing = pacing
    }

    /// How long waking takes a thread that has slept for `rest`, with its core.
    package func wakeUp(after rest: TimeSpan) -> TimeSpan {
        wakes.after(rest).latency + Coldness(after: rest).cost(wakeCold)
    }

    func cold(_ owner: SimulatedThread.Owner) -> TimeSpan {
        switch owner {
        case .instance: instanceCold
        case .redis: redisCold
        case .clients: clientCold
        case .publisher, .broadcaster: publisherCold
        }
    }
}
