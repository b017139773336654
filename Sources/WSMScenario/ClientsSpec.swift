package import WSMCore

/// The WebSocket clients of a run.
package struct ClientsSpec: Hashable, Sendable {
    package var count: Int
    package var transport: Transport
    /// Processes of clients with ``Placement/processes``; `nil`: as many as the limit of open files asks for.
    package var processes: Int?
    package var assignment: Assignment
    /// Connects a second, over all clients.
    package var connectRate: Rate
    /// How often a client sends `__ping__`; zero: never.
    package var ping: TimeSpan
    /// How long a `__pong__` may take before a client closes and connects anew; `nil`: clients do not mind.
    package var pongTimeout: TimeSpan?
    /// Sessions a second that end and begin anew; zero: none.
    package var churn: Rate
    package var slow: SlowReadersSpec
    /// The waits of a client that lost its connection.
    package var reconnect: ReconnectSpec
    package var auth = CredentialsSpec()

    package init(count: Int = 0) {
        self.count = count
        self.transport = .websocket
        self.assignment = .roundRobin
        self.connectRate = Rate(perSecond: 500)
        self.ping = .seconds(30)
        self.churn = Rate(perSecond: 0)
        self.slow = SlowReadersSpec()
        self.reconnect = ReconnectSpec()
    }
}

/// What carries messages to a client.
package enum Transport: String, CaseIterable, Sendable {
    case websocket
    case direct
}

/// Which instance a client connects to.
package enum Assignment: Hashable, Sendable {
    case roundRobin
    case random
    /// One number an instance; an instance gets its part of the sum.
    case weights([Int])
}

/// Clients that read slowly.
package struct SlowReadersSpec: Hashable, Sendable {
    package var count: Int
    /// Bytes a second.
    package var readRate: Int

    package init(count: Int = 0, readRate: Int = 4096) {
        self.count = count
        self.readRate = readRate
    }
}

/// What clients show where instances ask for a token.
package enum Credential: String, CaseIterable, Sendable {
    case valid
    case expired
    case wrong
    case forbidden
    case malformed
}

/// The shares of clients that must be refused; the rest show a valid token.
package struct CredentialsSpec: Hashable, Sendable {
    package var expired = Share.zero
    package var wrong = Share.zero
    package var forbidden = Share.zero
    package var malformed = Share.zero

    package init() {}

    /// The bad ones in the order in which they are dealt out.
    package var shares: [(credential: Credential, share: Share)] {
        [(.expired, expired), (.wrong, wrong), (.forbidden, forbidden), (.malformed, malformed)]
    }
}

/// The waits before a client connects again: doubling from `initial` up to `max`.
package struct ReconnectSpec: Hashable, Sendable {
    package var initial: TimeSpan
    package var max: TimeSpan

    package init(initial: TimeSpan = .milliseconds(100), max: TimeSpan = .seconds(5)) {
        self.initial = initial
        self.max = max
    }

    package var policy: BackoffPolicy { BackoffPolicy(initial: initial, max: max) }
}
