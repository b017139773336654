/// What one served instance is told.
package struct ServeOptions: Sendable {
    package enum Manager: String, Sendable, CaseIterable {
        case memory
        case broadcast
    }

    package enum Profile: String, Sendable, CaseIterable {
        case hardened
        case reference
    }

    package var manager: Manager
    package var profile: Profile
    /// Where Redis is; needed for ``Manager/broadcast``.
    package var redisURL: String?
    package var host: String
    /// The port to listen on; 0 takes a free one.
    package var port: Int
    /// Worker threads for workflow processes.
    package var workers: Int
    /// Whether `POST /api/broadcast/{channel}` is served.
    package var allowBroadcast: Bool
    /// The bearer token that clients must show; `nil`: none.
    package var token: String?

    package init(
        manager: Manager = .memory, profile: Profile = .hardened, redisURL: String? = nil, host: String = "127.0.0.1",
        port: Int = 8080, workers: Int = 5, allowBroadcast: Bool = false, token: String? = nil
    ) {
        self.manager = manager
        self.profile = profile
        self.redisURL = redisURL
        self.host = host
        self.port = port
        self.workers = workers
        self.allowBroadcast = allowBroadcast
        self.token = token
    }
}

/// Serves one instance until it is told to stop.
package enum InstanceServer {
    /// Serves an instance; returns once it has gone down in order after a request on `interruption`.
    ///
    /// `ready` gets the address that it listens on, `127.0.0.1:8080`, once clients can connect. Throws a ``HarnessError``
    /// when it cannot come up.
    package static func serve(
        options: ServeOptions, ready: @escaping @Sendable (_ address: String) -> Void, interruption: Interruption
    ) async throws {
        throw HarnessError(.notSupported, "serving an instance is not supported yet")
    }
}
