import NIOCore
import NIOPosix
import WSMCore

/// Commands to a server of our own, each time on a connection of its own.
enum RedisQuestion {
    /// Sends the commands in order and returns their replies, before `deadline` has passed for each step.
    ///
    /// Where it is asked again and again a short one is better, since a paused server does not answer at all.
    ///
    /// - Throws: ``RedisError``, also for a reply that is an error.
    static func ask(
        _ url: RedisURL, _ commands: RedisCommand..., within deadline: TimeSpan = .seconds(2)
    ) async throws -> [RedisReply] {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let connection = try await RedisConnection.connect(to: url, on: loop, deadline: deadline).get()
        defer { connection.close() }
        let replies = commands.map { connection.send($0, deadline: deadline) }
        var answers: [RedisReply] = []
        for reply in replies { answers.append(try await reply.get().success()) }
        return answers
    }
}

/// Waits for what several servers have to agree on.
enum ServersWait {
    /// Looks until `isReady` answers that nothing is missing.
    ///
    /// - Throws: ``RedisError`` `serverNotStarted`, with what was last missing, at the deadline.
    static func until(
        _ what: String, within deadline: TimeSpan, _ missing: () async throws -> String?
    ) async throws {
        let end = MonotonicInstant.now() + deadline
        while true {
            var reason: String?
            do { reason = try await missing() } catch let error as RedisError { reason = error.message }
            guard let reason else { return }
            guard MonotonicInstant.now() < end else {
                throw RedisError(.serverNotStarted, "\(what) did not come about in \(deadline.seconds) s: \(reason)")
            }
            try await Task.sleep(nanoseconds: 10_000_000)
        }
    }
}
