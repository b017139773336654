internal import NIOCore
internal import Synchronization
public import WSMCore
internal import WSMManagers
internal import WSMRedis

/// `broadcastData` for one thread: it publishes in its own order and returns when the broadcasts are done.
///
/// It blocks, and belongs to the one thread that uses it: a worker, a broadcast thread, a publisher of a load. Made by
/// ``LiveWebSocketManager/makePublisher(entity:)``.
public final class ThreadPublisher {
    private let manager: LiveWebSocketManager
    private var machine: BroadcastPublisher
    private var connection: RedisPublisher?
    private let cancelled: Cancellation
    /// Told of each broadcast of the present call, by its place, and whether it was published for certain.
    private var onEnd: ((Int, Bool) -> Void)?

    /// How long one connect, or one reply, may take.
    private static let redisDeadline = TimeSpan.seconds(5)

    init(manager: LiveWebSocketManager, entity: UInt64, cancelled: Cancellation) {
        self.manager = manager
        self.cancelled = cancelled
        machine = BroadcastPublisher(
            policy: manager.configuration.policies.publishing, seed: manager.configuration.seed, entity: entity)
    }

    /// Publishes the broadcasts one after the other; with a persistent connection they leave in one write.
    ///
    /// - Returns: Whether all were published for certain.
    @discardableResult
    public func broadcastData(_ broadcasts: [Broadcast]) -> Bool { broadcastData(broadcasts) { _, _ in } }

    /// The same; `ended` is told of each by its place, once, and whether it was published for certain.
    @discardableResult
    func broadcastData(_ broadcasts: [Broadcast], ended: (Int, Bool) -> Void) -> Bool {
        guard manager.configuration.enabled else {
            for index in broadcasts.indices { ended(index, true) }
            return true
        }
        return withoutActuallyEscaping(ended) { ended in
            onEnd = ended
            defer { onEnd = nil }
            return publish(broadcasts)
        }
    }

    private func publish(_ broadcasts: [Broadcast]) -> Bool {
        manager.standStill.pass()
        guard !cancelled.isCancelled else {
            for (index, broadcast) in broadcasts.enumerated() { ended(index, broadcast.stamp, .failed) }
            return false
        }
        switch manager.configuration.kind {
        case .memory: return publishInMemory(broadcasts)
        case .broadcast:
            guard manager.configuration.policies.publishing == .perBroadcast else {
                return publishToRedis(broadcasts[...])
            }
            // The reference awaits each call before the next; a failure ends the update that it belongs to.
            for index in broadcasts.indices {
                guard publishToRedis(broadcasts[index...index]) else {
                    for rest in broadcasts.indices[(index + 1)...] { ended(rest, broadcasts[rest].stamp, .failed) }
                    return false
                }
            }
            return true
        }
    }

    /// Publishes one broadcast; see ``broadcastData(_:)``.
    @discardableResult
    public func broadcastData(_ channels: [ChannelName], json: String) -> Bool {
        broadcastData([Broadcast(channels: channels, json: Array(json.utf8))])
    }

    // MARK: Memory

    private func publishInMemory(_ broadcasts: [Broadcast]) -> Bool {
        let now = MonotonicInstant.now()
        var stamps: [ProbeStamp?] = []
        let items = broadcasts.map { broadcast in
            let (bytes, stamp) = broadcast.wireBytes(publishedAt: now)
            if let stamp { manager.probe?.published(stamp) }
            stamps.append(stamp)
            return (broadcast.channels, ByteBuffer(bytes: bytes), broadcast.closesClients)
        }
        var all = true
        manager.broadcastInMemory(items, isCancelled: { cancelled.isCancelled }) { index, outcome in
            if !endedInMemory(index, stamps[index], outcome) { all = false }
        }
        return all
    }

    /// Reports how a broadcast in memory ended; false when its caller is to know of a failure.
    private func endedInMemory(_ index: Int, _ stamp: ProbeStamp?, _ outcome: BroadcastOutcome?) -> Bool {
        let end = manager.endInMemory(of: stamp, outcome)
        ended(index, stamp, end)
        return end == .acknowledged
    }

    // MARK: Redis

    /// `handled` broadcasts from the front are settled: acknowledged, or not to be sent again.
    private func publishToRedis(_ broadcasts: ArraySlice<Broadcast>) -> Bool {
        var handled = 0
        var acknowledged = 0
        var event = BroadcastPublisher.Event.publish
        let riskyBefore = machine.riskyRetries
        defer { manager.counters.countRiskyRetries(machine.riskyRetries - riskyBefore) }
        while true {
            switch machine.handle(event, now: .now()) {
            case .connect: event = connect()
            case .execute: event = execute(broadcasts, handled: &handled, acknowledged: &acknowledged)
            case .wait(let span):
                if cancelled.wait(until: .now() + span) {
                    // Nobody publishes with this publisher any more, so its machine may stay where it is.
                    disconnect()
                    endAll(broadcasts.dropFirst(handled), .failed)
                    return false
                }
                manager.standStill.pass()
                event = .waited
            case .done(let outcome):
                if outcome.closesConnection { disconnect() }
                let rest: PublishEnd = outcome.result == .maybePublished ? .maybePublished : .failed
                endAll(broadcasts.dropFirst(handled), rest)
                return acknowledged == broadcasts.count
            }
        }
    }

