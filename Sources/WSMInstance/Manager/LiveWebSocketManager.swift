internal import Dispatch
public import NIOCore
internal import NIOWebSocket
internal import Synchronization
public import WSMCore
public import WSMManagers
public import WSMRedis
internal import WSMTLS

/// A `WebSocketManager` that runs on SwiftNIO: give it upgraded WebSocket channels, and broadcast.
///
/// It may be put into any SwiftNIO server: see `Examples/EmbedManager`. All methods may be called from any thread unless
/// they say otherwise; the manager itself runs on one event loop, which gives each channel its order, and clients may live
/// on any loop of the group.
public final class LiveWebSocketManager: Sendable {
    /// How a manager is made.
    public struct Configuration: Sendable {
        /// `ENABLE_WEBSOCKETS`: without it every call is a no-op.
        public var enabled = true
        public var policies: ManagerPolicies
        /// Where the Broadcast manager finds Redis; `nil` makes a Memory manager.
        public var redis: RedisTopology?
        /// How `resubscribe-marked` tells clients of a gap.
        public var gapMark = GapMark.close
        /// Bytes that the kernel may keep for one client (`SO_SNDBUF`), before a client that does not read is felt; `nil` leaves it
        /// to the system, up to 4 MiB on Linux.
        public var sendBuffer: Int?
        /// For the jitter of reconnects.
        public var seed: UInt64 = 0

        public init(policies: ManagerPolicies = .hardened, redis: RedisURL? = nil) {
            self.init(policies: policies, topology: redis.map { .single($0) })
        }

        /// With a Redis of several servers; `nil` makes a Memory manager.
        public init(policies: ManagerPolicies = .hardened, topology: RedisTopology?) {
            self.policies = policies
            self.redis = topology
        }

        public var kind: ManagerKind { redis == nil ? .memory : .broadcast }

        /// Where a socket counts as full: the reference waits at the 64 KiB of its server's transport.
        var highWaterMark: Int {
            let waits = kind == .memory ? policies.fanOut == .serial : policies.subscription == .perClient
            return waits ? 64 << 10 : policies.slowClient.threshold
        }

        var evictsWhenFull: Bool {
            highWaterMark == policies.slowClient.threshold && policies.slowClient.policy != .drop
        }
    }

    public let configuration: Configuration
    public let counters: InstanceCounters
    let eventLoop: any EventLoop
    let probe: (any InstanceProbe)?
    let shards: [NIOLoopBound<ClientShard>]
    let driver: NIOLoopBound<ManagerDriver>
    let inbox: ManagerInbox
    /// Finds the server of a channel; `nil` in memory.
    let router: RedisRouter?
    /// Ends the waits of publishing threads when the instance stops.
    let publishersCancelled = Cancellation()
    /// Where the instance's threads and loops wait while it is paused.
    let standStill = StandStill()
    private let nextClient = Atomic<UInt64>(0)
    private let nextBroadcast = Atomic<UInt64>(0)

    /// Makes a manager whose home is the first of `eventLoops`.
    ///
    /// - Parameters:
    ///   - configuration: Memory or Broadcast, and the policies.
    ///   - eventLoops: The loops of the clients' channels; at least one.
    ///   - probe: Who measures; `nil` in production.
    /// - Returns: A future, since parts of the manager are made on their event loops.
    public static func make(
        _ configuration: Configuration, on eventLoops: [any EventLoop], probe: (any InstanceProbe)? = nil
    ) -> EventLoopFuture<LiveWebSocketManager> {
        precondition(!eventLoops.isEmpty, "a manager needs an event loop")
        let counters = InstanceCounters()
        let makes = eventLoops.map { loop in
            loop.submit {
                NIOLoopBound(ClientShard(configuration, counters: counters, probe: probe), eventLoop: loop)
            }
        }
        return EventLoopFuture.whenAllSucceed(makes, on: eventLoops[0]).map { shards in
            LiveWebSocketManager(
                configuration, counters: counters, shards: shards, home: eventLoops[0], probe: probe)
        }
    }

