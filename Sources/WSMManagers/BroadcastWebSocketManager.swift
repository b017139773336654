public import WSMCore

/// The Broadcast manager's receiving side: it subscribes at the broker and forwards each message to its clients.
///
/// Reference: `websocket/managers/broadcast_websocket_manager.py`. With ``SubscriptionPolicy/perClient`` each client has a
/// subscription on a Redis connection of its own, taken from a pool: one too many is accepted and then dropped. With
/// ``SubscriptionPolicy/shared`` an instance has one subscription a channel and a message is one effect for all.
/// What becomes of clients when the broker goes away is ``BrokerLoss``.
///
/// Kinds of event that do not fit the state: a client or subscription that is not known (it ended a moment ago) is ignored;
/// a `publish` is the driver's fault and is refused, since this manager publishes through ``BroadcastPublisher``.
public struct BroadcastWebSocketManager<Payload>: ManagerMachine {
    private enum Phase { case running, stopped }

    private enum SubscriptionState: Equatable {
        /// Asked for, not confirmed. `attempts` counts the tries since the connection was lost, 0 at the first.
        case pending(attempts: Int)
        case active
        /// Lost; a timer will try again.
        case waiting(attempts: Int)
    }

    private enum Listener {
        case client(ClientID)
        /// All clients of the channel; `isKept` says it stays without clients.
        case channel(isKept: Bool)
    }

    private struct Subscription {
        var channel: ChannelName
        var listener: Listener
        var state = SubscriptionState.pending(attempts: 0)

        /// The only client that hangs on it; `nil` where all clients of the channel do.
        var client: ClientID? {
            if case .client(let client) = listener { client } else { nil }
        }
    }

    private struct Client {
        var channel: ChannelName
        /// Its own subscription, in `perClient`.
        var subscription: SubscriptionID?
    }

    /// How the reference's Redis client tries again: two tries, `EqualJitterBackoff(base=0.05)` (`utils/redis_client.py`).
    private static var referenceBackoff: BackoffPolicy {
        BackoffPolicy(initial: .milliseconds(100), max: .seconds(512), jitter: 0.5)
    }
    private static var referenceRetries: Int { 2 }

    private let policies: ManagerPolicies
    private let gapMark: GapMark
    private let backoff: BackoffPolicy
    private let seed: UInt64
    private var phase = Phase.running
    private var clients: [ClientID: Client] = [:]
    private var clientsOfChannel: [ChannelName: Int] = [:]
    private var roster = ClientRoster()
    private var subscriptions: [SubscriptionID: Subscription] = [:]
    private var sharedSubscription: [ChannelName: SubscriptionID] = [:]
    private var nextSubscription: UInt64 = 0

    /// - Parameters:
    ///   - policies: What a profile decides.
    ///   - gapMark: How `resubscribe-marked` tells of a gap.
    ///   - backoff: The delays of the two policies that try until they succeed.
    ///   - seed: For the jitter of the delays.
    public init(
        policies: ManagerPolicies, gapMark: GapMark = .close,
        backoff: BackoffPolicy = BackoffPolicy(initial: .milliseconds(50), max: .seconds(1)), seed: UInt64 = 0
    ) {
        self.policies = policies
        self.gapMark = gapMark
        self.backoff = backoff
        self.seed = seed
    }

    public var clientCount: Int { clients.count }

    /// Subscriptions that the manager holds or tries to get; each is a Redis connection in `perClient`.
    public var subscriptionCount: Int { subscriptions.count }

    /// Whether every subscription is confirmed.
    public var isFullySubscribed: Bool { subscriptions.values.allSatisfy { $0.state == .active } }

    public mutating func handle(
        _ input: ManagerInput<Payload>, now: MonotonicInstant, effects: inout [ManagerEffect<Payload>]
    ) {
        switch input {
        case .start(let channels): start(channels, &effects)
        case .clientOpened(let client, let channel): open(client, channel, &effects)
        case .clientText(let client, .ping): if clients[client] != nil { effects.append(.pong(client)) }
        case .clientClosed(let client): remove(client, &effects)
        case .writabilityChanged(let client, let writable): changeWritability(client, writable, &effects)
        case .brokerSubscribed(let id): subscribed(id, &effects)
        case .brokerMessage(let id, let payload): forward(payload, from: id, &effects)
        case .brokerDown(let id): lost(id, now, &effects)
        case .timer(.resubscribe(let id)): retry(id, &effects)
        case .publish(let broadcast, _, _, _): effects.append(.broadcastDone(broadcast, .refused))
        case .shutdown: shutdown(&effects)
        case .clientText(_, .other), .sendFailed: break
        }
    }

    // MARK: Clients

    private mutating func start(_ channels: [ChannelName], _ effects: inout [ManagerEffect<Payload>]) {
        guard policies.subscription == .shared, phase == .running else { return }
        for channel in channels where sharedSubscription[channel] == nil {
            sharedSubscription[channel] = subscribe(channel, .channel(isKept: true), &effects)
        }
    }

    private mutating func open(
        _ client: ClientID, _ channel: ChannelName, _ effects: inout [ManagerEffect<Payload>]
    ) {
        precondition(clients[client] == nil, "a client number is used once")
        guard phase == .running else {
            effects.append(.close(.client(client), .shuttingDown(.complete)))
            return
        }
        var own: SubscriptionID?
        switch policies.subscription {
        case .perClient:
            if let pool = policies.redisPool, subscriptions.count >= pool {
                effects.append(.trace(.poolExhausted(client)))
                effects.append(.drop(.client(client)))
                return
            }
            own = subscribe(channel, .client(client), &effects)
        case .shared:
            if sharedSubscription[channel] == nil {
                sharedSubscription[channel] = subscribe(channel, .channel(isKept: false), &effects)
            }
        }
        clients[client] = Client(channel: channel, subscription: own)
        clientsOfChannel[channel, default: 0] += 1
        roster.append(client)
        effects.append(.admit(client, channel))
    }

