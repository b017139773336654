public import WSMCore

/// What a manager wants done.
///
/// The driver performs the effects of one input in their order.
public enum ManagerEffect<Payload> {
    /// Count the client among the channel's recipients from here on.
    case admit(ClientID, ChannelName)
    /// The client is no recipient any more.
    case forget(ClientID)
    /// Send the payload as one text frame to each recipient.
    case send(Payload, to: Recipients)
    /// Answer a client's `__ping__` with `__pong__`.
    case pong(ClientID)
    /// Tell the recipients of a gap: see ``GapMark``.
    case markGap(Recipients)
    /// Close with a close frame.
    case close(Recipients, ClientClose)
    /// End the connection without a close frame: the client sees 1006.
    case drop(Recipients)
    /// Make this subscription at the broker; answered by `brokerSubscribed` or `brokerDown`.
    case subscribe(SubscriptionID, ChannelName)
    /// End this subscription and its connection.
    case unsubscribe(SubscriptionID)
    /// Stop reading from the subscription's connection: its client does not keep up.
    case pauseReading(SubscriptionID)
    case resumeReading(SubscriptionID)
    /// The Memory manager's `broadcastData` is done: its caller may go on.
    case broadcastDone(BroadcastID, BroadcastOutcome)
    case schedule(ManagerTimer, at: MonotonicInstant)
    /// Something that a run's record should know.
    case trace(ManagerTrace)
}

extension ManagerEffect: Equatable where Payload: Equatable {}
extension ManagerEffect: Sendable where Payload: Sendable {}

/// Who a send or a close is for.
///
/// One effect stands for the whole group.
public enum Recipients: Hashable, Sendable {
    /// All that are admitted to the channel.
    case channel(ChannelName)
    case client(ClientID)
    /// These, in this order: the serial walk of the reference.
    case clients(ArraySlice<ClientID>)
}

/// A close frame, and the text that the reference sends before it.
public struct ClientClose: Hashable, Sendable {
    public var code: UInt16
    /// The reason in the close frame; at most 123 bytes (RFC 6455, section 5.5).
    public var reason: String
    /// A last text message before the close frame (`close_websocket_safely` sends its reason so).
    public var lastText: String?

    public init(code: UInt16, reason: String = "", lastText: String? = nil) {
        self.code = code
        self.reason = reason
        self.lastText = lastText
    }

    /// The close of `MemoryWebsocketManager.remove_ws`.
    public static let normal = ClientClose(code: 1000)
    /// `disconnect_all`: going away.
    ///
    /// The reference sends the reason as a text message of its own.
    public static func shuttingDown(_ policy: DisconnectAllPolicy) -> ClientClose {
        switch policy {
        case .skipping: ClientClose(code: 1001, lastText: #""Shutting down""#)
        case .complete: ClientClose(code: 1001, reason: "Shutting down")
        }
    }
    /// Service restart: the client missed messages and should connect anew.
    public static let brokerGap = ClientClose(code: 1012, reason: "Messages were missed while the broker was away")
}

/// How a broadcast of the Memory manager ended.
public enum BroadcastOutcome: Hashable, Sendable {
    case delivered
    /// A dead socket, or the manager's stop at a stalled one, ended the walk; `missed` clients behind it got nothing.
    case aborted(missed: Int)
    /// The manager had stopped.
    case refused
}

/// How `resubscribe-marked` tells a client of a gap.
public enum GapMark: Hashable, Sendable {
    /// Close 1012: a browser connects anew and fetches everything again.
    case close
    /// A text message, the connection stays.
    case event(String)
}

/// What a run's record should know of a manager's inner life.
public enum ManagerTrace: Hashable, Sendable {
    /// The instance holds as many Redis connections as it may: the client was accepted and is dropped.
    case poolExhausted(ClientID)
    /// A walk ended at a dead client, or at a stalled one when the manager stopped; `missed` clients behind it got nothing.
    case fanOutAborted(BroadcastID, at: ClientID, missed: Int)
    case fanOutStalled(BroadcastID, at: ClientID)
    /// A subscription's connection broke; `of` is the only client that hangs on it, `nil` where all clients share it.
    case brokerLost(SubscriptionID, of: ClientID?)
    /// Subscribed again after a loss; `attempts` tries were needed.
    case resubscribed(SubscriptionID, of: ClientID?, attempts: Int)
    /// The manager gave up on the broker and dropped who hung on this subscription.
    case gaveUp(SubscriptionID, of: ClientID?)
    /// `disconnect_all` left this many clients out.
    case skippedAtShutdown(Int)
}
