internal import NIOCore
internal import WSMCore
internal import WSMRedis

/// A Redis of the run's own that can be broken.
///
/// From one task at a time. Each call ends within a bounded time and throws what went wrong.
protocol FaultableRedis: Sendable {
    /// Kills it at once, as a crash does.
    func kill() async throws
    /// Starts it again where it was, empty; returns when it answers.
    func startAgain() async throws
    /// Lets it stand still: connections stay, nothing answers.
    func pause() async throws
    func resume() async throws
    /// The connections that it has, in the order of their coming, ours for the question not counted.
    func connections(on loop: any EventLoop) async throws -> [Int64]
    /// Closes those of the connections that are still there; returns how many that were.
    func disconnect(_ connections: [Int64], on loop: any EventLoop) async throws -> Int
    /// Stands still for `span` once, and returns when it goes on.
    func stall(for span: TimeSpan, on loop: any EventLoop) async throws
    /// Begins to replace the master by a replica, in order.
    func failOver() async throws
    /// Waits until the replica has taken over.
    func awaitFailover() async throws
}

extension FaultableRedis {
    func failOver() async throws {
        throw RedisError(.unavailable, "there is no replica that could become the master")
    }

    func awaitFailover() async throws {}
}

extension EmbeddedRedis: FaultableRedis {
    private func connect(on loop: any EventLoop) async throws -> RedisConnection {
        try await RedisConnection.connect(to: url, on: loop, deadline: .seconds(2)).get()
    }

    func connections(on loop: any EventLoop) async throws -> [Int64] {
        let connection = try await connect(on: loop)
        defer { connection.close() }
        var own: Int64?
        if case .integer(let number) = try await connection.send("CLIENT", "ID").get() { own = number }
        guard case .string(let list) = try await connection.send("CLIENT", "LIST").get() else {
            throw RedisError(.protocolViolation, "Redis did not list its clients")
        }
        let numbers = String(buffer: list).split(whereSeparator: \.isNewline).compactMap { line in
            line.split(separator: " ").first { $0.hasPrefix("id=") }.flatMap { Int64($0.dropFirst(3)) }
        }
        return numbers.filter { $0 != own }.sorted()
    }

    func disconnect(_ connections: [Int64], on loop: any EventLoop) async throws -> Int {
        let connection = try await connect(on: loop)
        defer { connection.close() }
        // Pipelined, so that they fall at one time.
        let replies = connections.map { connection.send("CLIENT", "KILL", "ID", "\($0)") }
        var closed = 0
        for reply in replies {
            if case .integer(let count) = try await reply.get() { closed += Int(count) }
        }
        return closed
    }

    func stall(for span: TimeSpan, on loop: any EventLoop) async throws {
        let connection = try await connect(on: loop)
        defer { connection.close() }
        if case .error(let text) = try await connection.send("DEBUG", "SLEEP", "\(span.seconds)").get() {
            throw RedisError(.serverError, "Redis cannot be made slow: \(text)")
        }
    }
}
