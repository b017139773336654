internal import NIOCore
internal import NIOPosix
internal import WSMCore
internal import WSMManagers

/// The clients of one instance on one event loop.
///
/// It performs what the manager's driver tells it, in that order.
///
/// Confined to its event loop.
final class ClientShard {
    private let gate: SlowClientGate
    private let gapMark: GapMark
    /// Bytes that may wait in a socket's buffer before it counts as full.
    let highWaterMark: Int
    /// Whether a full socket ends its connection at once: the slow-client policy.
    let evictsWhenFull: Bool
    private let counters: InstanceCounters
    private let probe: (any InstanceProbe)?
    private let allocator = ByteBufferAllocator()
    private var sessions: [ClientID: ClientSession] = [:]
    private var groups: [ChannelName: ClientGroup] = [:]
    /// The clients without sockets, where there are any.
    private(set) var direct: DirectClients?
    /// Crashed: who comes is dropped.
    private var isDead = false

    init(
        _ configuration: LiveWebSocketManager.Configuration, counters: InstanceCounters, probe: (any InstanceProbe)?
    ) {
        gate = SlowClientGate(configuration.policies.slowClient)
        gapMark = configuration.gapMark
        highWaterMark = configuration.highWaterMark
        evictsWhenFull = configuration.evictsWhenFull
        self.counters = counters
        self.probe = probe
    }

    var sessionCount: Int { sessions.count + (direct?.count ?? 0) }

    /// Clients without sockets join; once a shard.
    func attach(_ direct: DirectClients) {
        precondition(self.direct == nil, "an event loop of an instance has one group of direct clients")
        self.direct = direct
    }

    /// A socket is open on this loop; it gets nothing until the manager admits it.
    func register(_ session: ClientSession) {
        guard !isDead else { return session.drop() }
        sessions[session.id] = session
        probe?.connected(session.id, label: session.label)
    }

    /// The socket is closed.
    func unregister(_ id: ClientID) {
        forget(id)
        sessions[id] = nil
        probe?.disconnected(id)
    }

    func admit(_ id: ClientID, to channel: ChannelName) {
        guard let session = sessions[id] else {
            direct?.admit(id, to: channel)
            return
        }
        let place = groups[channel, default: ClientGroup()].append(session)
        session.membership = (channel, place)
    }

    /// What is written to a member goes another way from here on.
    func directSocketChanged(_ session: ClientSession) {
        guard let (channel, place) = session.membership else { return }
        groups[channel]?.setSocket(session.directSocket, at: place)
    }

    func forget(_ id: ClientID) {
        guard let session = sessions[id] else {
            direct?.forget(id)
            return
        }
        guard let (channel, place) = session.membership.take() else { return }
        groups[channel]?.remove(at: place)?.membership = (channel, place)
        if groups[channel]?.isEmpty == true { groups[channel] = nil }
    }

    /// Writes frames to each recipient, one write a client; `messages` is what they hold.
    ///
    /// A direct client gets the messages themselves, after the probe was told: its receipt is part of the call.
    func deliver(_ frames: ByteBuffer, holding messages: [FannedOutMessage], to recipients: Recipients) {
        frames.withUnsafeReadableBytes { bytes in
            if case .channel(let channel) = recipients {
                // A copy: a write may fail at once and take its session out of the group.
                if let group = groups[channel] { deliver(frames, bytes, holding: messages, to: group) }
            } else {
                forEach(recipients) { deliver(frames, bytes, holding: messages, to: $0) }
            }
        }
        guard !messages.isEmpty else { return }
        if let probe {
            var label: String?
            if case .client(let id) = recipients { label = sessions[id]?.label }
            probe.fannedOut(messages, clientLabel: label, writtenAt: .now())
        }
        guard let direct else { return }
        for message in messages { direct.deliver(message.payload, to: recipients) }
    }

