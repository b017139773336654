internal import NIOCore
internal import Synchronization
internal import WSMCore
internal import WSMRedis

/// Watches a target from outside during the run: the use of its processes, and the connections at its Redis.
///
/// A thread of its own looks a few times a second, so that a process that dies leaves its last figures.
final class TargetWatch: Sendable {
    private static let interval = TimeSpan.milliseconds(250)
    /// How long Redis may take for an answer.
    private static let redisDeadline = TimeSpan.seconds(2)

    private struct State {
        var known: [Int32: ProcessTreeUsage] = [:]
        var endedAt: [Int32: MonotonicInstant] = [:]
        /// Raised to have the thread look at once.
        var marks = 0
        var mostConnections: Int?
        var redisVersion: String?
        var stops = false
    }

    private let pids: [Int32]
    private let redis: RedisURL?
    private let open: OpenConnections
    private let state = Monitor(State())
    private let thread = Monitor<DedicatedThread?>(nil)

    /// - Parameter open: Our own connections at the Redis, which are not counted.
    init(pids: [Int32], redis: RedisURL?, open: OpenConnections) {
        self.pids = pids
        self.redis = redis
        self.open = open
        lookAtProcesses()
        thread.update { $0 = DedicatedThread(name: "load-watch") { [weak self] in self?.run() } }
    }

    /// Ends the thread; it may still wait for Redis for a moment.
    func stop() { state.update { $0.stops = true } }

    /// What the processes have used up to now; the last that was seen of one that has ended.
    ///
    /// From the first call on the connections are counted.
    func mark() -> [ProcessTreeUsage] {
        lookAtProcesses()
        return state.update { state in
            if state.marks == 0 { state.mostConnections = nil }
            state.marks += 1
            return pids.compactMap { state.known[$0] }
        }
    }

    /// The named processes that have ended, and when that was seen.
    var ended: [Int32: MonotonicInstant] { state.withLock { $0.endedAt } }

    /// Redis as it was since the first ``mark()``; `nil` when it never answered, or is not known.
    var redisState: RedisInspection.State? {
        state.withLock { state in
            state.mostConnections.map { RedisInspection.State(version: state.redisVersion, connections: $0) }
        }
    }

    private func run() {
        var connection: BlockingRedisConnection?
        var marks = 0
        while true {
            lookAtProcesses()
            if let redis { lookAtRedis(redis, &connection) }
            let next = MonotonicInstant.now() + Self.interval
            let seen = marks
            let wakes: (stops: Bool, marks: Int)? = state.wait(until: next) { state in
                state.stops || state.marks != seen ? (state.stops, state.marks) : nil
            }
            if wakes?.stops == true { return }
            if let wakes { marks = wakes.marks }
        }
    }

    private func lookAtProcesses() {
        guard !pids.isEmpty else { return }
        let now = MonotonicInstant.now()
        let usage = Dictionary(uniqueKeysWithValues: ProcessTree.usage(of: pids).map { ($0.pid, $0) })
        state.withLock { state in
            for pid in pids where state.endedAt[pid] == nil {
                let known = state.known[pid]
                guard let current = usage[pid], known == nil || known?.startTicks == current.startTicks else {
                    state.endedAt[pid] = now
                    continue
                }
                state.known[pid] = current
                // Children that ended without being waited for take their time with them.
                guard let known else { continue }
                state.known[pid]?.cpuSeconds = max(known.cpuSeconds, current.cpuSeconds)
                // One that is ending has given its memory back already, and is still listed.
                if current.rssBytes == 0 { state.known[pid]?.rssBytes = known.rssBytes }
                state.known[pid]?.peakRssBytes = max(known.peakRssBytes, current.peakRssBytes)
            }
        }
    }

    private func lookAtRedis(_ url: RedisURL, _ connection: inout BlockingRedisConnection?) {
        if connection?.isUsable != true {
            connection = try? BlockingRedisConnection(url: url, deadline: Self.redisDeadline)
        }
        guard let connection, case .string(let info)? = try? connection.send(RedisCommand("INFO")) else { return }
        let ours = open.count.load(ordering: .relaxed) + 1
        for line in String(buffer: info).split(whereSeparator: \.isNewline) {
            if line.hasPrefix("redis_version:") {
                let version = String(line.dropFirst("redis_version:".count))
                state.withLock { $0.redisVersion = version }
            }
            guard line.hasPrefix("connected_clients:"), let all = Int(line.dropFirst("connected_clients:".count))
            else { continue }
            state.withLock { $0.mostConnections = max($0.mostConnections ?? 0, all - ours) }
        }
    }
}
