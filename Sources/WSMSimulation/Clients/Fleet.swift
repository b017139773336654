import WSMCore
import WSMManagers
import WSMRecord
import WSMScenario
import WSMVerify

/// The clients of a simulated run, in flat arrays: some hundred bytes each, and as much for each further session.
///
/// A client behaves as one of the live fleet: its lifecycle is the same machine, its delays are drawn from the same numbers.
final class Fleet {
    /// One client of the plan.
    struct Client {
        let instance: UInt16
        var life = ClientLifecycle()
        /// Its newest attempt or session, or -1.
        var connection: Int32 = -1
        /// How many delays have been drawn.
        var draws: UInt32 = 0
        /// Since when a ping waits for its answer; zero: none does.
        var askedAt: Int64 = 0
    }

    /// What ``session(receivingOn:)`` gives where nobody receives, and where what comes must wait.
    static let nobody: Int32 = -1
    static let backlogged: Int32 = -2
    /// How long one attempt may take, as in the live fleet.
    static let connectDeadline = TimeSpan.seconds(10)

    let simulator: Simulator
    let costs: CostModel
    let observer: DeliveryObserver
    let reconnect: BackoffPolicy
    let spec: ClientsSpec
    let seed: UInt64
    let sendBuffer: Int?
    var clients: ContiguousArray<Client> = []
    var connections: ContiguousArray<Connection> = []
    var backlogs: [Backlog?] = []
    /// Connections that have a backlog now.
    private(set) var backlogCount = 0
    var counts = FleetCounts()
    /// Bytes a second of the clients that read slowly.
    var readRates: [Int32: Int] = [:]
    private(set) var openSessions = 0
    /// Clients that had a session.
    private(set) var everConnected = 0
    /// The load is over: slow readers read as fast as they can, and nobody is stalled any more.
    var hasReleased = false
    /// No client connects any more.
    var isAwaitingCloses = false
    /// Connections of clients that vanished, which the instance still holds for open.
    var vanished: [Int] = []
    /// What is known of connections that faults will reset.
    var resets = ResetForecast()
    /// The instances by their numbers, as clients find them.
    var hosts: [InstanceSlot] = []
    /// The loops that receive what comes, on a shared machine.
    var loops: ClientLoops?
    /// By connection: its way through the relay before its instance; only looked up, so that its order does not matter.
    var paths: [Int: RelayedConnection] = [:]
    /// What stands in the links between clients and instances that faults disturb.
    var relays: Relays?

    init(_ simulator: Simulator, _ scenario: Scenario, plan: LoadPlan, costs: CostModel, observer: DeliveryObserver) {
        self.simulator = simulator
        self.costs = costs
        self.observer = observer
        spec = scenario.clients
        reconnect = scenario.clients.reconnect.policy
        seed = scenario.seed
        sendBuffer = scenario.cluster.sendBuffer
        clients.reserveCapacity(plan.clients.count)
        connections.reserveCapacity(plan.clients.count)
        for client in plan.clients {
            clients.append(Client(instance: UInt16(client.instance)))
            if let rate = client.readRate { readRates[Int32(client.index)] = rate }
        }
    }

    // MARK: What comes

    /// The observer's session that gets what has come on a connection; ``nobody``, or ``backlogged``.
    @inline(__always)
    func session(receivingOn connection: Int) -> Int32 {
        let state = connections[connection]
        // A client that vanished reads nothing any more, and its buffers fill all the same.
        if state.backlog >= 0 { return Fleet.backlogged }
        return state.flags.contains(.clientOpen) ? state.session : Fleet.nobody
    }

    /// A message has come to these sessions.
    func received(_ receipts: ContiguousArray<StampedReceipt>, of message: Message) {
        receipts.withUnsafeBufferPointer { observer.received($0, of: message.stamp) }
    }

    /// A message has come to one connection.
    func received(_ message: Message, on connection: Int, at: MonotonicInstant) {
        let receipt = StampedReceipt(session: connections[connection].session, at: at)
        simulator.hash.mix(UInt64(UInt32(bitPattern: receipt.session)), UInt64(bitPattern: at.nanoseconds))
        withUnsafePointer(to: receipt) {
            observer.received(UnsafeBufferPointer(start: $0, count: 1), of: message.stamp)
        }
    }

    /// A text without a stamp has come.
    private func receivedForeign(on connection: Int, at: MonotonicInstant) {
        let text: [UInt8] = [0x7b, 0x7d]
        text.withUnsafeBytes {
            observer.received(session: Int(connections[connection].session), message: $0, at: at)
        }
    }

    // MARK: Slow and stalled clients

    func backlog(of connection: Int) -> Backlog? {
        let index = connections[connection].backlog
        return index < 0 ? nil : backlogs[Int(index)]
    }

