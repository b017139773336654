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
    /// Around ``CostModel/wake``.
    package var wakeSpread = MeasuredSpread()
    /// Around ``pacing``.
    package var pacingSpread = MeasuredSpread()
    /// Around the work of an instance's turn, of Redis' turn and of a client loop's.
    package var instanceSpread = MeasuredSpread()
    package var redisSpread = MeasuredSpread()
    package var clientSpread = MeasuredSpread()
    /// How long a thread keeps its core while others wait for one.
    ///
    /// Short, since a thread that wakes takes the core of one that has computed for long (the kernel's wake-up preemption);
    /// what is computed at the same time then shares the cores evenly.
    package var slice = TimeSpan.microseconds(100)

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
}
