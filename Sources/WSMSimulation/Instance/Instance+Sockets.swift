import WSMCore
import WSMManagers
import WSMRecord

/// The instance's end of its clients' sockets.
extension Instance {
    /// A socket event, at the beginning of a turn.
    func take(_ event: SocketEvent) {
        switch event {
        case .opened(let connection, let attemptedAt): accept(connection, attemptedAt)
        case .closed(let connection), .reset(let connection): hangUp(connection)
        case .text(let connection, let text):
            if isOpen(connection) { enqueue(.clientText(number(of: connection), text)) }
        case .writability(let connection): writabilityChanged(connection)
        case .brokerSubscribed(let id):
            step(.brokerSubscribed(id))
            flush()
        case .brokerMessages(let id, let messages):
            counts.brokerMessages += messages.count
            for message in messages { step(.brokerMessage(id, message)) }
        case .brokerDown(let id):
            step(.brokerDown(id))
            flush()
        }
    }

    func isOpen(_ connection: Int) -> Bool {
        owns(connection) && fleet.connections[connection].flags.contains(.serverOpen)
    }

    /// Whether the connection was made to this life of the instance, and is open: another life numbers its own anew.
    func owns(_ connection: Int) -> Bool {
        let number = Int(fleet.connections[connection].number)
        return number < connectionOf.count && connectionOf[number] == Int32(connection)
    }

    func number(of connection: Int) -> ClientID { ClientID(UInt64(fleet.connections[connection].number)) }

    /// The open connection with this number.
    func connection(_ client: ClientID) -> Int? {
        guard Int(client.rawValue) < connectionOf.count else { return nil }
        let known = connectionOf[Int(client.rawValue)]
        return known < 0 ? nil : Int(known)
    }

    private func accept(_ connection: Int, _ attemptedAt: MonotonicInstant) {
        guard isListening else {
            fleet.turnAway(connection)
            return
        }
        spent = spent + costs.accept
        counts.connections += 1
        openSockets += 1
        let number = ClientID(UInt64(connectionOf.count))
        connectionOf.append(Int32(connection))
        fleet.connections[connection].number = UInt32(number.rawValue)
        fleet.connections[connection].flags.insert(.serverOpen)
        probe?.connected(number, as: fleet.connections[connection].client)
        fleet.admit(connection, attemptedAt: attemptedAt, at: arrival(after: .zero))
        enqueue(.clientOpened(number, .events))
    }

    /// The client is gone: its socket is closed here too.
    func hangUp(_ connection: Int) {
        guard isOpen(connection) else { return }
        unregister(connection)
        enqueue(.clientClosed(number(of: connection)))
    }

    /// The socket is closed, and belongs to nobody any more.
    private func unregister(_ connection: Int) {
        forget(number(of: connection))
        connectionOf[Int(fleet.connections[connection].number)] = -1
        fleet.connections[connection].flags.remove(.serverOpen)
        openSockets -= 1
        probe?.disconnected(number(of: connection), at: loopNow)
    }

    private func writabilityChanged(_ connection: Int) {
        guard isOpen(connection) else { return }
        let isWritable = !fleet.connections[connection].flags.contains(.unwritable)
        guard !isWritable, setup.evictsWhenFull else {
            return enqueue(.writabilityChanged(number(of: connection), writable: isWritable))
        }
        evict(connection)
    }

    func evict(_ connection: Int) {
        guard isOpen(connection), !fleet.connections[connection].flags.contains(.serverClosing) else { return }
        counts.evicted += 1
        probe?.evicted(fleet.connections[connection].client, at: loopNow)
        drop(connection)
    }

    // MARK: Ending connections

    /// Ends the connection without a close frame.
    func drop(_ connection: Int) {
        guard isOpen(connection) else { return }
        let number = number(of: connection)
        fleet.cutOff(connection, at: arrival(after: .zero))
        unregister(connection)
        post(.clientClosed(number))
    }

    /// Sends a close frame to each, then waits for their own for a while.
    func close(_ connections: [Int32], _ close: ClientClose) {
        var told: [Fleet.Arrival] = []
        for connection in connections {
            guard isOpen(Int(connection)), !fleet.connections[Int(connection)].flags.contains(.serverClosing) else {
                continue
            }
            spent = spent + costs.write
            if let text = close.lastText {
                fleet.bring(.foreign(bytes: text.utf8.count + 2), to: Int(connection), at: arrival(after: .zero))
            }
            fleet.connections[Int(connection)].flags.insert(.serverClosing)
            told.append(Fleet.Arrival(connection: connection, at: arrival(after: .zero)))
        }
        guard let first = told.first else { return }
        fleet.bring(.end(.closedByServer(code: close.code)), to: told)
        simulator.after(.seconds(5), .socket, Int(first.connection)) { [self] in
            for one in told where !isDead && isOpen(Int(one.connection)) { drop(Int(one.connection)) }
        }
    }

    /// When something comes to a client that is written now, behind all that was written before.
    func arrival(after span: TimeSpan) -> MonotonicInstant {
        let at = max(loopNow + span + costs.linkLatency, nextArrival)
        nextArrival = at
        return at
    }

    // MARK: Members

    func admit(_ client: ClientID, to channel: ChannelName) {
        guard let connection = connection(client) else { return }
        fleet.connections[connection].member = Int32(members[channel, default: []].count)
        members[channel, default: []].append(Int32(connection))
    }

    /// Clients listen to one channel, so that whoever is a member is one there.
    func forget(_ client: ClientID) {
        guard let connection = connection(client) else { return }
        let place = Int(fleet.connections[connection].member)
        guard place >= 0, let last = members[.events]?.popLast() else { return }
        fleet.connections[connection].member = -1
        guard last != Int32(connection) else { return }
        members[.events]?[place] = last
        fleet.connections[Int(last)].member = Int32(place)
    }
}
