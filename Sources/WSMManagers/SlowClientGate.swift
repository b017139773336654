public import WSMCore

/// What to do with a message for one client whose buffer may be full: the slow-client policy, asked for each client by
/// whoever writes to the sockets.
public struct SlowClientGate: Hashable, Sendable {
    /// What becomes of the message, or of the client.
    public enum Decision: Hashable, Sendable {
        case send
        /// Leave this message out for this client.
        case drop
        /// End this client's connection.
        case disconnect
    }

    private let policy: SlowClientPolicy
    /// Bytes that may wait for a client before the policy acts: the socket's high-water mark.
    public let threshold: Int

    public init(_ slowClient: SlowClient) {
        policy = slowClient.policy
        threshold = slowClient.threshold
    }

    /// - Parameter waiting: Bytes that wait for the client, this message not among them.
    @inlinable
    public func decide(waiting: Int) -> Decision {
        waiting < threshold ? .send : overLimit
    }

    @usableFromInline
    var overLimit: Decision {
        switch policy {
        case .drop: .drop
        case .buffer, .disconnect: .disconnect
        }
    }
}