    private mutating func remove(_ client: ClientID, _ effects: inout [ManagerEffect<Payload>]) {
        guard let known = clients.removeValue(forKey: client) else { return }
        roster.remove(client)
        clientsOfChannel[known.channel, default: 1] -= 1
        effects.append(.forget(client))
        if let own = known.subscription {
            subscriptions[own] = nil
            effects.append(.unsubscribe(own))
        } else if clientsOfChannel[known.channel] == 0, let shared = sharedSubscription[known.channel],
            case .channel(isKept: false)? = subscriptions[shared]?.listener
        {
            sharedSubscription[known.channel] = nil
            subscriptions[shared] = nil
            effects.append(.unsubscribe(shared))
        }
    }

    private func changeWritability(
        _ client: ClientID, _ writable: Bool, _ effects: inout [ManagerEffect<Payload>]
    ) {
        // The reference's `sender` awaits each send: while the socket is full it leaves its Redis connection unread, and
        // Redis keeps the messages until its own limit cuts the connection.
        guard let own = clients[client]?.subscription else { return }
        effects.append(writable ? .resumeReading(own) : .pauseReading(own))
    }

    // MARK: Broker

    private mutating func subscribe(
        _ channel: ChannelName, _ listener: Listener, _ effects: inout [ManagerEffect<Payload>]
    ) -> SubscriptionID {
        let id = SubscriptionID(nextSubscription)
        nextSubscription += 1
        subscriptions[id] = Subscription(channel: channel, listener: listener)
        effects.append(.subscribe(id, channel))
        return id
    }

    private func forward(
        _ payload: Payload, from id: SubscriptionID, _ effects: inout [ManagerEffect<Payload>]
    ) {
        guard let subscription = subscriptions[id] else { return }
        effects.append(.send(payload, to: recipients(of: subscription)))
    }

    private mutating func subscribed(_ id: SubscriptionID, _ effects: inout [ManagerEffect<Payload>]) {
        guard let subscription = subscriptions[id], case .pending(let attempts) = subscription.state else { return }
        subscriptions[id]?.state = .active
        guard attempts > 0 else { return }
        effects.append(.trace(.resubscribed(id, of: subscription.client, attempts: attempts)))
        guard policies.brokerLoss == .resubscribeMarked else { return }
        let missed = recipients(of: subscription)
        switch gapMark {
        case .event: effects.append(.markGap(missed))
        case .close: effects.append(.close(missed, .brokerGap))
        }
    }

    private mutating func lost(
        _ id: SubscriptionID, _ now: MonotonicInstant, _ effects: inout [ManagerEffect<Payload>]
    ) {
        guard let subscription = subscriptions[id] else { return }
        let attempts: Int
        switch subscription.state {
        case .active:
            attempts = 0
            effects.append(.trace(.brokerLost(id, of: subscription.client)))
        case .pending(let failed): attempts = failed
        case .waiting: return
        }
        if policies.brokerLoss == .retryThenDrop, attempts >= Self.referenceRetries {
            giveUp(id, subscription, &effects)
            return
        }
        let delays = policies.brokerLoss == .retryThenDrop ? Self.referenceBackoff : backoff
        var random = CounterRNG(seed: seed, stream: .reconnect, entity: id.rawValue << 16 | UInt64(attempts & 0xffff))
        subscriptions[id]?.state = .waiting(attempts: attempts)
        let delay = delays.delay(attempt: attempts, unit: random.unit())
        effects.append(.schedule(.resubscribe(id), at: now + delay))
    }

    private mutating func retry(_ id: SubscriptionID, _ effects: inout [ManagerEffect<Payload>]) {
        guard let subscription = subscriptions[id], case .waiting(let attempts) = subscription.state else { return }
        subscriptions[id]?.state = .pending(attempts: attempts + 1)
        effects.append(.subscribe(id, subscription.channel))
    }

    private mutating func giveUp(
        _ id: SubscriptionID, _ subscription: Subscription, _ effects: inout [ManagerEffect<Payload>]
    ) {
        effects.append(.trace(.gaveUp(id, of: subscription.client)))
        switch subscription.listener {
        case .client(let client):
            effects.append(.drop(.client(client)))
            remove(client, &effects)
        case .channel:
            effects.append(.drop(.channel(subscription.channel)))
            subscriptions[id] = nil
            sharedSubscription[subscription.channel] = nil
            let leaving = roster.order.filter { clients[$0]?.channel == subscription.channel }
            for client in leaving { remove(client, &effects) }
            effects.append(.unsubscribe(id))
        }
    }

    private func recipients(of subscription: Subscription) -> Recipients {
        switch subscription.listener {
        case .client(let client): .client(client)
        case .channel: .channel(subscription.channel)
        }
    }

    private mutating func shutdown(_ effects: inout [ManagerEffect<Payload>]) {
        guard phase == .running else { return }
        phase = .stopped
        let reached = roster.reached(by: policies.disconnectAll)
        if !reached.isEmpty {
            effects.append(.close(.clients(reached[...]), .shuttingDown(policies.disconnectAll)))
        }
        if reached.count < roster.count {
            effects.append(.trace(.skippedAtShutdown(roster.count - reached.count)))
        }
        for id in subscriptions.keys.sorted() { effects.append(.unsubscribe(id)) }
        subscriptions = [:]
        sharedSubscription = [:]
        for client in roster.order { clients[client]?.subscription = nil }
    }
}
