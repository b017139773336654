import WSMCore

/// A Redis server in virtual time: one thread that takes what has come, runs it, and then writes all replies and messages of
/// the turn.
///
/// As the real one, it writes at the end of a turn, to the connection that was touched last first (`clients_pending_write`
/// is filled at its head); messages to a subscriber keep the order of their publishing.
final class RedisServer {
    /// How much Redis keeps for a subscriber that does not read (`client-output-buffer-limit pubsub`), in bytes.
    struct Limits {
        var hard = 32 << 20
        var soft: Int? = 8 << 20
        var softFor = TimeSpan.seconds(60)
    }

    private let simulator: Simulator
    private let costs: CostModel
    private let limits: Limits
    /// The thread that it runs on, on a shared machine.
    private let thread: SimulatedThread?
    private(set) var isUp = true
    private(set) var isPaused = false
    /// By the order of their connecting.
    private(set) var links: [RedisLink] = []
    private var subscribers: [ChannelName: [RedisLink]] = [:]
    private var arrived: [(link: RedisLink, command: RedisCommand)] = []
    private var touched: [RedisLink] = []
    private var isTurnDue = false
    private var busyUntil = Simulator.origin
    private var nextLink = 0
    /// The masters that another has replaced in order so far.
    private var failovers = 0

    init(_ simulator: Simulator, costs: CostModel, limits: Limits, thread: SimulatedThread? = nil) {
        self.thread = thread
        self.simulator = simulator
        self.costs = costs
        self.limits = limits
    }

    /// Connections that listen to a channel now.
    var subscriptionCount: Int { links.count { $0.channel != nil } }

    /// Lets go of who listens to the connections, at the end of the simulation.
    func forgetOwners() {
        for link in links {
            link.receive = { _ in }
            link.closed = {}
        }
    }

    // MARK: Connections

    /// Opens a connection; `done` is told at the caller's end whether it was accepted.
    ///
    /// A server that stands still accepts too: that is the kernel's doing. A relay accepts whatever becomes of it.
    func connect(through relay: Relay?, _ done: @escaping (RedisLink?) -> Void) {
        nextLink += 1
        let link = RedisLink(id: nextLink)
        simulator.after(costs.linkLatency, .redisCommand, link.id) { [self] in
            if let relay {
                link.path = relay.accept(
                    RelayedConnection.Owner(
                        reach: { [self] in accept(link) }, reset: { [self] in resetByRelay(link) }))
            }
            let accepts = relay != nil || accept(link)
            simulator.after(costs.linkLatency, .redisReply, link.id) { done(accepts ? link : nil) }
        }
    }

    /// Whether the server is there and has taken the connection.
    private func accept(_ link: RedisLink) -> Bool {
        guard isUp else { return false }
        link.isOpen = true
        link.master = failovers
        links.append(link)
        return true
    }

    /// The owner closes its end.
    func close(_ link: RedisLink) {
        link.receive = { _ in }
        link.closed = {}
        simulator.after(costs.linkLatency, .redisCommand, link.id) { [self] in
            guard let path = link.path else { return forget(link) }
            path.end(from: .client) { [self] in forget(link) }
        }
    }

    /// Sends a command; it is lost where the connection ends before it has come.
    func send(_ command: RedisCommand, on link: RedisLink) {
        let sender = thread?.acting
        simulator.after(costs.linkLatency, .redisCommand, link.id) { [self] in
            guard let path = link.path else { return perform(as: sender) { take(command, from: link) } }
            path.send(from: .client, bytes: command.bytes) { [self] in take(command, from: link) }
        }
    }

    private func take(_ command: RedisCommand, from link: RedisLink) {
        guard link.isOpen, isUp else { return }
        arrived.append((link, command))
        wake()
    }

    private func forget(_ link: RedisLink) {
        guard link.isOpen else { return }
        link.isOpen = false
        link.closedAt = simulator.now
        links.removeAll { $0 === link }
        if let channel = link.channel { subscribers[channel]?.removeAll { $0 === link } }
        link.channel = nil
    }

    /// Ends a connection from Redis' side.
    private func cut(_ link: RedisLink) {
        forget(link)
        simulator.after(costs.linkLatency, .redisReply, link.id) {
            guard let path = link.path else { return link.closed() }
            path.end(from: .upstream) { link.closed() }
        }
    }

    /// The relay in its link has ended a connection, at both ends.
    private func resetByRelay(_ link: RedisLink) {
        simulator.after(costs.linkLatency, .redisCommand, link.id) { [self] in
            forget(link)
            link.closed()
        }
    }

    // MARK: Turns

    private func wake() {
        guard !isTurnDue, !isPaused else { return }
        isTurnDue = true
        if let thread { return thread.submit(.byThread) { [self] in pacedTurn(on: thread) } }
        simulator.at(max(simulator.now, busyUntil), .redisTurn) { [self] in turn() }
    }

    private func turn() {
        let begin = simulator.now
        let (spent, writes) = takeTurn()
        for each in writes { write(each.link, at: begin + each.spent) }
        busyUntil = begin + spent
        endTurn()
    }