    /// The connection's backlog, which begins here if there was none.
    func makeBacklog(_ connection: Int, rate: Int?) -> Backlog {
        // A slow reader makes its receive buffer small: 4 KiB, which the kernel doubles.
        let receiveBuffer = rate == nil ? costs.receiveBuffer : 8 << 10
        let kernelBytes = (sendBuffer ?? costs.sendBuffer) + receiveBuffer
        if let known = backlog(of: connection) {
            if let rate { known.slowDown(to: rate, kernelBytes: kernelBytes) }
            return known
        }
        let made = Backlog(connection: connection, kernelBytes: kernelBytes, rate: rate)
        connections[connection].backlog = Int32(backlogs.count)
        backlogs.append(made)
        backlogCount += 1
        return made
    }

    /// A message has come for a client that does not take it at once.
    func queue(_ message: Message, on connection: Int, at instant: MonotonicInstant) {
        guard let backlog = backlog(of: connection) else { return received(message, on: connection, at: instant) }
        if backlog.path != nil {
            return simulator.at(instant, .link, connection) { [self] in relay(.message(message), on: connection) }
        }
        backlog.append(.message(message))
        noteWritability(backlog)
        read(backlog, from: instant)
    }

    /// Puts the end of the next item's reading on the agenda.
    func read(_ backlog: Backlog, from instant: MonotonicInstant) {
        guard !backlog.isReading, backlog.stalledUntil == nil, backlog.first != nil else { return }
        backlog.isReading = true
        simulator.at(instant + backlog.readingTime, .clientReads, backlog.connection) { [self] in
            backlog.isReading = false
            // It was stalled meanwhile, and has read nothing.
            guard backlog.stalledUntil == nil else { return }
            takeFirst(of: backlog)
        }
    }

    private func takeFirst(of backlog: Backlog) {
        guard let item = backlog.first else { return }
        let connection = backlog.connection
        backlog.removeFirst()
        noteWritability(backlog)
        hand(item, to: connection)
        // Nothing more comes through a relay either.
        if case .end = item, backlog.path != nil { return dropBacklog(of: connection) }
        if backlog.isNeeded { read(backlog, from: simulator.now) } else { dropBacklog(of: connection) }
    }

    func dropBacklog(of connection: Int) {
        let index = connections[connection].backlog
        guard index >= 0 else { return }
        backlogs[Int(index)] = nil
        backlogCount -= 1
        connections[connection].backlog = -1
    }

    /// Tells the instance when its socket passes its high-water mark, or has drained to the half of it.
    func noteWritability(_ backlog: Backlog) {
        let connection = backlog.connection
        let state = connections[connection]
        guard state.flags.contains(.serverOpen), let instance = hosts[Int(state.instance)].instance else { return }
        let isUnwritable = state.flags.contains(.unwritable)
        if !isUnwritable, backlog.waiting > instance.highWaterMark {
            connections[connection].flags.insert(.unwritable)
            instance.hasFullSockets = true
            instance.socketEvent(.writability(connection))
        } else if isUnwritable, backlog.waiting <= instance.highWaterMark / 2 {
            connections[connection].flags.remove(.unwritable)
            instance.socketEvent(.writability(connection))
        }
    }

    // MARK: What the instance sends beside messages

    /// Brings what an instance sends to one client, at `instant`, behind all that it sent it before.
    func bring(_ item: Backlog.Item, to connection: Int, at instant: MonotonicInstant) {
        afterReceipts(connection, at: instant) { [self] in arrived(item, on: connection) }
    }

    /// When something comes to whom.
    struct Arrival {
        let connection: Int32
        let at: MonotonicInstant
    }

    /// Brings the same to each of several clients, in the order of the instants: one entry of the agenda walks over them.
    func bring(_ item: Backlog.Item, to arrivals: [Arrival]) { bring(item, to: arrivals, 0) }

    private func bring(_ item: Backlog.Item, to arrivals: [Arrival], _ place: Int) {
        guard place < arrivals.count else { return }
        let connection = Int(arrivals[place].connection)
        simulator.at(arrivals[place].at, .clientClose, connection) { [self] in
            bring(item, to: arrivals, place + 1)
            whenReceived(connection) { [self] in arrived(item, on: connection) }
        }
    }

    private func arrived(_ item: Backlog.Item, on connection: Int) {
        if let backlog = backlog(of: connection) {
            if backlog.path != nil { return relay(item, on: connection) }
            backlog.append(item)
            return read(backlog, from: simulator.now)
        }
        hand(item, to: connection)
    }

