import WSMCore
import WSMManagers
import WSMRecord

/// What comes to an instance from a socket; its event loop takes note of it at the beginning of its next turn.
enum SocketEvent {
    /// A client asks for a WebSocket.
    case opened(Int, attemptedAt: MonotonicInstant)
    /// The client has closed, or has answered a close.
    case closed(Int)
    /// The connection was reset.
    case reset(Int)
    case text(Int, ClientText)
    /// The socket's buffer has passed its high-water mark, or has drained.
    case writability(Int)
    case brokerSubscribed(SubscriptionID)
    case brokerMessages(SubscriptionID, [Message])
    case brokerDown(SubscriptionID)

    /// Whether the next event is more of what one read of a socket brings: messages of the broker that lay there together.
    func isOneRead(with next: SocketEvent?) -> Bool {
        guard case .brokerMessages(let id, _) = self, case .brokerMessages(let other, _)? = next else { return false }
        return id == other
    }

    /// Whether nothing of the client's comes after it.
    var isEnd: Bool {
        switch self {
        case .closed, .reset: true
        default: false
        }
    }
}

/// One life of a simulated instance: the machines of `WSMManagers` on one event loop, its threads, its sockets.
///
/// It does what `ManagerDriver` and `ClientShard` do live, in the same order: within a turn of the loop sockets come first,
/// then the inbox; what is sent to a channel in one turn leaves in one write a client, at its end.
final class Instance {
    typealias Input = ManagerInput<Message>

    let setup: InstanceSetup
    let simulator: Simulator
    let fleet: Fleet
    let costs: CostModel
    var manager: WebSocketManager<Message>
    /// What breaks it on purpose.
    let saboteur: (any Saboteur)?
    var effects: [ManagerEffect<Message>] = []
    var inbox: [Input] = []
    var socketEvents: [SocketEvent] = []
    /// How much of the turn's time has been spent.
    var spent = TimeSpan.zero
    private var busyUntil = Simulator.origin
    private var isTurnDue = false
    var isInTurn = false
    /// Where the turn's writes go on a shared machine, which brings them to the clients as it comes to them.
    var pacedWrites: (([Message], [Int32], TimeSpan, TimeSpan) -> Void)?
    /// When the loop's last turn with writes to clients began, on a shared machine.
    var wroteAt = Simulator.origin
    /// What each write of the turn costs more because its socket has rested.
    var coldWrite = TimeSpan.zero
    /// What waited for the loop's turns.
    private(set) var inputs = QueueAccount()
    /// Killed, or stopped and gone: nothing happens any more.
    private(set) var isDead = false
    private(set) var isPaused = false
    var isListening = false
    /// Whether what happens still belongs to this instance's record.
    var isReporting = true
    /// What waits for the end of a pause, in its order.
    private var parked: [() -> Void] = []

    /// Connections by the numbers that the manager knows them by, -1 once they are gone.
    var connectionOf: ContiguousArray<Int32> = []
    var openSockets = 0
    /// Whether some socket may be full, or may have been when a message was left out for it.
    var hasFullSockets = false
    var members: [ChannelName: [Int32]] = [:]
    var outboxes: [ChannelName: [Message]] = [:]
    var outboxBytes = 0
    /// The channels with messages in their outbox, in the order of their first.
    var pendingChannels: [ChannelName] = []
    /// Before this no client gets anything more: what was written earlier is on its way until then.
    var nextArrival = Simulator.origin
    var gate: SlowClientGate
    /// The send that has just ended a walk, which the machine takes for complete.
    var brokenWalk: BrokenWalk?
    var brokenWalks: [BroadcastID: BrokenWalk] = [:]
    var broadcastDone: [BroadcastID: (BroadcastOutcome) -> Void] = [:]
    private var nextBroadcast: UInt64 = 0
    var counts = InstanceCounts()

    private(set) lazy var broker = BrokerLinks(self)
    private(set) lazy var thread: BroadcastThread? = setup.hasBroadcastThread ? BroadcastThread(self) : nil
    private(set) lazy var api = ApiBroadcaster(self)
    private(set) lazy var pool = WorkerPool(self)
    private var publishers: [Publisher] = []
    let publishersWarmth = Warmth()

    struct BrokenWalk {
        let client: ClientID
        /// Clients behind it that were to get the message.
        let missed: Int
    }

    init(_ setup: InstanceSetup) {
        self.setup = setup
        simulator = setup.simulator
        fleet = setup.fleet
        costs = setup.costs
        gate = SlowClientGate(setup.policies.slowClient)
        saboteur = setup.sabotage?.make()
        manager = WebSocketManager(
            kind: setup.kind, policies: setup.policies, gapMark: setup.gapMark, seed: setup.seed)
    }

    var highWaterMark: Int { setup.highWaterMark }
    /// Who records what happens; `nil` once another life may have begun.
    var probe: (any SimulationProbe)? { isReporting ? setup.probe : nil }
    /// The instant that the event loop has come to in its turn.
    var loopNow: MonotonicInstant { simulator.now + spent }
    /// Updates that wait, and processes that run or wait.
    var backlog: Int { (thread?.waiting ?? 0) + pool.load }

    /// `connect_redis`, and the listening socket once all subscriptions are there.
    func start() {
        post(.start(channels: [.events]))
        awaitSubscriptions()
    }

    private func awaitSubscriptions() {
        guard !isDead else { return }
        if !inbox.isEmpty || !manager.isFullySubscribed {
            return simulator.after(.milliseconds(2), .instance, setup.index) { [self] in awaitSubscriptions() }
        }
        isListening = true
    }

