package import WSMCore

/// How the clients of a fleet behave.
package struct FleetOptions: Sendable {
    /// How often each client sends `__ping__`; `nil`: never.
    package var pingInterval: TimeSpan?
    /// How long a `__pong__` may take before the client closes and connects anew, as browsers' scripts do; `nil`: it does
    /// not mind.
    ///
    /// A client that is stalled does not notice; a slow reader does.
    package var pongTimeout: TimeSpan?
    /// How a client comes back after a failed attempt, a server's close or a drop; `nil`: it stays away.
    package var reconnect: BackoffPolicy?
    /// The seed of the jitter, the masks and the keys.
    package var seed: UInt64
    /// How long one attempt may take, TCP connect and handshake together.
    package var connectDeadline: TimeSpan
    /// How long a closed session waits for the server to close its end before the client drops the connection.
    package var closeDeadline: TimeSpan
    /// Whether each request tells the client's index (`?client=7`), so that an instance of ours can name it.
    package var labelsClients: Bool

    package init(
        pingInterval: TimeSpan? = nil, pongTimeout: TimeSpan? = nil, reconnect: BackoffPolicy? = nil, seed: UInt64,
        connectDeadline: TimeSpan = .seconds(10), closeDeadline: TimeSpan = .seconds(5), labelsClients: Bool = false
    ) {
        self.pingInterval = pingInterval
        self.pongTimeout = pongTimeout
        self.reconnect = reconnect
        self.seed = seed
        self.connectDeadline = connectDeadline
        self.closeDeadline = closeDeadline
        self.labelsClients = labelsClients
    }
}

/// One client of the connect plan.
package struct FleetClient: Sendable, Hashable {
    /// Its number in the whole run, unique over all fleets.
    package var index: UInt32
    /// The instance it connects to: an index into the fleet's endpoints.
    package var instance: UInt16
    /// When its first attempt begins, from the connect phase's start.
    package var connectAt: TimeSpan
    /// Bytes a second that it reads; `nil`: as fast as it can.
    package var readRate: Int?
    /// What it offers in `Sec-WebSocket-Protocol`, in place of what the endpoint's clients offer.
    package var subprotocols: [String]?
    /// How it is to be refused; `nil`: it is to be let in.
    package var refusal: ExpectedRefusal?

    package init(
        index: UInt32, instance: UInt16, connectAt: TimeSpan, readRate: Int? = nil, subprotocols: [String]? = nil,
        refusal: ExpectedRefusal? = nil
    ) {
        self.index = index
        self.instance = instance
        self.connectAt = connectAt
        self.readRate = readRate
        self.subprotocols = subprotocols
        self.refusal = refusal
    }
}

/// One churn of the plan: the client's session ends and a new one begins at once.
package struct FleetChurn: Sendable, Hashable, Codable {
    package var client: UInt32
    package var at: MonotonicInstant

    package init(client: UInt32, at: MonotonicInstant) {
        self.client = client
        self.at = at
    }
}
