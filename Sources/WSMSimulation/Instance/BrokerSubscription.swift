import WSMCore

/// One subscription of an instance and its connection to Redis, from its first attempt to its end.
final class BrokerSubscription {
    let channel: ChannelName
    /// `nil` until Redis, or a relay before it, has accepted.
    var link: RedisLink?
    /// Notices a Redis that is gone without a word, with the live client's intervals; `nil` until Redis has answered.
    var health: HealthCheck?
    /// Whether somebody reads what comes.
    var reads = true
    /// The connection has ended while nobody read, which is noticed when somebody reads again.
    var hasEndedUnread = false

    init(_ channel: ChannelName) { self.channel = channel }

    var isGreeted: Bool { health != nil }

    static func healthCheck(now: MonotonicInstant) -> HealthCheck {
        HealthCheck(interval: .seconds(10), deadline: .seconds(5), now: now)
    }
}
