public import WSMCore

/// The Memory manager: connections by channel in this process, for development and tests.
///
/// Reference: `websocket/managers/memory_websocket_manager.py`. With ``FanOutPolicy/serial`` a broadcast walks its clients
/// one by one: a dead socket ends the walk for all behind it (upstream issue 1903), a stalled one holds the walk and its
/// publisher. With ``FanOutPolicy/isolated`` a broadcast is one effect for the whole channel.
///
/// Kinds of event that do not fit the state: a client that is not known (it left a moment ago) is ignored; a second
/// `clientOpened` of the same number is the driver's fault and traps.
public struct MemoryWebSocketManager<Payload>: ManagerMachine {
    private enum Phase { case running, stopped }

    private struct Client {
        var channel: ChannelName
        var isWritable = true
        var isBroken = false
    }

    /// A serial broadcast on its way: everyone before `cursor` has been sent to.
    private struct Walk {
        var broadcast: BroadcastID
        var payload: Payload
        var targets: [ClientID]
        var cursor: Int
        var closesClients: Bool
    }

    private let policies: ManagerPolicies
    private var phase = Phase.running
    private var clients: [ClientID: Client] = [:]
    private var rosters: [ChannelName: ClientRoster] = [:]
    private var roster = ClientRoster()
    private var stalledWalks: [Walk] = []

    public init(policies: ManagerPolicies) {
        self.policies = policies
    }

    public var clientCount: Int { clients.count }

    /// Broadcasts that a stalled client holds up.
    public var stalledBroadcasts: Int { stalledWalks.count }

    public mutating func handle(
        _ input: ManagerInput<Payload>, now: MonotonicInstant, effects: inout [ManagerEffect<Payload>]
    ) {
        switch input {
        case .clientOpened(let client, let channel): open(client, channel, &effects)
        case .clientText(let client, .ping): if clients[client] != nil { effects.append(.pong(client)) }
        case .clientClosed(let client): remove(client, &effects)
        case .sendFailed(let client): clients[client]?.isBroken = true
        case .writabilityChanged(let client, let writable):
            clients[client]?.isWritable = writable
            if writable { resumeWalks(&effects) }
        case .publish(let broadcast, let channels, let payload, let closesClients):
            publish(broadcast, channels, payload, closesClients, &effects)
        case .shutdown: shutdown(&effects)
        case .start, .clientText(_, .other), .brokerSubscribed, .brokerMessage, .brokerDown, .timer: break
        }
    }

    private mutating func open(
        _ client: ClientID, _ channel: ChannelName, _ effects: inout [ManagerEffect<Payload>]
    ) {
        precondition(clients[client] == nil, "a client number is used once")
        guard phase == .running else {
            effects.append(.close(.client(client), .shuttingDown(.complete)))
            return
        }
        clients[client] = Client(channel: channel)
        rosters[channel, default: ClientRoster()].append(client)
        roster.append(client)
        effects.append(.admit(client, channel))
    }

    private mutating func remove(_ client: ClientID, _ effects: inout [ManagerEffect<Payload>]) {
        guard let known = clients.removeValue(forKey: client) else { return }
        rosters[known.channel]?.remove(client)
        if rosters[known.channel]?.isEmpty == true { rosters[known.channel] = nil }
        roster.remove(client)
        effects.append(.forget(client))
        resumeWalks(&effects)
    }

    private mutating func publish(
        _ broadcast: BroadcastID, _ channels: [ChannelName], _ payload: Payload, _ closesClients: Bool,
        _ effects: inout [ManagerEffect<Payload>]
    ) {
        guard phase == .running else {
            effects.append(.broadcastDone(broadcast, .refused))
            return
        }
        switch policies.fanOut {
        case .isolated:
            for channel in channels { effects.append(.send(payload, to: .channel(channel))) }
            if closesClients {
                for channel in channels { closeAll(of: channel, &effects) }
            }
            effects.append(.broadcastDone(broadcast, .delivered))
        case .serial:
            let targets = channels.flatMap { rosters[$0]?.order ?? [] }
            let walk = Walk(
                broadcast: broadcast, payload: payload, targets: targets, cursor: 0, closesClients: closesClients)
            if let stalled = advance(walk, &effects) { stalledWalks.append(stalled) }
        }
    }

