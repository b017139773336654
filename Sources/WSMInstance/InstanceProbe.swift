public import NIOCore
public import WSMCore
public import WSMManagers

/// What a measurement learns of an instance's inside; an instance in production has none.
///
/// The calls come from many threads, each documented; they must return at once.
public protocol InstanceProbe: AnyObject, Sendable {
    /// A message is about to take its place in its publisher's order.
    ///
    /// Called by the submitting thread while it holds the publisher's place, so that the order of the calls is the order of
    /// publishing. The stamp that is returned travels with the message; `nil` leaves the message unstamped.
    func submitted(_ submission: Submission) -> ProbeStamp?

    /// The message is handed to the broker or the Memory manager (`stamp.published` says when). Publishing thread, or for an
    /// endpoint's broadcast in memory the submitting one.
    func published(_ stamp: ProbeStamp)

    /// The publishing of the message is over. Publishing thread, or the submitting one when a queue refused it, or for an
    /// endpoint's broadcast in memory the manager's event loop.
    func ended(_ stamp: ProbeStamp, _ outcome: PublishEnd, at instant: MonotonicInstant)

    /// Messages that came to the instance and have been written to the sockets of one event loop. That loop.
    ///
    /// `clientLabel` is the only client that got them where each client has a subscription of its own, else `nil`.
    func fannedOut(_ messages: [FannedOutMessage], clientLabel: String?, writtenAt: MonotonicInstant)

    /// A client's socket is open; `label` is what the client called itself. Its event loop, before any other call about it.
    func connected(_ client: ClientID, label: String?)

    /// A client's socket is closed. Its event loop.
    func disconnected(_ client: ClientID)

    /// A serial fan-out of the message ended before its last client. Publishing thread, before ``ended(_:_:at:)``.
    func fanOutAborted(_ stamp: ProbeStamp)

    /// The slow-client policy left messages out for a client that stays. Its event loop.
    ///
    /// `isFirst` begins a run of messages left out; it ends with the next message that is sent.
    func leftOut(_ messages: [FannedOutMessage], clientLabel: String?, isFirst: Bool)

    /// The slow-client policy ended a client's connection; `label` is what the client called itself. Its event loop.
    func evicted(clientLabel label: String?, at instant: MonotonicInstant)

    /// The manager traced something. The manager's event loop.
    func traced(_ trace: ManagerTrace, at instant: MonotonicInstant)

    /// The `ProcessDataBroadcastThread` has ended. That thread.
    func broadcastThreadEnded(_ end: BroadcastThreadEnd, at instant: MonotonicInstant)
}

/// A message on its way through an instance.
public struct FannedOutMessage: Sendable {
    public var payload: ByteBuffer
    /// When the instance got it from the broker or from its own publisher.
    public var deliveredAt: MonotonicInstant
}
