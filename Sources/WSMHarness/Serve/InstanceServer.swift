internal import Foundation
internal import NIOCore
internal import NIOPosix
package import WSMCore
internal import WSMInstance
internal import WSMRedis
internal import WSMTLS

/// What one served instance is told.
package struct ServeOptions: Sendable {
    package var manager: ManagerKind
    /// The policies: a profile's, with whatever was changed.
    package var policies: ManagerPolicies
    /// Where Redis is; needed for the Broadcast manager.
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
    /// The files of the certificate and its key, in PEM, to serve over TLS; `nil`: plain sockets.
    package var tls: (certificate: String, key: String)?

    package init(
        manager: ManagerKind = .memory, policies: ManagerPolicies = .hardened, redisURL: String? = nil,
        host: String = "127.0.0.1", port: Int = 8080, workers: Int = 5, allowBroadcast: Bool = false,
        token: String? = nil, tls: (certificate: String, key: String)? = nil
    ) {
        self.manager = manager
        self.policies = policies
        self.redisURL = redisURL
        self.host = host
        self.port = port
        self.workers = workers
        self.allowBroadcast = allowBroadcast
        self.token = token
        self.tls = tls
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
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, System.coreCount / 2))
        do {
            let instance = try await LiveInstance.start(try configuration(options), on: group)
            ready("\(options.host):\(instance.port)")
            await interruption.wait()
            let report = try await instance.stop()
            try await group.shutdownGracefully()
            if !report.busyThreads.isEmpty {
                throw HarnessError(
                    .internalFault, "still busy at the stop's deadline: \(report.busyThreads.joined(separator: ", "))")
            }
        } catch {
            try? await group.shutdownGracefully()
            throw ScenarioRun.environmentError(error)
        }
    }

    /// A file's text; the error names the flag and the file, and nothing of what is in it.
    private static func contents(_ path: String, _ flag: String) throws -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw HarnessError(.certificateUnusable, "\(flag): cannot read \(path) as text", cause: error)
        }
    }

    private static func configuration(_ options: ServeOptions) throws -> LiveInstance.Configuration {
        var url: RedisURL?
        if options.manager == .broadcast {
            guard let text = options.redisURL else {
                throw HarnessError(.redisUnavailable, "the Broadcast manager needs a Redis: --redis redis://HOST:PORT")
            }
            url = try RedisURL(text)
        }
        var manager = LiveWebSocketManager.Configuration(policies: options.policies, redis: url)
        manager.seed = UInt64(bitPattern: MonotonicInstant.now().nanoseconds)
        var configuration = LiveInstance.Configuration(manager: manager)
        configuration.host = options.host
        configuration.port = options.port
        configuration.workers = options.workers
        configuration.allowsBroadcast = options.allowBroadcast
        configuration.seed = manager.seed
        if let tls = options.tls {
            configuration.identity = TLSIdentity(
                certificate: try contents(tls.certificate, "--tls-certificate"),
                privateKey: try contents(tls.key, "--tls-key"))
        }
        if let token = options.token { configuration.authenticator = StaticToken(token) }
        return configuration
    }
}
