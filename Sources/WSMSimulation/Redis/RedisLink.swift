import WSMCore

/// One TCP connection between an instance and the simulated Redis.
///
/// It belongs to one publisher or one subscription; the closures are its owner's, and are called when something has come to
/// the owner's end.
final class RedisLink {
    let id: Int
    /// Whether Redis counts it as connected.
    var isOpen = false
    /// Its way through the relay in its link; `nil`: there is none.
    var path: RelayedConnection?
    /// Which of the masters it leads to, counted by the failovers before it.
    var master = 0
    /// When Redis ended it; what Redis wrote before that still arrives.
    var closedAt: MonotonicInstant?
    /// The channel that it listens to, once Redis has taken the `SUBSCRIBE`.
    var channel: ChannelName?
    /// Replies that Redis owes for the commands of the turn, and messages, in their order.
    var output: [RedisOutput] = []
    /// What has come and is not read, because the owner does not read; bounded by ``RedisServer/Limits``.
    var unread: [RedisOutput] = []
    var unreadBytes = 0
    /// Since when the unread bytes are over Redis' soft limit.
    var overSoftLimitSince: MonotonicInstant?
    /// Whether the owner reads.
    var isReading = true
    var receive: ([RedisOutput]) -> Void = { _ in }
    var closed: () -> Void = {}

    init(id: Int) { self.id = id }

    /// Whether something that the owner sends may still come to Redis.
    var isUsable: Bool { path.map { !$0.isClosed } ?? isOpen }
}

/// What Redis writes to a connection.
enum RedisOutput {
    /// The answer to a `PING`.
    case pong
    case subscribed
    /// The replies of one command or transaction: for each message to how many subscribers it went.
    case published([Int])
    case message(Message)

    var bytes: Int {
        switch self {
        case .pong: 7
        case .subscribed, .published: 32
        // `*3`, `message`, the channel's name and the payload's length around it.
        case .message(let message): message.bytes + 48
        }
    }
}

/// What an instance sends to Redis.
enum RedisCommand {
    case ping
    case subscribe(ChannelName)
    /// `PUBLISH` to each channel; several are a `MULTI … EXEC`, between which no other command comes.
    case publish([ChannelName], Message)

    var bytes: Int {
        switch self {
        case .ping: 14
        case .subscribe: 40
        // `*3`, `PUBLISH`, the channel's name and the payload's length around it.
        case .publish(let channels, let message): (message.bytes + 48) * channels.count
        }
    }
}
