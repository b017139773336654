package import WSMCore

/// One fault of a scenario.
package struct FaultSpec: Hashable, Sendable {
    package var action: FaultAction
    package var schedule: FaultSchedule
    /// The instance it hits; `nil`: all.
    package var target: Int?
    package var share: Share
    package var duration: TimeSpan?
    package var downtime: TimeSpan?
    package var restartAfter: TimeSpan?
    package var delay: Distribution?
    /// Bytes a second.
    package var rate: Int?
    package var between: FaultLink
    package var how: ConnectionLoss
    package var afterwards: CutAftermath

    package init(action: FaultAction, schedule: FaultSchedule) {
        self.action = action
        self.schedule = schedule
        self.share = Share(millionths: 1_000_000)
        self.between = .redis
        self.how = .reset
        self.afterwards = .reset
    }
}

/// When a fault sets in, counted from the start of the measured window.
package enum FaultSchedule: Hashable, Sendable {
    case at(TimeSpan)
    case every(TimeSpan)
}

/// What can be broken.
package enum FaultAction: String, CaseIterable, Sendable {
    case redisRestart = "redis.restart"
    case redisKill = "redis.kill"
    case redisFailover = "redis.failover"
    case redisPause = "redis.pause"
    case redisDisconnectClients = "redis.disconnect-clients"
    case redisSlow = "redis.slow"
    case instanceKill = "instance.kill"
    case instanceStop = "instance.stop"
    case instancePause = "instance.pause"
    case linkDelay = "link.delay"
    case linkCut = "link.cut"
    case linkThrottle = "link.throttle"
    case clientsDisconnect = "clients.disconnect"
    case clientsStall = "clients.stall"
}

/// How a client loses its connection.
package enum ConnectionLoss: String, CaseIterable, Sendable {
    /// An RST: the instance's next write fails.
    case reset
    /// A FIN, and no close frame.
    case close
    /// Nothing: the socket stays open, reads nothing and answers nothing, and the client comes back on another.
    case vanish
}

/// What becomes of connections that were cut, once the cut is healed.
package enum CutAftermath: String, CaseIterable, Sendable {
    /// They are dead: both ends get an RST within a second.
    case reset
    /// They go on, and what waited arrives.
    case resume
}

/// Between whom a link runs, one end being an instance.
package enum FaultLink: String, CaseIterable, Sendable {
    case redis
    case clients
}
