package import WSMCore

/// What a client fleet tells about its sessions and the messages that they receive.
///
/// A sink belongs to one event loop: all of its methods are called there, and a session is told of to the sink of the loop
/// that serves it, from its opening to its close. Nothing here may block.
package protocol DeliverySink: AnyObject {
    /// A client's WebSocket is open.
    ///
    /// - Parameters:
    ///   - client: the client's number in the whole fleet; it stays the same when the client connects anew.
    ///   - instance: the instance that it is connected to.
    ///   - slowReader: whether the scenario makes this client read slowly, so that its latency says nothing about others.
    ///   - attemptedAt: when it began to connect.
    ///   - openedAt: when the WebSocket handshake was complete.
    /// - Returns: the sink's own handle for the session, for the calls below.
    func sessionOpened(
        client: UInt32, instance: UInt16, slowReader: Bool, attemptedAt: MonotonicInstant, openedAt: MonotonicInstant
    ) -> Int

    /// One whole text message has arrived; its bytes are valid during the call only.
    func received(session: Int, message: UnsafeRawBufferPointer, at: MonotonicInstant)

    /// The same message for each of `sessions`, at the same instant: for fleets whose clients share it; what they get is
    /// valid during the call only.
    ///
    /// As many calls of ``received(session:message:at:)``, unless the sink knows better.
    func received(sessions: UnsafeBufferPointer<Int>, message: UnsafeRawBufferPointer, at: MonotonicInstant)

    /// The session's client stops reading for a while: like a slow reader's, its latency says nothing about others.
    func sessionStalled(session: Int, at: MonotonicInstant)

    /// The session's client reads again; it is itself again once it gets something that was published after that.
    func sessionResumed(session: Int, at: MonotonicInstant)

    /// The session is over; nothing more is received in it.
    func sessionClosed(session: Int, end: SessionEnd, at: MonotonicInstant)

    /// A client could not connect: no session came of the attempt.
    func connectFailed(client: UInt32, instance: UInt16, at: MonotonicInstant)
}

extension DeliverySink {
    package func sessionStalled(session: Int, at: MonotonicInstant) {}
    package func sessionResumed(session: Int, at: MonotonicInstant) {}

    package func received(sessions: UnsafeBufferPointer<Int>, message: UnsafeRawBufferPointer, at: MonotonicInstant) {
        for session in sessions { received(session: session, message: message, at: at) }
    }
}

/// Why a session ended.
package enum SessionEnd: Hashable, Sendable {
    /// The run was over.
    case runEnded
    /// The client left by plan and comes back anew.
    case churned
    /// The server sent a close frame.
    case closedByServer(code: UInt16)
    /// The connection ended without a close frame (1006 in RFC 6455, section 7.4.1).
    case dropped
    /// The server broke the protocol; the text says how.
    case protocolError(String)
}
