import NIOCore
import NIOWebSocket
import WSMCore
import WSMRecord

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
        let client = clients[slot].plan
        let endpoint = endpoints[Int(client.instance)]
        let attempt = ConnectAttempt(
            shard: self, connection: connection, handshake: handshake(client, endpoint.endpoint))
        let throttle = throttle(of: client, at: now)
        do {
            let socket = try ClientSocket(
                // A slow reader's window is small from the start, since its scale is agreed upon at the connect.
                endpoint.options(ofClient: client.index, receiveBuffer: throttle == nil ? nil : 4096), loop: loop,
                owner: attempt)
            if let throttle { socket.readLimit = throttle.chunk }
            attempt.socket = socket
            attempts[connection]?.socket = socket
        } catch {
            attemptFailed(connection, ConnectFailure.reason(of: error))
        }
    }

    private func handshake(_ client: FleetClient, _ endpoint: ClientEndpoint) -> OpeningHandshake {
        var endpoint = endpoint
        if let subprotocols = client.subprotocols { endpoint.subprotocols = subprotocols }
        if options.labelsClients {
            endpoint.path += "\(endpoint.path.contains("?") ? "&" : "?")client=\(client.index)"
        }
        return OpeningHandshake(endpoint, key: NIOWebSocketClientUpgrader.randomRequestKey(using: &random))
    }

    private func throttle(of client: FleetClient, at now: MonotonicInstant) -> ReadThrottle? {
        guard let rate = client.readRate, !hasReleased else { return nil }
        return ReadThrottle(rate: rate, at: now)
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

    /// The handshake has ended well; who owns the socket from here on, `nil` when that comes too late.
    func handshakeSucceeded(_ connection: UInt32, _ socket: ClientSocket) -> (any SocketOwner)? {
        if let expected = expectedRefusal(connection) {
            // Its attempt stays open, and with it the attempt's deadline: a client that hears nothing until then was let in.
            attempts[connection]?.awaitsRefusal = true
            return RefusedSession(shard: self, connection: connection, expected: expected, socket: socket)
        }
        let session = attemptSucceeded(connection, socket)
        if session == nil { socket.close() }
        return session
    }

    /// The session begins; `nil` when that comes too late.
    private func attemptSucceeded(_ connection: UInt32, _ socket: ClientSocket) -> ClientSession<Sink>? {
        guard let attempt = attempts.removeValue(forKey: connection) else { return nil }
        let now = MonotonicInstant.now()
        let client = clients[attempt.slot].plan
        let isFirst = !clients[attempt.slot].life.hasOpened
        guard clients[attempt.slot].life.opened(at: now) else { return nil }
        let throttle = throttle(of: client, at: now)
        let session = ClientSession(
            shard: self, slot: attempt.slot, connection: connection, throttle: throttle, socket: socket)
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
