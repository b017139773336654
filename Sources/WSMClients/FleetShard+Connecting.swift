import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import WSMCore
import WSMRecord
import WSMTLS

extension FleetShard {
    /// Begins an attempt of the client, if it waits for one.
    func connect(_ slot: Int, at now: MonotonicInstant) {
        if clients[slot].life.begin() { attempt(slot, at: now) }
    }

    /// Opens a socket for the client, which must be connecting.
    func attempt(_ slot: Int, at now: MonotonicInstant) {
        lastConnection &+= 1
        let connection = lastConnection
        statistics.attempts += 1
        clients[slot].connection = connection
        attempts[connection] = Attempt(slot: slot, attemptedAt: now)
        schedule(.connectDeadline, at: now + options.connectDeadline, connection: connection)
        let endpoint = endpoints[Int(clients[slot].plan.instance)]
        let shard = NIOLoopBound(self, eventLoop: loop)
        bootstrap(slot, endpoint)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try shard.value.prepare(channel, connection, endpoint)
                }
            }
            .connect(to: endpoint.address)
            .assumeIsolated()
            .whenFailure { self.attemptFailed(connection, ConnectFailure.reason(of: $0)) }
    }

    private func bootstrap(_ slot: Int, _ endpoint: ResolvedEndpoint) -> ClientBootstrap {
        let client = clients[slot].plan
        var bootstrap = ClientBootstrap(group: loop)
            // The shard's own deadline covers the handshake too; NIO's would only come before it.
            .connectTimeout(.nanoseconds(options.connectDeadline.nanoseconds) + .seconds(1))
            .channelOption(.maxMessagesPerRead, value: 1)
        if let throttle = throttle(of: client, at: .now()) {
            bootstrap =
                bootstrap
                // Before connecting, since the window's scale is agreed upon then. The kernel doubles it.
                .channelOption(.socketOption(.so_rcvbuf), value: 4096)
                .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: throttle.chunk))
        } else {
            let allocator = SharedBufferAllocator(pool: buffers, isFirst: true)
            bootstrap = bootstrap.channelOption(.recvAllocator, value: allocator)
        }
        if let source = endpoint.source(ofClient: client.index) {
            #if os(Linux)
            // IP_BIND_ADDRESS_NO_PORT (ip(7)): the port is chosen at connect, when it need only be unique for its
            // destination.
            bootstrap = bootstrap.channelOption(.ipOption(.init(rawValue: 24)), value: 1)
            #endif
            bootstrap = bootstrap.bind(to: source)
        }
        return bootstrap
    }

    private func throttle(of client: FleetClient, at now: MonotonicInstant) -> ReadThrottle? {
        guard let rate = client.readRate, !hasReleased else { return nil }
        return ReadThrottle(rate: rate, at: now)
    }

    /// Puts the handlers of the handshake into a new channel.
    private func prepare(_ channel: any Channel, _ connection: UInt32, _ resolved: ResolvedEndpoint) throws {
        attempts[connection]?.channel = channel
        let pipeline = channel.pipeline.syncOperations
        if let tls = resolved.tls {
            try pipeline.addHandler(SharedBufferReturn(pool: buffers))
            try tls.addHandler(to: pipeline, host: resolved.endpoint.host)
        }
        let encoder = HTTPRequestEncoder()
        let decoder = ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes))
        var endpoint = resolved.endpoint
        let client = attempts[connection].map { clients[$0.slot].plan }
        if let subprotocols = client?.subprotocols { endpoint.subprotocols = subprotocols }
        if options.labelsClients, let client {
            endpoint.path += "\(endpoint.path.contains("?") ? "&" : "?")client=\(client.index)"
        }
        let handshake = HandshakeHandler(shard: self, connection: connection, endpoint: endpoint)
        let upgrader = SessionUpgrader(
            shard: self, connection: connection, subprotocols: endpoint.subprotocols, handshake: handshake,
            requestKey: NIOWebSocketClientUpgrader.randomRequestKey(using: &random))
        let upgrade = NIOHTTPClientUpgradeHandler(
            upgraders: [upgrader], httpHandlers: [encoder, decoder], upgradeCompletionHandler: { _ in })
        try pipeline.addHandlers([encoder, decoder, upgrade, handshake])
    }

    /// An attempt has failed; the first word about an attempt counts, later ones change nothing.
    func attemptFailed(_ connection: UInt32, _ reason: String) {
        guard let attempt = attempts.removeValue(forKey: connection) else { return }
        let now = MonotonicInstant.now()
        let client = clients[attempt.slot].plan
        statistics.countFailure(reason)
        sink.connectFailed(client: client.index, instance: client.instance, at: now)
        let unit = drawUnit(attempt.slot)
        follow(clients[attempt.slot].life.failed(options.reconnect, unit: unit), attempt.slot, at: now)
    }

    /// The handshake has ended well: the session begins; `nil` when that comes too late.
    func attemptSucceeded(
        _ connection: UInt32, _ pipeline: ChannelPipeline.SynchronousOperations
    ) -> ClientSession<Sink>? {
        guard let attempt = attempts[connection] else { return nil }
        let now = MonotonicInstant.now()
        let client = clients[attempt.slot].plan
        let throttle = throttle(of: client, at: now)
        let session = ClientSession(
            shard: self, slot: attempt.slot, connection: connection, throttle: throttle, tls: pipeline.tlsContext)
        do {
            try pipeline.addHandler(session)
        } catch {
            attemptFailed(connection, ConnectFailure.closedInHandshake)
            return nil
        }
        attempts[connection] = nil
        let isFirst = !clients[attempt.slot].life.hasOpened
        guard clients[attempt.slot].life.opened(at: now) else { return nil }
        statistics.opened += 1
        clients[attempt.slot].session = session
        session.sinkSession = sink.sessionOpened(
            client: client.index, instance: client.instance, slowReader: throttle != nil,
            attemptedAt: attempt.attemptedAt, openedAt: now)
        progress.sessionOpened()
        if isFirst { progress.clientOpened() }
        return session
    }

    /// Does what a client's lifecycle asks for.
    func follow(_ next: ClientLifecycle.Next, _ slot: Int, at now: MonotonicInstant) {
        switch next {
        case .retry(let delay): schedule(.reconnect, at: now + delay, slot: slot)
        case .stayAway: if !clients[slot].life.hasOpened { progress.clientGaveUp() }
        case .nothing: break
        }
    }

    /// The client's next random number in [0, 1): the same for the same seed whatever other clients do.
    func drawUnit(_ slot: Int) -> Double {
        let entity = UInt64(clients[slot].plan.index) | UInt64(clients[slot].draws) << 32
        clients[slot].draws &+= 1
        var numbers = CounterRNG(seed: options.seed, stream: .reconnect, entity: entity)
        return numbers.unit()
    }
}