    /// Writes frames to one client after the other, and stops at the first whose socket fails, as a loop that awaits each send
    /// does; returns its place among `clients`.
    func deliverInTurn(
        _ frames: ByteBuffer, holding messages: [FannedOutMessage], to clients: ArraySlice<ClientID>
    ) -> Int? {
        var failed: Int?
        for (place, id) in zip(clients.indices, clients) {
            guard let session = sessions[id] else { continue }
            let isTaken = frames.withUnsafeReadableBytes { deliver(frames, $0, holding: messages, to: session) }
            if !isTaken {
                failed = place
                break
            }
        }
        if !messages.isEmpty { probe?.fannedOut(messages, clientLabel: nil, writtenAt: .now()) }
        if let direct {
            let reached = clients[..<(failed ?? clients.endIndex)]
            for message in messages { direct.deliver(message.payload, to: .clients(reached)) }
        }
        return failed
    }

    func close(_ recipients: Recipients, _ close: ClientClose) {
        forEach(recipients) { $0.close(close) }
        direct?.close(recipients, close)
    }

    func drop(_ recipients: Recipients) {
        forEach(recipients) { $0.drop() }
        direct?.drop(recipients)
    }

    func markGap(_ recipients: Recipients) {
        switch gapMark {
        case .close: close(recipients, .brokerGap)
        case .event(let text):
            var frame = allocator.buffer(capacity: text.utf8.count + 10)
            TextFrame.append(text: text, to: &frame)
            forEach(recipients) { $0.write(frame) }
            direct?.deliver(ByteBuffer(string: text), to: recipients)
        }
    }

    /// Closes what is left, at the end of the instance.
    func dropAll() {
        for session in Array(sessions.values) { session.drop() }
        direct?.dropAll()
    }

    /// Drops all clients, now and from here on.
    func crash() {
        isDead = true
        dropAll()
    }

    private func deliver(
        _ frames: ByteBuffer, _ bytes: UnsafeRawBufferPointer, holding messages: [FannedOutMessage],
        to group: ClientGroup
    ) {
        for (place, socket) in group.sockets.enumerated() {
            let taken = socket == NIOBSDSocket.invalidHandle ? 0 : ClientSession.send(bytes, to: socket)
            if taken == bytes.count { continue }
            let session = group.members[place]
            if taken > 0 {
                session.writeToChannel(frames, from: taken)
            } else {
                deliver(frames, bytes, holding: messages, to: session)
            }
        }
    }

    /// Returns false when the socket failed.
    @discardableResult
    private func deliver(
        _ frames: ByteBuffer, _ bytes: UnsafeRawBufferPointer, holding messages: [FannedOutMessage],
        to session: ClientSession
    ) -> Bool {
        switch gate.decide(waiting: session.isWritable ? 0 : waitingBytes(of: session)) {
        case .send:
            session.isLeftOut = false
            return session.write(frames, bytes)
        case .drop:
            probe?.leftOut(messages, clientLabel: session.label, isFirst: !session.isLeftOut)
            session.isLeftOut = true
        case .disconnect: evict(session)
        }
        return true
    }

    /// Where the high-water mark is the policy's own limit, a full socket stays full until it has drained; where it is the
    /// lower mark at which a manager waits for the client, the policy's limit is still to be reached.
    private func waitingBytes(of session: ClientSession) -> Int {
        highWaterMark >= gate.threshold ? gate.threshold : session.bufferedBytes
    }

    /// Ends the connection of a client that does not read.
    func evict(_ session: ClientSession) {
        guard !session.isClosing else { return }
        counters.countEviction()
        probe?.evicted(clientLabel: session.label, at: .now())
        session.drop()
    }

    private func forEach(_ recipients: Recipients, _ body: (ClientSession) -> Void) {
        switch recipients {
        case .channel(let channel):
            // A copy: a write may fail at once and take its session out of the list.
            guard let members = groups[channel]?.members else { return }
            for session in members { body(session) }
        case .client(let id): if let session = sessions[id] { body(session) }
        case .clients(let ids): for id in ids { if let session = sessions[id] { body(session) } }
        }
    }
}
