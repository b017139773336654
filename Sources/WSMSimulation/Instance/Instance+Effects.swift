import WSMCore
import WSMManagers

/// What the manager wants done, as `ManagerDriver` does it live.
extension Instance {
    /// A turn's messages leave early when they pass this many bytes.
    private static let outboxLimit = 1 << 20

    func perform(_ effect: ManagerEffect<Message>) {
        switch effect {
        case .send(let message, .channel(let channel)): gather(message, for: channel)
        case .send(let message, .clients(let clients)) where setup.policies.fanOut == .serial: walk(message, clients)
        case .send(let message, let recipients):
            flush()
            send([message], to: connections(of: recipients), isForAll: false)
        case .admit(let client, let channel):
            flush()
            admit(client, to: channel)
        case .forget(let client):
            flush()
            forget(client)
        case .pong(let client): pong(client)
        case .markGap(let recipients): markGap(recipients)
        case .close(let recipients, let close):
            flush()
            self.close(connections(of: recipients), close)
        case .drop(let recipients):
            flush()
            for connection in connections(of: recipients) { drop(Int(connection)) }
        case .subscribe(let id, let channel): broker.subscribe(id, to: channel)
        case .unsubscribe(let id): broker.unsubscribe(id)
        case .pauseReading(let id): broker.setReading(id, false)
        case .resumeReading(let id): broker.setReading(id, true)
        case .broadcastDone(let id, let outcome): finish(id, outcome)
        case .schedule(let timer, let instant): scheduleTimer(timer, at: instant)
        case .trace(let trace):
            // The walk goes on later, without those that the broken send took from it.
            if case .fanOutStalled(let id, _) = trace { brokenWalks[id] = brokenWalk.take() }
            probe?.traced(trace, at: loopNow)
        }
    }

    func connections(of recipients: Recipients) -> [Int32] {
        switch recipients {
        case .channel(let channel): members[channel] ?? []
        case .client(let client): connection(client).map { [Int32($0)] } ?? []
        case .clients(let clients): clients.compactMap { connection($0).map(Int32.init) }
        }
    }

    private func pong(_ client: ClientID) {
        flush()
        guard let connection = connection(client) else { return }
        spent = spent + costs.write
        fleet.pong(connection, at: arrival(after: .zero))
    }

    private func markGap(_ recipients: Recipients) {
        flush()
        for connection in connections(of: recipients).map(Int.init) {
            switch setup.gapMark {
            case .close: close([Int32(connection)], .brokerGap)
            case .event(let text):
                spent = spent + costs.write
                fleet.bring(.foreign(bytes: text.utf8.count + 2), to: connection, at: arrival(after: .zero))
            }
        }
    }

    // MARK: Serial walks

    /// Sends to each in turn; the first send that fails ends the walk, and nobody behind it gets the message (upstream issue
    /// 1903).
    private func walk(_ message: Message, _ clients: ArraySlice<ClientID>) {
        flush()
        var reached: [Int32] = []
        var sentAt = loopNow
        let step = costs.writing(message.frameBytes)
        for (place, client) in zip(clients.indices, clients) {
            guard let connection = connection(client) else { continue }
            sentAt = sentAt + step
            if fails(connection, at: sentAt) {
                brokenWalk = BrokenWalk(client: client, missed: clients.endIndex - place - 1)
                break
            }
            reached.append(Int32(connection))
        }
        send([message], to: reached, isForAll: true)
    }

    /// Whether a send to the connection fails: it is being closed, or a reset has come that its loop has not noticed.
    ///
    /// A failed write ends the connection here too.
    private func fails(_ connection: Int, at instant: MonotonicInstant) -> Bool {
        let flags = fleet.connections[connection].flags
        if flags.contains(.serverClosing) {
            if !flags.contains(.failureTold) {
                fleet.connections[connection].flags.insert(.failureTold)
                enqueue(.sendFailed(number(of: connection)))
            }
            return true
        }
        guard !fleet.resets.isEmpty, let arrival = fleet.resetArrival(on: connection), arrival <= instant else {
            return false
        }
        hangUp(connection)
        return true
    }

