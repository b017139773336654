package import WSMCore

/// How long the parts of a simulated machine take: the coefficients of the model, all constants.
///
/// These defaults are round figures of one small x86 machine, good for orders of magnitude and for guarantees; a calibration
/// (`wsmlab calibrate`) puts in those of the machine that it ran on.
package struct CostModel: Hashable, Sendable {
    /// From waking a sleeping thread or event loop until it runs.
    package var wake = TimeSpan.microseconds(30)
    /// What an event loop spends on one input of the manager, or one message from the broker.
    package var input = TimeSpan.microseconds(2)
    /// One write to a client's socket: a small loopback TCP write.
    package var write = TimeSpan.microseconds(6)
    /// Each byte of a write.
    package var writePerKilobyte = TimeSpan.nanoseconds(250)
    /// Accepting a socket and answering a WebSocket handshake.
    package var accept = TimeSpan.microseconds(60)
    /// One way between a client, or Redis, and an instance.
    package var linkLatency = TimeSpan.microseconds(20)
    /// What Redis spends on one command.
    package var redisCommand = TimeSpan.microseconds(3)
    /// What Redis spends on each subscriber of a message.
    package var redisSubscriber = TimeSpan.microseconds(4)
    /// What a publisher's thread spends on each broadcast, and what it spends more where that goes to Redis.
    package var publish = TimeSpan.microseconds(5)
    package var publishToRedis = TimeSpan.zero
    /// From starting Redis until it answers.
    package var redisStart = TimeSpan.milliseconds(20)
    /// From starting an instance until it listens.
    package var instanceStart = TimeSpan.milliseconds(2)
    /// Bytes that the kernel holds for a client which does not read, beyond `SO_SNDBUF`: its own receive buffer.
    package var receiveBuffer = 64 << 10
    /// Bytes that the kernel holds for a sender whose buffer size is left to the system.
    package var sendBuffer = 2560 << 10
    /// The machine that all parts share; `nil`: each thread has a core of its own.
    package var machine: SharedMachine?

    package init() {}

    /// The same where clients have no sockets: a delivery is a call, and nothing is on its way.
    var withoutSockets: CostModel {
        var costs = self
        costs.write = min(write, .nanoseconds(100))
        costs.writePerKilobyte = .zero
        costs.accept = min(accept, .microseconds(1))
        costs.linkLatency = .zero
        return costs
    }

    func writing(_ bytes: Int) -> TimeSpan {
        TimeSpan(nanoseconds: write.nanoseconds + writePerKilobyte.nanoseconds * Int64(bytes) / 1024)
    }
}
