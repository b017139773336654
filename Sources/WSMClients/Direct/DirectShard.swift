import NIOCore
import WSMCore
import WSMRecord

/// The direct clients of one event loop, over all instances that live on it, with their sink, their timer and counters.
///
/// Confined to that loop.
final class DirectShard<Sink: DeliverySink & SendableMetatype>: DirectReceiver, FleetPart {
    private struct Client {
        let index: UInt32
        let instance: UInt16
        var life = ClientLifecycle()
        /// How many delays have been drawn.
        var draws: UInt32 = 0
        /// What the instance calls the open session.
        var id: ClientID?
    }

    /// How many members get a message between two looks at the clock: their receipts have one instant.
    private static var clockStride: Int { 64 }

    let loop: any EventLoop
    let sink: Sink
    private let options: FleetOptions
    private let progress: FleetProgress
    var statistics = FleetStatistics()
    /// By instance; only those of this loop.
    private var ports: [UInt16: any DirectPort] = [:]
    /// By their first connect.
    private var clients: ContiguousArray<Client> = []
    /// What the sink calls each client's session.
    private var sessions: ContiguousArray<Int> = []
    private var slotOfClient: [UInt32: Int] = [:]
    var connects: ContiguousArray<MonotonicInstant> = []
    var nextConnect = 0
    var agenda = Agenda()
    var timer = WakeTimer()
    /// No client connects any more; those that are connected wait for their instance to close.
    private var isAwaitingCloses = false
    private var hasEnded = false
    private let batch: UnsafeMutableBufferPointer<Int>

    init(loop: any EventLoop, sink: Sink, options: FleetOptions, progress: FleetProgress) {
        self.loop = loop
        self.sink = sink
        self.options = options
        self.progress = progress
        batch = .allocate(capacity: Self.clockStride)
        batch.initialize(repeating: 0)
    }

    deinit {
        batch.deallocate()
    }

    func attach(_ instance: UInt16, _ port: any DirectPort) { ports[instance] = port }

    /// Takes its part of the connect plan, which is in the order of its instants.
    func begin(_ plan: [FleetClient], startingAt start: MonotonicInstant) {
        loop.assertInEventLoop()
        guard !hasEnded else { return }
        clients.reserveCapacity(plan.count)
        sessions.reserveCapacity(plan.count)
        connects.reserveCapacity(plan.count)
        slotOfClient.reserveCapacity(plan.count)
        for client in plan {
            slotOfClient[client.index] = clients.count
            clients.append(Client(index: client.index, instance: client.instance))
            sessions.append(-1)
            connects.append(start + client.connectAt)
        }
        arm()
    }

    func churn(_ plan: [FleetChurn]) {
        loop.assertInEventLoop()
        guard !hasEnded else { return }
        for churn in plan {
            if let slot = slotOfClient[churn.client] { agenda.add(.churn, at: churn.at, slot: slot) }
        }
        arm()
    }

    // MARK: DirectReceiver

    func received(_ message: UnsafeRawBufferPointer, by members: UnsafeBufferPointer<Int32>) {
        var next = 0
        while next < members.count {
            let count = min(Self.clockStride, members.count - next)
            let at = MonotonicInstant.now()
            for offset in 0..<count { batch[offset] = sessions[Int(members[next + offset])] }
            sink.received(sessions: UnsafeBufferPointer(rebasing: batch[..<count]), message: message, at: at)
            next += count
        }
        statistics.messages += members.count
    }

    func ended(_ member: Int32, code: UInt16?) {
        let slot = Int(member)
        guard clients[slot].id != nil else { return }
        let now = MonotonicInstant.now()
        let end: SessionEnd
        if let code {
            statistics.closedByServer += 1
            end = .closedByServer(code: code)
        } else {
            statistics.dropped += 1
            end = .dropped
        }
        close(slot, end, at: now)
        guard !isAwaitingCloses else { return clients[slot].life.stop() }
        let unit = drawUnit(slot)
        follow(clients[slot].life.ended(end, at: now, options.reconnect, unit: unit), slot, at: now)
    }