    /// Walks on until the end, a dead client or a stalled one; returns the walk if it has to wait.
    private mutating func advance(_ start: Walk, _ effects: inout [ManagerEffect<Payload>]) -> Walk? {
        var walk = start
        let from = walk.cursor
        while walk.cursor < walk.targets.count {
            let target = walk.targets[walk.cursor]
            // One that left meanwhile is no longer in the list that the reference walks.
            guard let client = clients[target] else {
                walk.targets.remove(at: walk.cursor)
                continue
            }
            if client.isBroken {
                send(walk, from: from, &effects)
                let missed = walk.targets.count - walk.cursor - 1
                effects.append(.trace(.fanOutAborted(walk.broadcast, at: target, missed: missed)))
                effects.append(.broadcastDone(walk.broadcast, .aborted(missed: missed)))
                return nil
            }
            walk.cursor += 1
            if !client.isWritable {
                // Its buffer takes this message, but the walk waits until it has drained.
                send(walk, from: from, &effects)
                effects.append(.trace(.fanOutStalled(walk.broadcast, at: target)))
                return walk
            }
        }
        send(walk, from: from, &effects)
        if walk.closesClients {
            for target in walk.targets where clients[target] != nil { closeOne(target, &effects) }
        }
        effects.append(.broadcastDone(walk.broadcast, .delivered))
        return nil
    }

    private func send(_ walk: Walk, from: Int, _ effects: inout [ManagerEffect<Payload>]) {
        if from < walk.cursor {
            effects.append(.send(walk.payload, to: .clients(walk.targets[from..<walk.cursor])))
        }
    }

    /// Lets every walk go on whose client can be written to again or has left.
    private mutating func resumeWalks(_ effects: inout [ManagerEffect<Payload>]) {
        guard !stalledWalks.isEmpty else { return }
        let waiting = stalledWalks
        stalledWalks = []
        for walk in waiting {
            let holder = walk.targets[walk.cursor - 1]
            if let client = clients[holder], !client.isWritable {
                stalledWalks.append(walk)
            } else if let stalled = advance(walk, &effects) {
                stalledWalks.append(stalled)
            }
        }
    }

    private mutating func closeAll(of channel: ChannelName, _ effects: inout [ManagerEffect<Payload>]) {
        guard let leaving = rosters.removeValue(forKey: channel) else { return }
        effects.append(.close(.channel(channel), .normal))
        for client in leaving.order {
            clients[client] = nil
            roster.remove(client)
            effects.append(.forget(client))
        }
    }

    private mutating func closeOne(_ client: ClientID, _ effects: inout [ManagerEffect<Payload>]) {
        effects.append(.close(.client(client), .normal))
        remove(client, &effects)
    }

    private mutating func shutdown(_ effects: inout [ManagerEffect<Payload>]) {
        guard phase == .running else { return }
        phase = .stopped
        for walk in stalledWalks {
            let missed = walk.targets[walk.cursor...].count { clients[$0] != nil }
            effects.append(.trace(.fanOutAborted(walk.broadcast, at: walk.targets[walk.cursor - 1], missed: missed)))
            effects.append(.broadcastDone(walk.broadcast, .aborted(missed: missed)))
        }
        stalledWalks = []
        // The reference's Memory manager closes with 1000 and no text; the hardened one says why.
        let close = policies.disconnectAll == .complete ? ClientClose.shuttingDown(.complete) : .normal
        let reached = roster.reached(by: policies.disconnectAll)
        if !reached.isEmpty { effects.append(.close(.clients(reached[...]), close)) }
        if reached.count < roster.count {
            effects.append(.trace(.skippedAtShutdown(roster.count - reached.count)))
        }
    }
}
