internal import NIOCore
internal import WSMCore
internal import WSMManagers

/// The clients of one instance on one event loop that have no sockets: members of the shard as others are, in compact lists.
///
/// A fan-out to a channel is one call of the receiver for all its members. A client costs some 60 bytes and no object.
///
/// Confined to its event loop.
final class DirectClients: DirectPort {
    private struct Entry {
        var member: Int32
        /// The group that it was admitted to and its place there; -1 before.
        var group: Int32 = -1
        var place: Int32 = -1
    }

    /// The members of a channel, in no order: one leaves in O(1).
    private struct Group {
        let channel: ChannelName
        var members: ContiguousArray<Int32> = []
        /// Who they are, at the same places.
        var clients: ContiguousArray<ClientID> = []
    }

    private let channel: ChannelName
    private let inbox: ManagerInbox
    private let nextClient: () -> ClientID
    private var receiver: (any DirectReceiver)?
    private var isRefusing = false
    private var entries: [ClientID: Entry] = [:]
    private var groups: [Group] = []

    /// - Parameters:
    ///   - channel: What they all listen to.
    ///   - receiver: Who gets what they get.
    ///   - inbox: The manager's.
    ///   - nextClient: Gives a new client its number.
    init(
        channel: ChannelName, receiver: any DirectReceiver, inbox: ManagerInbox,
        nextClient: @escaping () -> ClientID
    ) {
        self.channel = channel
        self.receiver = receiver
        self.inbox = inbox
        self.nextClient = nextClient
    }

    var count: Int { entries.count }

    // MARK: DirectPort

    func open(_ member: Int32) -> ClientID? {
        guard !isRefusing else { return nil }
        let client = nextClient()
        entries[client] = Entry(member: member)
        inbox.post(.clientOpened(client, channel))
        return client
    }

    func close(_ client: ClientID) {
        if remove(client) != nil { inbox.post(.clientClosed(client)) }
    }

    func detach() { receiver = nil }

    /// The instance stops: as a socket that no longer listens.
    func refuse() { isRefusing = true }

    // MARK: What the manager wants

    func admit(_ client: ClientID, to channel: ChannelName) {
        guard var entry = entries[client] else { return }
        let group: Int
        if let known = groups.firstIndex(where: { $0.channel == channel }) {
            group = known
        } else {
            group = groups.count
            groups.append(Group(channel: channel))
        }
        entry.group = Int32(group)
        entry.place = Int32(groups[group].members.count)
        groups[group].members.append(entry.member)
        groups[group].clients.append(client)
        entries[client] = entry
    }

    func forget(_ client: ClientID) {
        guard let entry = entries[client], entry.group >= 0 else { return }
        leave(entry)
        entries[client]?.group = -1
    }

    /// Hands a message to each recipient that is here.
    func deliver(_ payload: ByteBuffer, to recipients: Recipients) {
        guard let receiver else { return }
        payload.withUnsafeReadableBytes { bytes in
            withMembers(of: recipients) { if !$0.isEmpty { receiver.received(bytes, by: $0) } }
        }
    }

    func close(_ recipients: Recipients, _ close: ClientClose) {
        let leaving = clients(of: recipients)
        if let text = close.lastText { deliver(ByteBuffer(string: text), to: recipients) }
        for client in leaving { end(client, code: close.code) }
    }

    func drop(_ recipients: Recipients) {
        for client in clients(of: recipients) { end(client, code: nil) }
    }

    func dropAll() {
        for client in entries.keys.sorted(by: >) { end(client, code: nil) }
    }

    // MARK: Lists

    private func end(_ client: ClientID, code: UInt16?) {
        guard let entry = remove(client) else { return }
        inbox.post(.clientClosed(client))
        receiver?.ended(entry.member, code: code)
    }

    private func remove(_ client: ClientID) -> Entry? {
        guard let entry = entries.removeValue(forKey: client) else { return nil }
        if entry.group >= 0 { leave(entry) }
        return entry
    }

    /// The last of the group takes the place that becomes free.
    private func leave(_ entry: Entry) {
        let group = Int(entry.group)
        let place = Int(entry.place)
        guard let member = groups[group].members.popLast(), let client = groups[group].clients.popLast() else { return }
        guard place < groups[group].members.count else { return }
        groups[group].members[place] = member
        groups[group].clients[place] = client
        entries[client]?.place = entry.place
    }

    private func withMembers(of recipients: Recipients, _ body: (UnsafeBufferPointer<Int32>) -> Void) {
        switch recipients {
        case .channel(let channel):
            guard let members = groups.first(where: { $0.channel == channel })?.members else { return }
            members.withUnsafeBufferPointer(body)
        case .client(let client):
            guard let member = entries[client]?.member else { return }
            withUnsafePointer(to: member) { body(UnsafeBufferPointer(start: $0, count: 1)) }
        case .clients(let clients):
            clients.compactMap { entries[$0]?.member }.withUnsafeBufferPointer(body)
        }
    }

    /// The last first: a manager that removes clients from its list one by one then moves nothing.
    private func clients(of recipients: Recipients) -> [ClientID] {
        switch recipients {
        case .channel(let channel): groups.first { $0.channel == channel }?.clients.sorted(by: >) ?? []
        case .client(let client): entries[client] == nil ? [] : [client]
        case .clients(let clients): clients.reversed().filter { entries[$0] != nil }
        }
    }
}
