internal import NIOCore
internal import WSMCore
internal import WSMRedis

/// Questions to the servers of a run's Redis, each on a connection of its own; a server that is away is left out.
struct RedisInspection: Sendable {
    /// Redis as it was at the end of the measured window.
    struct State: Sendable {
        var version: String?
        /// Connections that it had, ours for the question not counted.
        var connections = 0
        var traffic = RedisTraffic()
    }

    let urls: [RedisURL]
    var isSharded = false
    let loop: any EventLoop

    /// Their version and the connections that they have now, together; `nil` when none tells, or tells this user.
    func state() async -> State? {
        var sum: State?
        for url in urls {
            guard let state = await state(of: url) else { continue }
            sum = State(
                version: sum?.version ?? state.version, connections: (sum?.connections ?? 0) + state.connections,
                traffic: (sum?.traffic ?? RedisTraffic()) + state.traffic)
        }
        return sum
    }

    private func state(of url: RedisURL) async -> State? {
        var state = State()
        guard let connection = try? await RedisConnection.connect(to: url, on: loop, deadline: .seconds(2)).get() else {
            return nil
        }
        defer { connection.close() }
        guard case .string(let info)? = try? await connection.send("INFO").get() else { return nil }
        for line in String(buffer: info).split(whereSeparator: \.isNewline) {
            state.traffic.read(line)
            if line.hasPrefix("redis_version:") { state.version = String(line.dropFirst("redis_version:".count)) }
            if line.hasPrefix("connected_clients:") {
                state.connections = max(0, (Int(line.dropFirst("connected_clients:".count)) ?? 1) - 1)
            }
        }
        return state
    }

    /// Subscriptions to events that a private Redis still has once the instances have stopped, at the deadline or as soon
    /// as there are none.
    func subscriptionsLeft(deadline: MonotonicInstant) async -> Int {
        var sum = 0
        for url in urls { sum += await subscriptionsLeft(at: url, deadline: deadline) }
        return sum
    }

    private func subscriptionsLeft(at url: RedisURL, deadline: MonotonicInstant) async -> Int {
        let connect = RedisConnection.connect(to: url, on: loop, deadline: .seconds(1))
        guard let connection = try? await connect.get() else { return 0 }
        defer { connection.close() }
        while true {
            // Asked at or after the deadline, the answer is the last one, however late this task gets its turn.
            let isLast = MonotonicInstant.now() >= deadline
            let reply = try? await connection.send(
                "PUBSUB", isSharded ? "SHARDNUMSUB" : "NUMSUB", ChannelName.events.name
            ).get()
            guard case .array(let parts)? = reply, parts.count == 2, case .integer(let count) = parts[1] else {
                return 0
            }
            if count == 0 || isLast { return Int(count) }
            try? await Task.sleep(nanoseconds: 5_000_000)
        }
    }
}
