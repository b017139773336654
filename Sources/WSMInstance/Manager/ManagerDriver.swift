internal import NIOCore
internal import WSMCore
internal import WSMManagers
internal import WSMRedis

/// Runs a manager's machine live: feeds it what happens, performs its effects.
///
/// Confined to the manager's event loop.
///
/// What the manager sends to a channel during one turn of the loop is gathered in one buffer and written to each client
/// once, at the end of the turn: frames that wait together leave together, and a single one leaves at once. Where somebody was
/// told that a broadcast is done, the loop first does what follows from that: an answer to an endpoint's caller, one write, does
/// not wait for a thousand.
final class ManagerDriver {
    typealias Effect = ManagerEffect<ByteBuffer>

    /// Frames for a channel that have not been handed to the shards yet.
    private struct Outbox {
        var frames: ByteBuffer
        var messages: [FannedOutMessage] = []
    }

    private struct BrokenWalk {
        let client: ClientID
        /// Clients behind it that were to get the message.
        let missed: Int
    }

    /// A turn's frames are handed on early when they pass this many bytes.
    private static let outboxLimit = 1 << 20

    private let eventLoop: any EventLoop
    private let shards: [NIOLoopBound<ClientShard>]
    private let probe: (any InstanceProbe)?
    private let allocator = ByteBufferAllocator()
    private var manager: WebSocketManager<ByteBuffer>
    private var effects: [Effect] = []
    private var broker: BrokerLink?
    private var outboxes: [ChannelName: Outbox] = [:]
    /// The channels with frames in their outbox, in the order of their first.
    private var pendingChannels: [ChannelName] = []
    /// Where the manager walks its clients one by one and they are all on its own loop, so that a send can be seen to fail.
    private let walksInTurn: Bool
    /// The send that has just ended a walk, which the machine takes for complete.
    private var brokenWalk: BrokenWalk?
    private var brokenWalks: [BroadcastID: BrokenWalk] = [:]
    private var broadcastDone: [BroadcastID: @Sendable (BroadcastOutcome) -> Void] = [:]
    /// Whether somebody was told of a broadcast's end since frames were last written.
    private var hasTold = false
    private var isHandling = false
    /// Crashed: whatever comes is ignored.
    private var isDead = false
    /// Whether the messages themselves go to the shards with their frames: for a probe, and for clients without sockets.
    var carriesMessages: Bool
    private let counters: InstanceCounters

    init(
        manager: WebSocketManager<ByteBuffer>, fanOut: FanOutPolicy, shards: [NIOLoopBound<ClientShard>],
        eventLoop: any EventLoop, router: RedisRouter?, probe: (any InstanceProbe)?, counters: InstanceCounters
    ) {
        self.manager = manager
        self.shards = shards
        self.eventLoop = eventLoop
        self.probe = probe
        self.counters = counters
        carriesMessages = probe != nil
        walksInTurn =
            manager.kind == .memory && fanOut == .serial && shards.count == 1 && shards[0].eventLoop === eventLoop
        guard manager.enabled, manager.kind == .broadcast, let router else { return }
        broker = BrokerLink(router: router, eventLoop: eventLoop) { [unowned self] id, event in brokerEvent(id, event) }
    }

    var clientCount: Int { manager.clientCount }
    var subscriptionCount: Int { manager.subscriptionCount }
    var lastBrokerError: RedisError? { broker?.lastError }
    var isFullySubscribed: Bool { manager.isFullySubscribed }

    /// Handles one event and performs what follows from it, then sends what has gathered.
    func handle(_ input: ManagerInbox.Input) {
        eventLoop.assertInEventLoop()
        step(input)
        flush()
    }

    /// Handles all that an inbox holds, then sends what has gathered.
    func drain(_ inbox: ManagerInbox) {
        eventLoop.assertInEventLoop()
        while true {
            let inputs = inbox.take()
            if inputs.isEmpty { break }
            for input in inputs { step(input) }
        }
        guard hasTold, !pendingChannels.isEmpty else { return flush() }
        eventLoop.assumeIsolated().execute { self.flush() }
    }

    /// Calls back when the broadcast is done.
    ///
    /// To be told before the broadcast is posted.
    func onDone(_ broadcast: BroadcastID, _ body: @escaping @Sendable (BroadcastOutcome) -> Void) {
        broadcastDone[broadcast] = body
    }

    /// From here on nothing is handled or sent, and the connections to the broker are closed.
    func crash() {
        isDead = true
        broker?.closeAll()
        broadcastDone = [:]
        outboxes = [:]
        pendingChannels = []
    }

    /// Ends all connections to the broker.
    func disconnectBroker() {
        broker?.closeAll()
    }

    private func step(_ input: ManagerInbox.Input) {
        guard !isDead else { return }
        precondition(!isHandling, "an event may not be handled inside another: it goes through the inbox")
        isHandling = true
        defer { isHandling = false }
        manager.handle(input, now: .now(), effects: &effects)
        for effect in effects { perform(effect) }
        effects.removeAll(keepingCapacity: true)
        counters.setClients(manager.clientCount)
    }