    private func finish(_ id: BroadcastID, _ outcome: BroadcastOutcome) {
        let earlier = brokenWalks.removeValue(forKey: id)
        let latest = brokenWalk.take()
        guard let done = broadcastDone.removeValue(forKey: id) else { return }
        var told = outcome
        if let broken = latest ?? earlier, outcome == .delivered {
            probe?.traced(.fanOutAborted(id, at: broken.client, missed: broken.missed), at: loopNow)
            told = .aborted(missed: broken.missed)
        }
        // On a shared machine its thread takes the time to wake that it takes there.
        let wake = costs.machine == nil ? costs.wake : .zero
        simulator.at(loopNow + wake, .publisher, setup.index) { done(told) }
    }

    // MARK: Sending

    private func gather(_ message: Message, for channel: ChannelName) {
        if outboxes[channel] == nil {
            outboxes[channel] = []
            pendingChannels.append(channel)
        }
        outboxes[channel]?.append(message)
        outboxBytes += message.frameBytes
        if outboxBytes > Self.outboxLimit { flush() }
    }

    /// Writes what has gathered, before anything that must come after it.
    func flush() {
        guard !pendingChannels.isEmpty else { return }
        let channels = pendingChannels
        pendingChannels.removeAll(keepingCapacity: true)
        outboxBytes = 0
        for channel in channels {
            if let messages = outboxes.removeValue(forKey: channel) {
                send(messages, to: members[channel] ?? [], isForAll: true)
            }
        }
    }

    /// Writes messages to each of the connections, one write a client.
    ///
    /// - Parameter isForAll: Whether the message is told to the probe as one for all clients, or for the only one there is.
    private func send(_ messages: [Message], to all: [Int32], isForAll: Bool) {
        let deliveredAt = loopNow
        let recipients = admitted(all, messages)
        let step = costs.writing(messages.reduce(0) { $0 + $1.frameBytes }) + coldWrite
        let allWrites = TimeSpan(nanoseconds: step.nanoseconds * Int64(recipients.count))
        if let pacedWrites {
            setup.clientLoops?.expect(recipients)
            pacedWrites(messages, recipients, spent, step)
            spent = spent + allWrites
        } else {
            let first = max(loopNow + step + costs.linkLatency, nextArrival)
            spent = spent + allWrites
            if !recipients.isEmpty {
                nextArrival = first + TimeSpan(nanoseconds: step.nanoseconds * Int64(recipients.count - 1))
            }
            setup.courier.send(messages, to: recipients, first: first, step: step)
        }
        let client = isForAll ? nil : all.first.map { fleet.connections[Int($0)].client }
        for message in messages {
            probe?.fannedOut(message.stamp, client: client, deliveredAt: deliveredAt, writtenAt: loopNow)
        }
    }

    /// The connections that get the messages: all but those for which the slow-client policy says otherwise.
    private func admitted(_ all: [Int32], _ messages: [Message]) -> [Int32] {
        // The usual case costs neither a look at each client nor a copy: nobody's socket has been full.
        guard hasFullSockets else { return all }
        guard all.contains(where: { !fleet.connections[Int($0)].flags.isDisjoint(with: [.unwritable, .leftOut]) })
        else {
            if all.count == openSockets { hasFullSockets = false }
            return all
        }
        return all.filter { decide(Int($0), messages) }
    }

    private func decide(_ connection: Int, _ messages: [Message]) -> Bool {
        let isWritable = !fleet.connections[connection].flags.contains(.unwritable)
        let waiting =
            isWritable
            ? 0
            : highWaterMark >= gate.threshold ? gate.threshold : fleet.backlog(of: connection)?.waiting ?? 0
        switch gate.decide(waiting: waiting) {
        case .send:
            fleet.connections[connection].flags.remove(.leftOut)
            return true
        case .drop:
            let published = messages.map(\.stamp.published)
            let isFirst = !fleet.connections[connection].flags.contains(.leftOut)
            if let from = published.min(), let until = published.max() {
                probe?.leftOut(
                    client: fleet.connections[connection].client, count: messages.count, published: from...until,
                    isFirst: isFirst)
            }
            fleet.connections[connection].flags.insert(.leftOut)
            return false
        case .disconnect:
            evict(connection)
            return false
        }
    }
}