    private func connect() -> BroadcastPublisher.Event {
        guard !cancelled.isCancelled, let router = manager.router else { return .connectFailed }
        do throws(RedisError) {
            connection = try RedisPublisher(
                router, deadline: Self.redisDeadline, eventLoop: manager.eventLoop)
            return .connected
        } catch {
            return .connectFailed
        }
    }

    private func execute(
        _ broadcasts: ArraySlice<Broadcast>, handled: inout Int, acknowledged: inout Int
    ) -> BroadcastPublisher.Event {
        guard !cancelled.isCancelled, let connection, connection.isUsable else {
            return .failed(maybePublished: false)
        }
        let first = broadcasts.startIndex + handled
        let pending = Array(broadcasts.dropFirst(handled))
        let now = MonotonicInstant.now()
        let batches = pending.map { broadcast in
            let (bytes, stamp) = broadcast.wireBytes(publishedAt: now)
            if let stamp { manager.probe?.published(stamp) }
            return broadcast.channels.map { (channel: $0, payload: bytes) }
        }
        guard manager.configuration.policies.publishing == .persistent else {
            return executeTransaction(first, pending[0], batches[0], on: connection, &handled, &acknowledged)
        }
        var settled = 0
        var confirmed = 0
        var unsettled: [Int] = []
        connection.publishPipelined(batches) { reply in
            if reply.isSettled {
                // Sent again it would come after this one: it is given up.
                for index in unsettled { ended(first + index, pending[index].stamp, .failed, at: reply.at) }
                unsettled.removeAll()
            }
            switch reply.receivers {
            case .success:
                ended(first + reply.index, pending[reply.index].stamp, .acknowledged, at: reply.at)
                confirmed += 1
                settled = reply.index + 1
            case .failure(let error) where reply.isSettled:
                let end: PublishEnd = error.maybePublished ? .maybePublished : .failed
                ended(first + reply.index, pending[reply.index].stamp, end, at: reply.at)
                settled = reply.index + 1
            case .failure: unsettled.append(reply.index)
            }
        }
        handled += settled
        acknowledged += confirmed
        if handled < broadcasts.count { return .failed(maybePublished: false) }
        return connection.isUsable ? .acknowledged : .failed(maybePublished: true)
    }

    /// One broadcast as the reference publishes it; whether it is tried again is the machine's decision.
    private func executeTransaction(
        _ index: Int, _ broadcast: Broadcast, _ messages: [RedisPublisher.Publication],
        on connection: RedisPublisher, _ handled: inout Int, _ acknowledged: inout Int
    ) -> BroadcastPublisher.Event {
        do throws(RedisError) {
            _ = try connection.publish(messages)
            ended(index, broadcast.stamp, .acknowledged)
            handled += 1
            acknowledged += 1
            return .acknowledged
        } catch {
            return error.code == .serverError ? .refused : .failed(maybePublished: error.maybePublished)
        }
    }

    private func disconnect() {
        connection?.close()
        connection = nil
    }

    private func endAll(_ broadcasts: ArraySlice<Broadcast>, _ outcome: PublishEnd) {
        for index in broadcasts.indices { ended(index, broadcasts[index].stamp, outcome) }
    }

    private func ended(
        _ index: Int, _ stamp: ProbeStamp?, _ outcome: PublishEnd, at instant: MonotonicInstant = .now()
    ) {
        onEnd?(index, outcome == .acknowledged)
        manager.ended(stamp, outcome, at: instant)
    }
}

extension RedisPublishAcknowledgement {
    /// Whether it is not to be sent again: published, sent without a reply, or refused by the server.
    fileprivate var isSettled: Bool {
        switch receivers {
        case .success: true
        case .failure(let error): error.maybePublished || error.code == .serverError
        }
    }
}

/// Tells publishing threads that nobody waits for them any more.
final class Cancellation: Sendable {
    private let state = Monitor(false)

    var isCancelled: Bool { state.withLock { $0 } }
    func cancel() { state.update { $0 = true } }
    /// Waits for the instant or the cancellation; returns whether it was cancelled.
    func wait(until instant: MonotonicInstant) -> Bool { state.wait(until: instant) { $0 ? true : nil } ?? false }
}

extension LiveWebSocketManager {
    /// Counts how a broadcast ended, and tells the probe.
    func ended(_ stamp: ProbeStamp?, _ end: PublishEnd, at instant: MonotonicInstant = .now()) {
        if end == .acknowledged { counters.countPublished() } else { counters.countFailed() }
        if let stamp { probe?.ended(stamp, end, at: instant) }
    }

    /// What the Memory manager's outcome means to the publisher; `nil`: nobody waited for it, and it may be half-way.
    func endInMemory(of stamp: ProbeStamp?, _ outcome: BroadcastOutcome?) -> PublishEnd {
        switch outcome {
        case .delivered: return .acknowledged
        case .aborted:
            // A walk that a dead socket ended is no failure to its caller: the reference swallows it.
            if let stamp { probe?.fanOutAborted(stamp) }
            return .acknowledged
        case .refused: return .failed
        case nil:
            if let stamp { probe?.fanOutAborted(stamp) }
            return .maybePublished
        }
    }

    /// A publisher for the calling thread.
    ///
    /// - Parameter entity: Tells the random draws of one publisher from another's.
    public func makePublisher(entity: UInt64) -> ThreadPublisher {
        ThreadPublisher(manager: self, entity: entity, cancelled: publishersCancelled)
    }
}
