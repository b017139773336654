import NIOCore
import NIOPosix
import WSMCore
import WSMTLS

/// Opens the channel of a connection and says clearly why it could not.
enum RedisBootstrap {
    /// Connects to `url`, over TLS if it says so, before `deadline` has passed; `configure` fills the pipeline before the
    /// first byte.
    static func connect(
        to url: RedisURL, on eventLoop: any EventLoop, deadline: TimeSpan,
        configure: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        let tls: TLSClient?
        do {
            tls = try RedisTrust.client(for: url)
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
        let end = eventLoop.instant + deadline
        let handshakes = RedisHandshakes(on: eventLoop)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(deadline.timeAmount)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let pipeline = channel.pipeline.syncOperations
                        try tls.addHandler(to: pipeline, host: url.host ?? "")
                        try handshakes.begin(on: channel, deadline: end - channel.eventLoop.instant)
                    }
                    try configure(channel)
                }
            }
        let opened: EventLoopFuture<any Channel>
        switch url.address {
        case .tcp(let host, let port): opened = bootstrap.connect(host: host, port: port)
        case .unixSocket(let path): opened = bootstrap.connect(unixDomainSocketPath: path)
        }
        let ready = tls == nil ? opened : opened.flatMap { handshakes.secured($0) }
        return ready.flatMapErrorThrowing { throw connectError($0, url: url, deadline: deadline) }
    }

    private static func connectError(_ error: any Error, url: RedisURL, deadline: TimeSpan) -> RedisError {
        if let error = error as? RedisError { return error }
        switch error {
        case ChannelError.connectTimeout: return timedOut(url: url, deadline: deadline, cause: error)
        case let error as NIOConnectionError:
            if error.connectionErrors.contains(where: { isTimeout($0.error) }) {
                return timedOut(url: url, deadline: deadline, cause: error)
            }
            let reasons =
                [error.dnsAError, error.dnsAAAAError].compactMap { $0 }.map { "\($0)" }
                + error.connectionErrors.map { "\($0.error)" }
            return failed(url: url, reason: reasons.first ?? "the name has no address", cause: error)
        case let error as TLSError where error.code == .timedOut:
            return RedisError(
                .timedOut,
                "Redis at \(url) did not answer the TLS handshake within \(deadline.seconds) s. "
                    + "Is that its tls-port? Without TLS it is redis://", cause: error)
        case let error as TLSError:
            return RedisError(
                .connectFailed, "cannot connect to Redis at \(url) over TLS: \(advice(error))", cause: error)
        case let error as IOError: return failed(url: url, reason: error.localizedReason, cause: error)
        default: return failed(url: url, reason: "\(error)", cause: error)
        }
    }

    /// What went wrong, and what to do about it.
    private static func advice(_ error: TLSError) -> String {
        switch error.code {
        case .certificateRefused:
            "\(error.message). Name the file of its authority: ?ssl_ca_certs=/path/ca.pem"
        case .wrongHost: "\(error.message). Use a name or address that stands in the certificate"
        case .notTLS, .closedInHandshake:
            "\(error.message). Is that its tls-port? Without TLS it is redis://"
        default: error.message
        }
    }

    private static func isTimeout(_ error: any Error) -> Bool {
        if case ChannelError.connectTimeout = error { true } else { false }
    }

    private static func failed(url: RedisURL, reason: String, cause: any Error) -> RedisError {
        RedisError(
            .connectFailed, "cannot connect to Redis at \(url): \(reason). Is redis-server running there?", cause: cause
        )
    }

    static func timedOut(url: RedisURL, deadline: TimeSpan, cause: (any Error)? = nil) -> RedisError {
        RedisError(
            .timedOut, "Redis at \(url) did not answer the connection within \(deadline.seconds) s", cause: cause)
    }
}

extension IOError {
    /// The system's words for the error number.
    fileprivate var localizedReason: String { description }
}

extension TimeSpan {
    var timeAmount: TimeAmount { .nanoseconds(nanoseconds) }
}

extension EventLoop {
    /// The loop's clock: `CLOCK_MONOTONIC` on a real loop, its own in a test.
    var instant: MonotonicInstant {
        MonotonicInstant(nanoseconds: Int64(clamping: now.uptimeNanoseconds))
    }
}