    // MARK: Sessions

    /// Begins the client's session, if it waits for one.
    func connect(_ slot: Int) {
        guard clients[slot].life.begin() else { return }
        open(slot)
    }

    private func open(_ slot: Int) {
        let now = MonotonicInstant.now()
        statistics.attempts += 1
        let client = clients[slot]
        guard let port = ports[client.instance] else {
            preconditionFailure("client \(client.index) is on the loop of another instance than \(client.instance)")
        }
        guard let id = port.open(Int32(slot)) else { return failed(slot, at: now) }
        let isFirst = !client.life.hasOpened
        guard clients[slot].life.opened(at: now) else { return port.close(id) }
        statistics.opened += 1
        sessions[slot] = sink.sessionOpened(
            client: client.index, instance: client.instance, slowReader: false, attemptedAt: now, openedAt: now)
        clients[slot].id = id
        progress.sessionOpened()
        if isFirst { progress.clientOpened() }
    }

    /// The instance takes no more clients.
    private func failed(_ slot: Int, at now: MonotonicInstant) {
        statistics.countFailure(ConnectFailure.instanceStopped)
        sink.connectFailed(client: clients[slot].index, instance: clients[slot].instance, at: now)
        let unit = drawUnit(slot)
        follow(clients[slot].life.failed(options.reconnect, unit: unit), slot, at: now)
    }

    /// Does what a client's lifecycle asks for.
    private func follow(_ next: ClientLifecycle.Next, _ slot: Int, at now: MonotonicInstant) {
        switch next {
        case .retry(let delay):
            agenda.add(.reconnect, at: now + delay, slot: slot)
            arm()
        case .stayAway: if !clients[slot].life.hasOpened { progress.clientGaveUp() }
        case .nothing: break
        }
    }

    private func close(_ slot: Int, _ end: SessionEnd, at now: MonotonicInstant) {
        clients[slot].id = nil
        progress.sessionEnded()
        sink.sessionClosed(session: sessions[slot], end: end, at: now)
    }

    /// Ends the session from this side.
    private func leave(_ slot: Int, _ end: SessionEnd, at now: MonotonicInstant) {
        guard let id = clients[slot].id else { return }
        close(slot, end, at: now)
        ports[clients[slot].instance]?.close(id)
    }

    /// The plan ends the client's session; the next one begins at once.
    func churn(_ slot: Int, at now: MonotonicInstant) {
        guard clients[slot].id != nil, clients[slot].life.churn() else {
            statistics.churnsSkipped += 1
            return
        }
        statistics.churned += 1
        leave(slot, .churned, at: now)
        open(slot)
    }

    /// Ends all attempts: from here on sessions only end.
    func awaitCloses() {
        loop.assertInEventLoop()
        isAwaitingCloses = true
        agenda.removeAll()
        nextConnect = connects.count
        timer.cancel()
        for slot in clients.indices where clients[slot].id == nil { clients[slot].life.stop() }
    }

    /// Ends all sessions; nobody connects any more.
    func end() {
        guard !hasEnded else { return }
        awaitCloses()
        hasEnded = true
        let now = MonotonicInstant.now()
        // The last first: a manager that removes clients from its list one by one then moves nothing.
        for slot in clients.indices.reversed() {
            clients[slot].life.stop()
            leave(slot, .runEnded, at: now)
        }
        for port in ports.values { port.detach() }
        ports = [:]
    }

    /// The client's next random number in [0, 1), as ``FleetShard`` draws it.
    private func drawUnit(_ slot: Int) -> Double {
        let entity = UInt64(clients[slot].index) | UInt64(clients[slot].draws) << 32
        clients[slot].draws &+= 1
        var numbers = CounterRNG(seed: options.seed, stream: .reconnect, entity: entity)
        return numbers.unit()
    }
}