    private func brokerEvent(_ id: SubscriptionID, _ event: BrokerLink.Event) {
        switch event {
        case .message(let payload):
            counters.countBrokerMessage()
            step(.brokerMessage(id, payload))
        case .batchComplete: flush()
        case .subscribed: handle(.brokerSubscribed(id))
        case .down: handle(.brokerDown(id))
        }
    }

    private func perform(_ effect: Effect) {
        switch effect {
        case .send(let payload, .channel(let channel)): gather(payload, for: channel)
        case .send(let payload, .clients(let clients)) where walksInTurn: walk(payload, clients)
        case .send(let payload, let recipients): sendNow(payload, to: recipients)
        case .admit(let client, let channel): onShards { $0.admit(client, to: channel) }
        case .forget(let client): onShards { $0.forget(client) }
        case .pong(let client): sendNow(ByteBuffer(string: ClientText.pongText), to: .client(client), measured: false)
        case .markGap(let recipients): onShards { $0.markGap(recipients) }
        case .close(let recipients, let close): onShards { $0.close(recipients, close) }
        case .drop(let recipients): onShards { $0.drop(recipients) }
        case .subscribe(let id, let channel): broker?.subscribe(id, to: channel)
        case .unsubscribe(let id): broker?.unsubscribe(id)
        case .pauseReading(let id): broker?.setReading(id, false)
        case .resumeReading(let id): broker?.setReading(id, true)
        case .broadcastDone(let id, let outcome): finish(id, outcome)
        case .schedule(let timer, let instant): schedule(timer, at: instant)
        case .trace(let trace):
            // The walk goes on later, without those that the broken send took from it.
            if case .fanOutStalled(let id, _) = trace { brokenWalks[id] = brokenWalk.take() }
            probe?.traced(trace, at: .now())
        }
    }

    // MARK: Serial walks

    /// Sends to each in turn; the first send that fails ends the walk, and nobody behind it gets the message (upstream issue
    /// 1903).
    private func walk(_ payload: ByteBuffer, _ clients: ArraySlice<ClientID>) {
        flush()
        var frame = allocator.buffer(capacity: payload.readableBytes + 16)
        TextFrame.append(payload, to: &frame)
        let messages = carriesMessages ? [FannedOutMessage(payload: payload, deliveredAt: .now())] : []
        guard let place = shards[0].value.deliverInTurn(frame, holding: messages, to: clients) else { return }
        brokenWalk = BrokenWalk(client: clients[place], missed: clients.endIndex - place - 1)
    }

    private func finish(_ id: BroadcastID, _ outcome: BroadcastOutcome) {
        let earlier = brokenWalks.removeValue(forKey: id)
        let latest = brokenWalk.take()
        var outcome = outcome
        if let broken = latest ?? earlier, outcome == .delivered {
            probe?.traced(.fanOutAborted(id, at: broken.client, missed: broken.missed), at: .now())
            outcome = .aborted(missed: broken.missed)
        }
        guard let tell = broadcastDone.removeValue(forKey: id) else { return }
        hasTold = true
        tell(outcome)
    }

    private func schedule(_ timer: ManagerTimer, at instant: MonotonicInstant) {
        let deadline = NIODeadline.uptimeNanoseconds(UInt64(max(0, instant.nanoseconds)))
        eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in self?.handle(.timer(timer)) }
    }

    // MARK: Sending

    private func gather(_ payload: ByteBuffer, for channel: ChannelName) {
        if outboxes[channel] == nil {
            outboxes[channel] = Outbox(frames: allocator.buffer(capacity: payload.readableBytes + 16))
            pendingChannels.append(channel)
        }
        TextFrame.append(payload, to: &outboxes[channel, default: Outbox(frames: ByteBuffer())].frames)
        if carriesMessages {
            outboxes[channel]?.messages.append(FannedOutMessage(payload: payload, deliveredAt: .now()))
        }
        if let outbox = outboxes[channel], outbox.frames.readableBytes > Self.outboxLimit { flush() }
    }

    /// Hands what has gathered to the shards, before anything that must come after it.
    private func flush() {
        hasTold = false
        guard !pendingChannels.isEmpty else { return }
        let channels = pendingChannels
        pendingChannels.removeAll(keepingCapacity: true)
        for channel in channels {
            guard let outbox = outboxes.removeValue(forKey: channel) else { continue }
            forEachShard { $0.deliver(outbox.frames, holding: outbox.messages, to: .channel(channel)) }
        }
    }

    private func sendNow(_ payload: ByteBuffer, to recipients: Recipients, measured: Bool = true) {
        var frame = allocator.buffer(capacity: payload.readableBytes + 16)
        TextFrame.append(payload, to: &frame)
        let messages =
            measured && carriesMessages ? [FannedOutMessage(payload: payload, deliveredAt: .now())] : []
        onShards { [frame] shard in shard.deliver(frame, holding: messages, to: recipients) }
    }

    private func onShards(_ body: @escaping @Sendable (ClientShard) -> Void) {
        flush()
        forEachShard(body)
    }

    private func forEachShard(_ body: @escaping @Sendable (ClientShard) -> Void) {
        for shard in shards {
            if shard.eventLoop === eventLoop {
                body(shard.value)
            } else {
                shard.eventLoop.execute { body(shard.value) }
            }
        }
    }
}