    /// On `home`.
    private init(
        _ configuration: Configuration, counters: InstanceCounters, shards: [NIOLoopBound<ClientShard>],
        home: any EventLoop, probe: (any InstanceProbe)?
    ) {
        let machine = WebSocketManager<ByteBuffer>(
            enabled: configuration.enabled, kind: configuration.kind, policies: configuration.policies,
            gapMark: configuration.gapMark, seed: configuration.seed)
        router = configuration.redis.map { RedisRouter($0) }
        let driver = NIOLoopBound(
            ManagerDriver(
                manager: machine, fanOut: configuration.policies.fanOut, shards: shards, eventLoop: home,
                router: router, probe: probe,
                counters: counters),
            eventLoop: home)
        let drain = DrainBox()
        inbox = ManagerInbox(eventLoop: home) { drain.run() }
        self.configuration = configuration
        self.counters = counters
        self.eventLoop = home
        self.probe = probe
        self.shards = shards
        self.driver = driver
        let inbox = self.inbox
        drain.set { [weak inbox] in if let inbox { driver.value.drain(inbox) } }
    }

    // MARK: Lifecycle

    /// `connect_redis`: checks that Redis answers and, with shared subscriptions, subscribes these channels ahead.
    ///
    /// - Throws: `RedisError` when Redis does not answer within `deadline`.
    public func start(channels: [ChannelName] = [.events], deadline: TimeSpan = .seconds(5)) async throws {
        guard configuration.enabled else { return }
        if let router {
            let connection = try await router.connect(on: eventLoop, deadline: deadline).get()
            _ = try await connection.send("PING").get()
            connection.close()
        }
        inbox.post(.start(channels: channels))
        let until = MonotonicInstant.now() + deadline
        while try await !eventLoop.submit({ self.driver.value.isFullySubscribed }).get() {
            guard MonotonicInstant.now() < until else {
                let cause = try await eventLoop.submit { self.driver.value.lastBrokerError }.get()
                let why = cause.map { ": \($0.message)" } ?? ""
                throw RedisError(
                    cause?.code ?? .timedOut,
                    "Redis did not confirm the subscription within \(deadline.seconds) s\(why)", cause: cause)
            }
            try await Task.sleep(nanoseconds: 2_000_000)
        }
    }

    /// `disconnect_all`: closes the clients as the policy says.
    public func disconnectAll() async throws {
        for shard in shards { try await shard.eventLoop.submit { shard.value.direct?.refuse() }.get() }
        try await eventLoop.submit { self.driver.value.handle(.shutdown) }.get()
    }

    /// Waits until no client is left; what is left at the deadline is cut.
    ///
    /// Returns how many were.
    public func awaitNoClients(deadline: TimeSpan) async throws -> Int {
        let until = MonotonicInstant.now() + deadline
        while true {
            let open = try await openSockets()
            if open == 0 { return 0 }
            if MonotonicInstant.now() >= until {
                for shard in shards { try await shard.eventLoop.submit { shard.value.dropAll() }.get() }
                return open
            }
            try await Task.sleep(nanoseconds: 2_000_000)
        }
    }

    /// `disconnect_redis`: ends the connections to the broker.
    public func disconnectRedis() async throws {
        try await eventLoop.submit { self.driver.value.disconnectBroker() }.get()
    }

    /// Sockets that are open, admitted by the manager or not.
    public func openSockets() async throws -> Int {
        var open = 0
        for shard in shards { open += try await shard.eventLoop.submit { shard.value.sessionCount }.get() }
        return open
    }

    /// Subscriptions at the broker: Redis connections that the manager holds for its clients.
    public func subscriptionCount() async throws -> Int {
        try await eventLoop.submit { self.driver.value.subscriptionCount }.get()
    }

    // MARK: Clients

    /// `connect`: takes over an upgraded WebSocket channel as a client of `channel`.
    ///
    /// To be called on the WebSocket channel's event loop, which must be one of the manager's, before anything is read from it:
    /// in an upgrader's `upgradePipelineHandler`. The manager reads and writes frames itself, below SwiftNIO's WebSocket
    /// handlers, whose decoder is taken out. TLS, if there is any, is swift-nio-ssl's handler. The manager answers `__ping__`,
    /// forwards what is broadcast and closes at shutdown.
    ///
    /// - Parameters:
    ///   - socket: The upgraded channel.
    ///   - channel: The broadcast channel that the client listens to.
    ///   - label: What the client calls itself, for measurements.
    public func connect(_ socket: any Channel, to channel: ChannelName, label: String? = nil) throws {
        socket.eventLoop.assertInEventLoop()
        guard let shard = shards.first(where: { $0.eventLoop === socket.eventLoop })?.value else {
            throw ManagerMisuse.foreignEventLoop
        }
        let pipeline = socket.pipeline.syncOperations
        let id = countClient()
        let session = ClientSession(id: id, label: label, shard: shard, inbox: inbox, tls: pipeline.tlsContext)
        try add(session, to: pipeline)
        try setOptions(of: socket, shard)
        shard.register(session)
        inbox.post(.clientOpened(id, channel))
    }