    /// Runs what has come; returns how long that takes with all writes, and when each of these is done.
    func takeTurn() -> (spent: TimeSpan, writes: [(link: RedisLink, spent: TimeSpan)]) {
        guard isUp, !isPaused else { return (.zero, []) }
        let commands = arrived
        arrived.removeAll(keepingCapacity: true)
        var spent = TimeSpan.zero
        for (link, command) in commands where link.isOpen { spent = spent + run(command, of: link) }
        var writes: [(link: RedisLink, spent: TimeSpan)] = []
        for link in touched.reversed() {
            spent = spent + costs.redisSubscriber
            writes.append((link, spent))
        }
        touched.removeAll(keepingCapacity: true)
        return (spent, writes)
    }

    /// What came during a turn is the next one's.
    func endTurn() {
        isTurnDue = false
        if !arrived.isEmpty, isUp { wake() }
    }

    private func run(_ command: RedisCommand, of link: RedisLink) -> TimeSpan {
        switch command {
        case .ping:
            put(.pong, to: link)
            return costs.redisCommand
        case .subscribe(let channel):
            link.channel = channel
            subscribers[channel, default: []].append(link)
            put(.subscribed, to: link)
            return costs.redisCommand
        case .publish(let channels, let message):
            let receivers = channels.map { channel in
                let all = (subscribers[channel] ?? []).filter { $0.master == link.master }
                for subscriber in all { put(.message(message), to: subscriber) }
                return all.count
            }
            put(.published(receivers), to: link)
            return costs.redisCommand.scaled(by: Double(channels.count))
        }
    }

    private func put(_ output: RedisOutput, to link: RedisLink) {
        if link.output.isEmpty { touched.append(link) }
        link.output.append(output)
    }

    func write(_ link: RedisLink, at instant: MonotonicInstant) {
        let output = link.output
        link.output = []
        simulator.at(instant + costs.linkLatency, .redisReply, link.id) { [self] in
            // Redis was gone before it had written this.
            if let closedAt = link.closedAt, closedAt < instant { return }
            guard let path = link.path else { return perform(as: thread) { receive(output, on: link) } }
            path.send(from: .upstream, bytes: output.reduce(0) { $0 + $1.bytes }) { [self] in
                receive(output, on: link)
            }
            checkLimits(of: link)
        }
    }

    /// Does something in the name of a thread, where threads share the machine's cores.
    private func perform(as other: SimulatedThread?, _ body: () -> Void) {
        guard let thread else { return body() }
        thread.perform(as: other, body)
    }

    private func receive(_ output: [RedisOutput], on link: RedisLink) {
        guard !link.isReading else { return link.receive(output) }
        link.unread += output
        link.unreadBytes += output.reduce(0) { $0 + $1.bytes }
        checkLimits(of: link)
    }

    // MARK: Subscribers that do not read

    /// What neither the kernel nor a relay takes is kept by Redis.
    private func keptBytes(for link: RedisLink) -> Int {
        let kernel = costs.sendBuffer + costs.receiveBuffer
        guard let path = link.path else { return link.unreadBytes - kernel }
        let waiting = path.waitingBytes(from: .upstream)
        // A relay that holds a connection takes nothing, however much there is room for behind it.
        return path.room == 0 ? waiting - kernel : waiting + link.unreadBytes - 2 * kernel - path.room
    }

    private func checkLimits(of link: RedisLink) {
        guard link.isOpen else { return }
        let kept = keptBytes(for: link)
        if kept > limits.hard { return cut(link) }
        guard let soft = limits.soft, kept > soft else {
            link.overSoftLimitSince = nil
            return
        }
        let since = link.overSoftLimitSince ?? simulator.now
        link.overSoftLimitSince = since
        if simulator.now - since > limits.softFor { cut(link) }
    }

    /// The owner reads again, or stops reading; what has waited comes at once, if the connection still stands.
    func setReading(_ reads: Bool, of link: RedisLink) {
        link.isReading = reads
        guard reads, link.isUsable, !link.unread.isEmpty else { return }
        let waited = link.unread
        link.unread = []
        link.unreadBytes = 0
        link.overSoftLimitSince = nil
        link.receive(waited)
    }
}

extension RedisServer {
    // MARK: Faults

    /// Ends the server at once: its connections are reset, and what it had not written is gone.
    func kill() {
        guard isUp else { return }
        isUp = false
        isPaused = false
        arrived = []
        for link in links { cut(link) }
        subscribers = [:]
    }

    /// Starts it again, without any connection.
    func start() { isUp = true }

    /// Lets it stand still: connections are accepted, and nothing is answered.
    func pause() { isPaused = true }

    func resume() {
        isPaused = false
        if !arrived.isEmpty { wake() }
    }

    /// Another server becomes the master, in order: who connects from now on gets that one.
    ///
    /// The old one goes on for those who are connected, until they hear of the change and leave it, each after a time of
    /// its own.
    func failOver(hearing: (RedisLink) -> TimeSpan) {
        failovers += 1
        for link in links {
            simulator.after(hearing(link), .redisFault, link.id) { [self] in
                if link.isOpen { cut(link) }
            }
        }
    }

    /// Ends the connections at these places among ``links``; returns how many that were.
    func disconnect(_ places: [Int]) -> Int {
        let picked = places.map { links[$0] }
        for link in picked { cut(link) }
        return picked.count
    }
}