    /// The client has it.
    func hand(_ item: Backlog.Item, to connection: Int) {
        let isOpen = connections[connection].flags.contains(.clientOpen)
        switch item {
        case .message(let message): if isOpen { received(message, on: connection, at: simulator.now) }
        case .foreign: if isOpen { receivedForeign(on: connection, at: simulator.now) }
        case .end(let end): serverEnded(connection, end)
        }
    }

    /// The instance's socket is gone without a close frame.
    func cutOff(_ connection: Int, at instant: MonotonicInstant) {
        afterReceipts(connection, at: instant) { [self] in
            backlog(of: connection)?.discardUnsent()
            if paths[connection] != nil { relayEnd(to: connection) } else { arrived(.end(.dropped), on: connection) }
        }
    }

    /// Does something at `instant`, or once all that was written to the connection before has been received.
    private func afterReceipts(_ connection: Int, at instant: MonotonicInstant, _ body: @escaping () -> Void) {
        simulator.at(instant, .clientClose, connection) { [self] in whenReceived(connection, body) }
    }

    /// Does something now, or once all that was written to the connection before has been received.
    private func whenReceived(_ connection: Int, _ body: @escaping () -> Void) {
        guard let loops, !loops.hasReceivedAll(connection) else { return body() }
        afterReceipts(connection, at: simulator.now + .microseconds(20), body)
    }

    /// The session has ended by the instance's doing.
    private func serverEnded(_ connection: Int, _ end: SessionEnd) {
        let flags = connections[connection].flags
        if case .closedByServer = end {
            if flags.contains(.closeSeen) { counts.repeatedCloses += 1 }
            connections[connection].flags.insert(.closeSeen)
            // The answer, and the end of the socket.
            tellHost(of: connection, .closed(connection))
        }
        guard flags.contains(.clientOpen) else { return }
        if case .closedByServer = end { counts.closedByServer += 1 } else { counts.dropped += 1 }
        endSession(connection, end)
        let client = Int(connections[connection].client)
        guard !isAwaitingCloses else { return clients[client].life.stop() }
        follow(clients[client].life.ended(end, at: simulator.now, reconnect, unit: drawUnit(client)), client)
    }

    /// Takes the session from its client and tells the observer.
    func endSession(_ connection: Int, _ end: SessionEnd) {
        guard connections[connection].flags.contains(.clientOpen) else { return }
        connections[connection].flags.remove(.clientOpen)
        openSessions -= 1
        observer.sessionClosed(session: Int(connections[connection].session), end: end, at: simulator.now)
        let client = Int(connections[connection].client)
        if clients[client].connection == Int32(connection) { clients[client].connection = -1 }
    }

    /// Something of the client's comes to its instance, one latency later.
    func tellHost(of connection: Int, _ event: SocketEvent) {
        let host = hosts[Int(connections[connection].instance)]
        guard let path = paths[connection] else {
            let instance = host.life(of: connection)
            return simulator.after(costs.linkLatency, .socket, connection) { instance?.socketEvent(event) }
        }
        simulator.after(costs.linkLatency, .socket, connection) {
            let tell: () -> Void = { host.life(of: connection)?.socketEvent(event) }
            if event.isEnd { path.end(from: .client, tell) } else { path.send(from: .client, bytes: 16, tell) }
        }
    }

    /// Does what a client's lifecycle asks for.
    func follow(_ next: ClientLifecycle.Next, _ client: Int) {
        guard case .retry(let delay) = next else { return }
        simulator.after(delay, .connect, client) { [self] in
            guard !isAwaitingCloses else { return }
            counts.reconnects += 1
            connect(client)
        }
    }

    /// The client's next random number in [0, 1): the same for the same seed whatever other clients do.
    func drawUnit(_ client: Int) -> Double {
        let entity = UInt64(client) | UInt64(clients[client].draws) << 32
        clients[client].draws &+= 1
        var numbers = CounterRNG(seed: seed, stream: .reconnect, entity: entity)
        return numbers.unit()
    }

    /// The handshake has ended well: the session begins.
    func open(_ connection: Int, attemptedAt: MonotonicInstant) {
        let client = Int(connections[connection].client)
        let now = simulator.now
        let isFirst = !clients[client].life.hasOpened
        guard clients[client].connection == Int32(connection), clients[client].life.opened(at: now) else {
            return tellHost(of: connection, .closed(connection))
        }
        counts.opened += 1
        openSessions += 1
        if isFirst { everConnected += 1 }
        let rate = hasReleased ? nil : readRates[Int32(client)]
        connections[connection].flags.insert(.clientOpen)
        connections[connection].session = Int32(
            observer.sessionOpened(
                client: UInt32(client), instance: clients[client].instance, slowReader: rate != nil,
                attemptedAt: attemptedAt, openedAt: now))
        if let rate { _ = makeBacklog(connection, rate: rate) }
    }
}
