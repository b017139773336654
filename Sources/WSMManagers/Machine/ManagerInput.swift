public import WSMCore

/// What happens to a manager.
///
/// A driver (live or simulated) tells it each event once, in the order of their happening.
public enum ManagerInput<Payload> {
    /// The instance starts (`connect_redis`): the Broadcast manager with shared subscriptions takes those channels ahead.
    case start(channels: [ChannelName])
    /// A client's socket has been accepted and wants this channel (`connect`).
    case clientOpened(ClientID, ChannelName)
    /// A text message of a client.
    case clientText(ClientID, ClientText)
    /// The client's socket is closed, whoever closed it.
    case clientClosed(ClientID)
    /// A send to the client failed while its socket still counts as open.
    case sendFailed(ClientID)
    /// The socket's buffer has passed its high-water mark (`false`) or drained again (`true`).
    case writabilityChanged(ClientID, writable: Bool)
    /// The broker confirmed a subscription.
    case brokerSubscribed(SubscriptionID)
    /// The broker delivered a message on a subscription.
    case brokerMessage(SubscriptionID, Payload)
    /// The subscription's connection broke or could not be made.
    case brokerDown(SubscriptionID)
    /// `broadcast_data` of the Memory manager: the Broadcast manager publishes through a ``BroadcastPublisher``.
    case publish(BroadcastID, channels: [ChannelName], Payload, closesClients: Bool)
    /// A timer that the manager asked for.
    case timer(ManagerTimer)
    /// The instance stops (`disconnect_all`).
    case shutdown
}

extension ManagerInput: Sendable where Payload: Sendable {}

/// A client's text message, as far as a manager cares.
public enum ClientText: Hashable, Sendable {
    /// `__ping__`
    case ping
    case other

    public static let pingText = "__ping__"
    package static let pingBytes = Array(pingText.utf8)
    public static let pongText = "__pong__"

    public init(_ text: some StringProtocol) {
        self = text == ClientText.pingText ? .ping : .other
    }
}

/// A timer of a manager; each is asked for anew when it is needed again.
public enum ManagerTimer: Hashable, Sendable {
    /// Try this subscription again.
    case resubscribe(SubscriptionID)
}
