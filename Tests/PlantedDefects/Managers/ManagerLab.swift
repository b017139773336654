import WSMCore
import WSMHarness
import WSMManagers
import WSMRecord
import WSMVerify

/// The managers' own machines in virtual time: instances with their broadcast threads and clients around one broker, and the
/// observer and the logs that a live run has.
///
/// A script tells what happens, one thing after the other; every effect is performed at once, and each thing takes some
/// microseconds of virtual time. Nothing in here knows what the checkers should find.
final class ManagerLab {
    static let run: UInt32 = 0x7157_ab1f

    private(set) var now = MonotonicInstant(nanoseconds: 1_000_000_000)
    let observer: DeliveryObserver
    private(set) var nodes: [Node] = []
    private(set) var logs: [PublishLog] = []
    private var context: SettlementContext
    private var sessions: [UInt32: Session] = [:]
    private var broadcasts: [BroadcastID: ProbeStamp] = [:]
    private var timers: [(node: Int, timer: ManagerTimer, at: MonotonicInstant)] = []
    private var isDraining = false
    private var inbox: [(node: Int, input: ManagerInput<[UInt8]>)] = []

    /// One instance.
    struct Node {
        var manager: WebSocketManager<[UInt8]>
        var record: InstanceRecord
        /// The channel's recipients, in the order of their admission.
        var admitted: [ClientID] = []
        /// Subscriptions that the broker knows.
        var subscribed: [SubscriptionID] = []
        var numbers: [ClientID: UInt32] = [:]
        var nextClient: UInt64 = 0
        let policies: ManagerPolicies
    }

    private struct Session {
        var handle: Int
        var node: Int
        var id: ClientID
        var isOpen = true
    }

    /// - Parameters:
    ///   - publishers: How many publish through each instance; a fence publisher of instance 0 is added.
    ///   - gapMark: How a gap is marked, where the policies ask for it.
    init(
        _ kind: ManagerKind, _ policies: ManagerPolicies, instances: Int = 1, publishers: Int = 2,
        gapMark: GapMark = .close
    ) {
        let count = instances * publishers + 1
        let bounds = LagBounds(isolation: .milliseconds(500), lag: .milliseconds(500))
        observer = DeliveryObserver(
            run: Self.run, publisherCount: count, channel: 0, measuredFrom: now, bounds: bounds)
        context = SettlementContext(manager: kind, runStart: now, measuredFrom: now)
        context.bounds = bounds
        for index in 0..<count {
            let instance = index == count - 1 ? 0 : index / publishers
            logs.append(
                PublishLog(
                    publisher: PublisherID(UInt32(index)), instance: UInt16(instance), isFence: index == count - 1))
        }
        for index in 0..<instances {
            nodes.append(
                Node(
                    manager: WebSocketManager(kind: kind, policies: policies, gapMark: gapMark, seed: UInt64(index)),
                    record: InstanceRecord(instance: UInt16(index), brokerLoss: policies.brokerLoss),
                    policies: policies))
            tell(index, .start(channels: [.events]))
        }
    }

    var fencePublisher: Int { logs.count - 1 }

    // MARK: Time

    func pass(_ span: TimeSpan = .microseconds(10)) {
        now = now + span
    }

    /// Lets time pass up to the next timer of a manager, and tells it.
    func passToNextTimer() {
        guard let next = timers.indices.min(by: { timers[$0].at < timers[$1].at }) else { return }
        let due = timers.remove(at: next)
        now = max(now, due.at)
        tell(due.node, .timer(due.timer))
    }

    // MARK: Clients

    /// Connects a client, and returns how its instance calls it.
    @discardableResult
    func connect(_ number: UInt32, to node: Int = 0, isSlow: Bool = false) -> ClientID {
        let attempted = now
        pass()
        let id = ClientID(nodes[node].nextClient)
        nodes[node].nextClient += 1
        nodes[node].numbers[id] = number
        nodes[node].record.connected(id, as: number)
        let handle = observer.sessionOpened(
            client: number, instance: UInt16(node), slowReader: isSlow, attemptedAt: attempted, openedAt: now)
        sessions[number] = Session(handle: handle, node: node, id: id)
        tell(node, .clientOpened(id, .events))
        return id
    }

    /// The client's connection breaks; its instance does not know yet.
    func breakConnection(of number: UInt32) { end(number, .dropped) }

    /// The client's instance notices that its socket is closed.
    func noticeClose(of number: UInt32) {
        guard let session = sessions[number] else { return }
        nodes[session.node].record.disconnected(session.id, at: now)
        tell(session.node, .clientClosed(session.id))
    }

    func id(of number: UInt32) -> ClientID { sessions[number]?.id ?? ClientID(.max) }
    func isOpen(_ number: UInt32) -> Bool { sessions[number]?.isOpen == true }

    /// Hands a message to a client past its manager.
    func deliver(_ bytes: [UInt8], to number: UInt32) {
        guard let session = sessions[number], session.isOpen else { return }
        bytes.withUnsafeBytes { observer.received(session: session.handle, message: $0, at: now) }
    }

    private func end(_ number: UInt32, _ end: SessionEnd) {
        guard sessions[number]?.isOpen == true, let handle = sessions[number]?.handle else { return }
        sessions[number]?.isOpen = false
        observer.sessionClosed(session: handle, end: end, at: now)
    }

    // MARK: Broker

    /// The broker's connection breaks for these subscriptions, and nothing of it comes any more.
    func breakSubscriptions(of node: Int, where isHit: (SubscriptionID) -> Bool = { _ in true }) {
        let broken = nodes[node].subscribed.filter(isHit)
        nodes[node].subscribed.removeAll(where: isHit)
        for id in broken { tell(node, .brokerDown(id)) }
    }

