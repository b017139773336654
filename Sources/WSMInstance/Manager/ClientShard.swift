internal import NIOCore
internal import WSMCore
internal import WSMManagers

/// The clients of one instance on one event loop.
///
/// It performs what the manager's driver tells it, in that order.
///
/// Confined to its event loop.
final class ClientShard {
    /// The members of a channel, in no order: one leaves in O(1).
    private struct Group {
        var members: [ClientSession] = []
    }

    private let gate: SlowClientGate
    private let gapMark: GapMark
    private let probe: (any InstanceProbe)?
    private let allocator = ByteBufferAllocator()
    private var sessions: [ClientID: ClientSession] = [:]
    private var channelOf: [ClientID: ChannelName] = [:]
    private var groups: [ChannelName: Group] = [:]

    init(gate: SlowClientGate, gapMark: GapMark, probe: (any InstanceProbe)?) {
        self.gate = gate
        self.gapMark = gapMark
        self.probe = probe
    }

    var sessionCount: Int { sessions.count }

    /// A socket is open on this loop; it gets nothing until the manager admits it.
    func register(_ session: ClientSession) {
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
        guard let session = sessions[id] else { return }
        channelOf[id] = channel
        session.memberIndex = groups[channel, default: Group()].members.count
        groups[channel, default: Group()].members.append(session)
    }

    func forget(_ id: ClientID) {
        guard let channel = channelOf.removeValue(forKey: id), let index = sessions[id]?.memberIndex else { return }
        sessions[id]?.memberIndex = nil
        guard let last = groups[channel]?.members.popLast() else { return }
        if last.id != id {
            groups[channel]?.members[index] = last
            last.memberIndex = index
        }
        if groups[channel]?.members.isEmpty == true { groups[channel] = nil }
    }

    /// Writes frames to each recipient, one write a client; `messages` tells the probe what they hold.
    func deliver(_ frames: ByteBuffer, holding messages: [FannedOutMessage], to recipients: Recipients) {
        forEach(recipients) { deliver(frames, holding: messages, to: $0) }
        guard let probe, !messages.isEmpty else { return }
        var label: String?
        if case .client(let id) = recipients { label = sessions[id]?.label }
        probe.fannedOut(messages, clientLabel: label, writtenAt: .now())
    }

    func close(_ recipients: Recipients, _ close: ClientClose) {
        forEach(recipients) { $0.close(close) }
    }

    func drop(_ recipients: Recipients) {
        forEach(recipients) { $0.drop() }
    }

    func markGap(_ recipients: Recipients) {
        switch gapMark {
        case .close: close(recipients, .brokerGap)
        case .event(let text):
            var frame = allocator.buffer(capacity: text.utf8.count + 10)
            TextFrame.append(text: text, to: &frame)
            forEach(recipients) { $0.write(frame) }
        }
    }

    /// Closes what is left, at the end of the instance.
    func dropAll() {
        for session in Array(sessions.values) { session.drop() }
    }

    private func deliver(_ frames: ByteBuffer, holding messages: [FannedOutMessage], to session: ClientSession) {
        switch gate.decide(waiting: session.isWritable ? 0 : waitingBytes(of: session)) {
        case .send:
            session.isLeftOut = false
            session.write(frames)
        case .drop:
            probe?.leftOut(messages, clientLabel: session.label, isFirst: !session.isLeftOut)
            session.isLeftOut = true
        case .disconnect: evict(session)
        }
    }

    /// Where the high-water mark is the policy's own limit, a full socket stays full until it has drained; where it is the
    /// lower mark at which a manager waits for the client, the policy's limit is still to be reached.
    private func waitingBytes(of session: ClientSession) -> Int {
        session.highWaterMark >= gate.threshold ? gate.threshold : session.bufferedBytes
    }

    private func evict(_ session: ClientSession) {
        guard !session.isClosing else { return }
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
