/// Who gets what an instance sends to clients that live in its own process and have no socket.
///
/// A receiver belongs to one event loop: all of its methods are called there. A member is the receiver's own number for a
/// client, given to ``DirectPort/open(_:)``.
public protocol DirectReceiver: AnyObject {
    /// One text message for each of `members`; its bytes and their list are valid during the call only.
    ///
    /// It may not open or close clients.
    func received(_ message: UnsafeRawBufferPointer, by members: UnsafeBufferPointer<Int32>)

    /// The instance has ended a client's session: with a close frame's code, or without one (`nil`: 1006).
    func ended(_ member: Int32, code: UInt16?)
}

/// The instance's end for the direct clients of one event loop; to be used on that loop.
public protocol DirectPort: AnyObject {
    /// A client is there, as after the handshake of a socket; what it gets from here on goes to the receiver.
    ///
    /// - Returns: The number under which the instance knows it, for ``close(_:)``; `nil` when the instance takes no more
    ///   clients because it stops.
    func open(_ member: Int32) -> ClientID?

    /// The client leaves; nothing more is received for it, and its end is not reported.
    ///
    /// One that the instance has ended already is ignored.
    func close(_ client: ClientID)

    /// Lets go of the receiver, which gets nothing more.
    func detach()
}
