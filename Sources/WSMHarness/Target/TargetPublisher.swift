internal import Synchronization
internal import WSMCore
internal import WSMRedis
internal import WSMScenario

/// How messages get into a target.
enum TargetRoute: Sendable, CustomStringConvertible {
    case redis(RedisURL, ChannelName)
    case http(TargetURL)

    /// Reads the scenario's URL.
    ///
    /// - Throws: ``HarnessError`` for one that names no server.
    init(_ publish: TargetPublish) throws {
        do {
            switch publish {
            case .redis(let url, let channel): self = .redis(try RedisURL(url), channel)
            case .http(let url): self = .http(try TargetURL(url, schemes: ["http"]))
            }
        } catch let error as TargetURL.Fault {
            throw HarnessError(.targetUnavailable, "target.publish.url: \(error.message)")
        }
    }

    /// Without a password.
    var description: String {
        switch self {
        case .redis(let url, let channel): "\(url), channel \(channel.name)"
        case .http(let url): "\(url)"
        }
    }
}

/// Publishes to a target for one thread, which waits until each message is answered for.
///
/// It keeps its connection. One that turns out to be closed before anything was sent is made anew, once a message; a message
/// that may have arrived is never sent again.
final class TargetPublisher {
    /// What became of a message.
    enum End {
        case acknowledged(at: MonotonicInstant)
        /// It never left this process whole, and why: a short reason.
        case failed(String)
        /// The server took it and said no.
        case refused(String)
        /// Sent, and nobody said what became of it.
        case maybePublished(String)
    }

    private enum Connection {
        case redis(BlockingRedisConnection, ChannelName)
        case http(BlockingHTTPConnection)

        var isUsable: Bool {
            switch self {
            case .redis(let connection, _): connection.isUsable
            case .http(let connection): connection.isUsable
            }
        }
    }

    private let route: TargetRoute
    private let deadline: TimeSpan
    private let open: OpenConnections
    private var connection: Connection?

    /// - Parameters:
    ///   - deadline: How long one connect, or one answer, may take.
    ///   - open: Where its connection is counted while it is open.
    init(_ route: TargetRoute, deadline: TimeSpan, counting open: OpenConnections) {
        self.route = route
        self.deadline = deadline
        self.open = open
    }

    deinit { disconnect() }

    func publish(_ message: [UInt8]) -> End {
        let wasConnected = connection != nil
        let end = attempt(message)
        guard wasConnected, connection == nil, case .failed = end else { return end }
        return attempt(message)
    }

    /// Connects, if need be, and says why that is not possible.
    func connect() -> String? {
        guard connection == nil else { return nil }
        do {
            switch route {
            case .redis(let url, let channel):
                connection = .redis(try BlockingRedisConnection(url: url, deadline: deadline), channel)
            case .http(let url): connection = .http(try BlockingHTTPConnection(url: url, deadline: deadline))
            }
            open.count.add(1, ordering: .relaxed)
            return nil
        } catch let error as BlockingHTTPConnection.Failure {
            return error.message
        } catch {
            return "\(error)"
        }
    }

    private func attempt(_ message: [UInt8]) -> End {
        if let reason = connect() { return .failed(reason) }
        guard let connection else { return .failed("no connection") }
        defer { if !connection.isUsable { disconnect() } }
        switch connection {
        case .redis(let redis, let channel): return publish(message, to: channel, on: redis)
        case .http(let http): return post(message, on: http)
        }
    }

    private func publish(_ message: [UInt8], to channel: ChannelName, on redis: BlockingRedisConnection) -> End {
        var end = End.failed("no reply")
        redis.publishPipelined([[(channel: channel, payload: message)]]) { reply in
            switch reply.receivers {
            case .success: end = .acknowledged(at: reply.at)
            case .failure(let error):
                end =
                    error.maybePublished
                    ? .maybePublished(error.message)
                    : error.code == .serverError ? .refused(error.message) : .failed(error.message)
            }
        }
        return end
    }

    private func post(_ message: [UInt8], on http: BlockingHTTPConnection) -> End {
        do throws(BlockingHTTPConnection.Failure) {
            let answer = try http.post(message)
            return (200...299).contains(answer.status)
                ? .acknowledged(at: answer.at) : .refused("HTTP \(answer.status)")
        } catch {
            return error.maybeDone ? .maybePublished(error.message) : .failed(error.message)
        }
    }

    private func disconnect() {
        if connection != nil { open.count.subtract(1, ordering: .relaxed) }
        connection = nil
    }
}

/// How many connections of ours are open at the place that takes the publishes.
final class OpenConnections: Sendable {
    let count = Atomic<Int>(0)
}
