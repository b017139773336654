public import WSMCore

/// The Broadcast manager's publishing side, `broadcast_data`, for one thread that publishes in order: when to connect, to
/// send, to try again and to give up.
///
/// Reference: `broadcast_data` and `utils/redis.py`: a new Redis connection a call; a connection error is tried again
/// twice (`EqualJitterBackoff`), the whole `MULTI … EXEC` with it, so that a reply that was lost publishes twice. The
/// hardened profile keeps one connection, sends again only what was certainly not published, and gives up after
/// ``giveUpAfter``.
///
/// Kinds of event that do not fit the state are the driver's fault and trap: it is one thread that performs each action
/// before it tells the next event.
public struct BroadcastPublisher: Sendable {
    /// What the driver tells.
    public enum Event: Hashable, Sendable {
        /// A broadcast (or several, pipelined) is to be published.
        case publish
        case connected
        case connectFailed
        /// All of it was acknowledged.
        case acknowledged
        /// The connection failed. `maybePublished`: the commands were sent, so Redis may have run them.
        case failed(maybePublished: Bool)
        /// The server answered with an error: trying again would not help.
        case refused
        /// The wait is over.
        case waited
    }

    /// What the driver does; the next event is its outcome.
    public enum Action: Hashable, Sendable {
        case connect
        /// Send the broadcast on the connection and read its replies.
        case execute
        case wait(TimeSpan)
        case done(Outcome)
    }

    /// How the broadcast ended.
    ///
    /// `closesConnection` tells the driver to close the connection first, if it has one.
    public struct Outcome: Hashable, Sendable {
        public var result: Result
        public var closesConnection: Bool

        public init(result: Result, closesConnection: Bool) {
            self.result = result
            self.closesConnection = closesConnection
        }

        public enum Result: Hashable, Sendable {
            case published
            /// It was sent, and no reply came: it may be published, or (reference) more than once.
            case maybePublished
            case failed
        }
    }

    private enum State: Hashable {
        case idle
        case connecting(since: MonotonicInstant, attempts: Int)
        case executing(since: MonotonicInstant, attempts: Int)
        case waiting(since: MonotonicInstant, attempts: Int)
    }

    /// How long the hardened profile tries to publish.
    public static let giveUpAfter = TimeSpan.seconds(2)
    private static let referenceRetries = 2
    private static let referenceBackoff = BackoffPolicy(
        initial: .milliseconds(100), max: .seconds(512), jitter: 0.5)
    private static let persistentBackoff = BackoffPolicy(initial: .milliseconds(10), max: .milliseconds(250))

    private let policy: PublishingPolicy
    private var random: CounterRNG
    private var state = State.idle
    private var isConnected = false
    /// A try before this one may have been published.
    private var wasMaybePublished = false
    /// Broadcasts that were sent again although an earlier try may have been published.
    public private(set) var riskyRetries = 0

    /// - Parameters:
    ///   - policy: A connection a broadcast, or one for all.
    ///   - seed: For the jitter of the delays.
    ///   - entity: Tells this publisher's draws from others'.
    public init(policy: PublishingPolicy, seed: UInt64, entity: UInt64) {
        self.policy = policy
        random = CounterRNG(seed: seed, stream: .reconnect, entity: entity | 1 << 63)
    }

    public mutating func handle(_ event: Event, now: MonotonicInstant) -> Action {
        switch (state, event) {
        case (.idle, .publish):
            wasMaybePublished = false
            return begin(since: now, attempts: 0)
        case (.connecting(let since, let attempts), .connected):
            isConnected = true
            state = .executing(since: since, attempts: attempts)
            return .execute
        case (.connecting(let since, let attempts), .connectFailed):
            return retry(since: since, attempts: attempts, now: now)
        case (.executing, .acknowledged):
            return finish(.published)
        case (.executing, .refused):
            return finish(.failed)
        case (.executing(let since, let attempts), .failed(let maybePublished)):
            isConnected = false
            if maybePublished {
                // Trying again could publish twice: only the reference does.
                guard policy == .perBroadcast else { return finish(.maybePublished) }
                wasMaybePublished = true
            }
            return retry(since: since, attempts: attempts, now: now)
        case (.waiting(let since, let attempts), .waited):
            return begin(since: since, attempts: attempts)
        default:
            preconditionFailure("\(event) does not fit \(state)")
        }
    }

    private mutating func begin(since: MonotonicInstant, attempts: Int) -> Action {
        guard isConnected else {
            state = .connecting(since: since, attempts: attempts)
            return .connect
        }
        state = .executing(since: since, attempts: attempts)
        return .execute
    }

    private mutating func retry(since: MonotonicInstant, attempts: Int, now: MonotonicInstant) -> Action {
        let givesUp =
            switch policy {
            case .perBroadcast: attempts >= Self.referenceRetries
            case .persistent: now - since >= Self.giveUpAfter
            }
        if givesUp { return finish(wasMaybePublished ? .maybePublished : .failed) }
        if wasMaybePublished { riskyRetries += 1 }
        let backoff = policy == .perBroadcast ? Self.referenceBackoff : Self.persistentBackoff
        state = .waiting(since: since, attempts: attempts + 1)
        return .wait(backoff.delay(attempt: attempts, unit: random.unit()))
    }

    private mutating func finish(_ result: Outcome.Result) -> Action {
        let closes = policy == .perBroadcast || !isConnected
        if closes { isConnected = false }
        state = .idle
        return .done(Outcome(result: result, closesConnection: closes))
    }
}