    private func setOptions(of socket: any Channel, _ shard: ClientShard) throws {
        let options = socket.syncOptions
        try options?.setOption(
            .writeBufferWaterMark, value: .init(low: shard.highWaterMark / 2, high: shard.highWaterMark))
        if let bytes = configuration.sendBuffer {
            // Linux doubles it for its own bookkeeping (socket(7)).
            try options?.setOption(.socketOption(.so_sndbuf), value: .init(bytes / 2))
        }
    }

    private func add(_ session: ClientSession, to pipeline: ChannelPipeline.SynchronousOperations) throws {
        let encoder = try? pipeline.handler(type: WebSocketFrameEncoder.self)
        try pipeline.addHandler(session, position: encoder.map { .before($0) } ?? .last)
        if let decoder = try? pipeline.handler(type: ByteToMessageHandler<WebSocketFrameDecoder>.self) {
            pipeline.removeHandler(decoder, promise: nil)
        }
    }

    /// The number of a client that has just come.
    func countClient() -> ClientID {
        counters.countConnection()
        return ClientID(nextClient.wrappingAdd(1, ordering: .relaxed).oldValue)
    }

    // MARK: Broadcasting in memory

    /// Hands one broadcast to the Memory manager, behind those that were handed over before; `done` is told on the manager's
    /// event loop.
    ///
    /// From any thread; does not block.
    func broadcastInMemory(
        _ broadcast: Broadcast, payload: ByteBuffer, done: @escaping @Sendable (BroadcastOutcome) -> Void
    ) {
        let id = BroadcastID(nextBroadcast.wrappingAdd(1, ordering: .relaxed).oldValue)
        let (channels, closesClients) = (broadcast.channels, broadcast.closesClients)
        eventLoop.execute {
            self.driver.value.onDone(id, done)
            self.inbox.post(.publish(id, channels: channels, payload, closesClients: closesClients))
        }
    }

    /// Hands broadcasts to the Memory manager and waits until each is done, in order.
    ///
    /// Blocks: for publishing threads only. `isCancelled` is asked twice a second, so that a walk which a stalled client
    /// holds up does not hold up the thread's end; `done` is then told `nil`, since the walk may be half-way.
    func broadcastInMemory(
        _ broadcasts: [(channels: [ChannelName], payload: ByteBuffer, closesClients: Bool)],
        isCancelled: () -> Bool, done: (Int, BroadcastOutcome?) -> Void
    ) {
        let first = nextBroadcast.wrappingAdd(UInt64(broadcasts.count), ordering: .relaxed).oldValue
        let outcomes = Monitor<[BroadcastOutcome?]>(Array(repeating: nil, count: broadcasts.count))
        let inputs: [ManagerInbox.Input] = broadcasts.enumerated().map { index, broadcast in
            .publish(
                BroadcastID(first + UInt64(index)), channels: broadcast.channels, broadcast.payload,
                closesClients: broadcast.closesClients)
        }
        eventLoop.execute {
            for index in inputs.indices {
                self.driver.value.onDone(BroadcastID(first + UInt64(index))) { outcome in
                    outcomes.update { $0[index] = outcome }
                }
            }
            self.inbox.post(all: inputs)
        }
        for index in broadcasts.indices {
            var outcome: BroadcastOutcome?
            while outcome == nil {
                outcome = outcomes.wait(until: .now() + .milliseconds(500)) { $0[index] }
                if outcome == nil, isCancelled() { break }
            }
            done(index, outcome)
        }
    }
}

/// A mistake of the code around a manager.
public enum ManagerMisuse: Error, CustomStringConvertible {
    case foreignEventLoop

    public var description: String {
        switch self {
        case .foreignEventLoop:
            "the channel's event loop is not one that the manager was made with; pass all loops of the server's group"
        }
    }
}

/// Lets the inbox be made before the closure that drains it.
private final class DrainBox: Sendable {
    /// In a struct of its own: a closure that is itself the mutex's value gets wrapped once more at each access.
    private struct Body: Sendable {
        let run: @Sendable () -> Void
    }

    private let body = Mutex<Body?>(nil)

    func set(_ body: @escaping @Sendable () -> Void) { self.body.withLock { $0 = Body(run: body) } }
    func run() { body.withLock { $0 }?.run() }
}