    /// The broker gives a message to all that are subscribed.
    func relay(_ bytes: [UInt8]) {
        for node in nodes.indices {
            for id in nodes[node].subscribed { tell(node, .brokerMessage(id, bytes)) }
        }
    }

    // MARK: Publishing

    /// Notes a message of a publisher, to be published.
    func submit(_ publisher: Int) -> ProbeStamp {
        pass()
        let log = logs[publisher]
        let sequence = log.submit(channel: 0, intended: now, sent: now)
        return ProbeStamp(
            kind: log.isFence ? .fence : .load, run: Self.run, publisher: log.publisher, sequence: sequence,
            intended: now)
    }

    /// The message's bytes, now that it is handed over.
    func handOver(_ stamp: ProbeStamp) -> [UInt8] {
        pass()
        var stamp = stamp
        stamp.published = now
        logs[Int(stamp.publisher.rawValue)].published(channel: 0, sequence: stamp.sequence, at: now)
        return stamp.appended(to: #"{"name":"invalidateCache"}"#.utf8)
    }

    func acknowledged(_ stamp: ProbeStamp) {
        pass()
        logs[Int(stamp.publisher.rawValue)].acknowledged(channel: 0, sequence: stamp.sequence, at: now)
    }

    func failed(_ stamp: ProbeStamp, _ outcome: PublishOutcome) {
        pass()
        logs[Int(stamp.publisher.rawValue)].failed(
            channel: 0, sequence: stamp.sequence, outcome: outcome, at: now)
    }

    /// Publishes a message without any trouble, through the manager of the publisher's instance.
    @discardableResult
    func publish(_ publisher: Int) -> [UInt8] {
        let stamp = submit(publisher)
        let bytes = handOver(stamp)
        if context.manager == .memory {
            let id = BroadcastID(UInt64(broadcasts.count))
            broadcasts[id] = stamp
            let node = Int(logs[publisher].instance)
            tell(node, .publish(id, channels: [.events], bytes, closesClients: false))
        } else {
            relay(bytes)
            acknowledged(stamp)
        }
        return bytes
    }

    // MARK: Machines

    /// Tells a manager something and performs what follows.
    func tell(_ node: Int, _ input: ManagerInput<[UInt8]>) {
        inbox.append((node, input))
        guard !isDraining else { return }
        isDraining = true
        defer { isDraining = false }
        while !inbox.isEmpty {
            let next = inbox.removeFirst()
            var effects: [ManagerEffect<[UInt8]>] = []
            nodes[next.node].manager.handle(next.input, now: now, effects: &effects)
            for effect in effects { perform(effect, next.node) }
        }
    }

    private func perform(_ effect: ManagerEffect<[UInt8]>, _ node: Int) {
        switch effect {
        case .admit(let client, _): nodes[node].admitted.append(client)
        case .forget(let client): nodes[node].admitted.removeAll { $0 == client }
        case .send(let bytes, let recipients):
            for number in numbers(recipients, node) { deliver(bytes, to: number) }
        case .markGap, .pong, .pauseReading, .resumeReading: break
        case .close(let recipients, let close):
            for number in numbers(recipients, node) {
                if let text = close.lastText { deliver(Array(text.utf8), to: number) }
                end(number, .closedByServer(code: close.code))
                noticeClose(of: number)
            }
        case .drop(let recipients):
            for number in numbers(recipients, node) {
                end(number, .dropped)
                noticeClose(of: number)
            }
        case .subscribe(let id, _):
            nodes[node].subscribed.append(id)
            inbox.append((node, .brokerSubscribed(id)))
        case .unsubscribe(let id): nodes[node].subscribed.removeAll { $0 == id }
        case .broadcastDone(let id, let outcome): done(id, outcome, node)
        case .schedule(let timer, let instant): timers.append((node, timer, instant))
        case .trace(let trace): nodes[node].record.traced(trace, at: now, delivered: nil)
        }
    }

    private func done(_ id: BroadcastID, _ outcome: BroadcastOutcome, _ node: Int) {
        guard let stamp = broadcasts[id] else { return }
        switch outcome {
        case .delivered: acknowledged(stamp)
        case .aborted:
            nodes[node].record.fanOutAborted(publisher: stamp.publisher.rawValue, sequence: stamp.sequence)
            acknowledged(stamp)
        case .refused: failed(stamp, .failed)
        }
    }

    private func numbers(_ recipients: Recipients, _ node: Int) -> [UInt32] {
        let ids: [ClientID]
        switch recipients {
        case .channel: ids = nodes[node].admitted
        case .client(let client): ids = [client]
        case .clients(let clients): ids = Array(clients)
        }
        return ids.compactMap { nodes[node].numbers[$0] }
    }

    func broadcastThreadEnded(_ end: BroadcastThreadEnd, of node: Int) {
        nodes[node].record.broadcastThreadEnded(end, at: now)
    }

    // MARK: End

    /// Stops the instances.
    ///
    /// - Parameter queued: Updates that the broadcast thread of instance 0 has left.
    func stop(queued: Int = 0) {
        pass()
        context.shutdown = .init(at: now, leftovers: [.init(instance: 0, queued: queued)])
        pass()
        for node in nodes.indices { tell(node, .shutdown) }
    }

    /// Publishes the fence that proves that every session got all before it.
    func fence() { publish(fencePublisher) }

    /// Ends the run and settles it.
    func settle() throws -> Settlement {
        for number in sessions.keys.sorted() { end(number, .runEnded) }
        pass()
        for node in nodes { node.record.add(to: &context) }
        return try WSMVerify.settle(
            loops: [observer.snapshot()], history: logs.map { $0.snapshot() }, context: context)
    }
}