    // MARK: The event loop

    /// From any thread of the instance.
    func post(_ input: Input) {
        guard !isDead else { return }
        enqueue(input)
        wake(.byThread)
    }

    func socketEvent(_ event: SocketEvent) {
        guard !isDead else { return }
        socketEvents.append(event)
        noteArrival()
        wake(.byThread)
    }

    /// Puts an input behind all others; within a turn it belongs to that one.
    func enqueue(_ input: Input) {
        inbox.append(input)
        noteArrival()
    }

    private func noteArrival() {
        inputs.arrive(at: simulator.now)
        inputs.observe(length: socketEvents.count + inbox.count, at: simulator.now)
    }

    private func noteDepartures(_ count: Int) {
        inputs.depart(count, at: simulator.now)
        inputs.observe(length: socketEvents.count + inbox.count, at: simulator.now)
    }

    /// Lets the loop have a turn: at once when it is busy now, else when it has woken.
    private func wake(_ call: WakeUp) {
        guard !isTurnDue, !isInTurn else { return }
        isTurnDue = true
        if let thread = setup.loop, let loops = setup.clientLoops {
            return thread.submit(call) { [self] in pacedTurn(on: thread, loops) }
        }
        let at = busyUntil > simulator.now ? busyUntil : simulator.now + costs.wake
        simulator.at(at, .loopTurn, setup.index) { [self] in pass { [self] in turn() } }
    }

    private func turn() {
        busyUntil = simulator.now + performTurn(nil)
        endTurn()
    }

    /// Does what a turn does, all at the instant of its beginning; returns how long it takes.
    ///
    /// - Parameter writes: Takes the writes to clients with the time spent before them and that of each; `nil`: they are on
    ///   their way at once.
    func performTurn(_ writes: (([Message], [Int32], TimeSpan, TimeSpan) -> Void)?) -> TimeSpan {
        isTurnDue = false
        guard !isDead else { return .zero }
        isInTurn = true
        spent = costs.machine?.turn ?? .zero
        pacedWrites = writes
        let events = socketEvents
        socketEvents.removeAll(keepingCapacity: true)
        noteDepartures(events.count)
        for (place, event) in events.enumerated() where !isDead {
            take(event)
            let next = place + 1 < events.count ? events[place + 1] : nil
            if !event.isOneRead(with: next) { flush() }
        }
        while !inbox.isEmpty, !isDead {
            let batch = inbox
            inbox = []
            noteDepartures(batch.count)
            for input in batch { step(input) }
        }
        flush()
        pacedWrites = nil
        let length = spent
        spent = .zero
        return length
    }

    /// What came during a turn is the next one's.
    func endTurn() {
        isInTurn = false
        if !isDead, !socketEvents.isEmpty || !inbox.isEmpty { wake(.timer) }
    }

    /// Hands one input to the manager and performs what follows from it.
    func step(_ input: Input) {
        guard !isDead else { return }
        spent = spent + costs.input
        manager.handle(input, now: loopNow, effects: &effects)
        saboteur?.bend(&effects, after: input)
        let wanted = effects
        effects.removeAll(keepingCapacity: true)
        for effect in wanted { perform(effect) }
    }

    func scheduleTimer(_ timer: ManagerTimer, at instant: MonotonicInstant) {
        simulator.at(instant, .managerTimer, setup.index) { [self] in post(.timer(timer)) }
    }

    // MARK: Broadcasts in memory

    /// Hands a broadcast to the Memory manager; `done` is told on the caller's thread.
    func broadcastInMemory(_ channels: [ChannelName], _ message: Message, done: @escaping (BroadcastOutcome) -> Void) {
        let id = BroadcastID(nextBroadcast)
        nextBroadcast += 1
        broadcastDone[id] = done
        post(.publish(id, channels: channels, message, closesClients: false))
    }

    // MARK: Pauses and ends

    /// Does something now, or when the instance goes on: what SIGSTOP does to each of its threads.
    func pass(_ body: @escaping () -> Void) {
        if isPaused { parked.append(body) } else { body() }
    }

    func pause() { isPaused = true }

    func resume() {
        guard isPaused else { return }
        isPaused = false
        let waiting = parked
        parked = []
        for body in waiting { body() }
    }

    func makePublisher(entity: UInt64) -> Publisher {
        let publisher = Publisher(self, entity: entity)
        publishers.append(publisher)
        return publisher
    }

    /// Ends the waits of publishing threads.
    func cancelPublishers() {
        for publisher in publishers { publisher.cancel() }
        publishers = []
    }

    /// Ends the instance at once: sockets close without a close frame, threads end, and nothing more is sent.
    func crash() {
        for event in socketEvents {
            guard case .opened(let connection, _) = event else { continue }
            fleet.turnAway(connection)
        }
        isListening = false
        isDead = true
        parked = []
        isPaused = false
        cancelPublishers()
        pool.abandon()
        thread?.abandon()
        api.abandon()
        broker.closeAll()
        cutAll()
        broadcastDone = [:]
    }

    /// Closes what is left, without a word; returns how many clients that were.
    @discardableResult
    func cutAll() -> Int {
        var cut = 0
        for connection in connectionOf where connection >= 0 {
            guard fleet.connections[Int(connection)].flags.contains(.serverOpen) else { continue }
            cut += 1
            drop(Int(connection))
        }
        return cut
    }

    /// It has stopped in order.
    func end() {
        isDead = true
        broker.closeAll()
    }
}
