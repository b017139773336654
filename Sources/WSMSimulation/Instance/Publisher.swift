import WSMCore
import WSMManagers
import WSMRecord

/// `broadcastData` for one simulated thread, which waits until it is done: as `ThreadPublisher` live, with the same machine.
final class Publisher {
    /// How long one connect, or one reply, may take.
    private static let redisDeadline = TimeSpan.seconds(5)

    private unowned let instance: Instance
    private let simulator: Simulator
    private var machine: BroadcastPublisher
    private var link: RedisLink?
    private var isCancelled = false
    /// The call that is under way.
    private var call: Call?
    /// Whether the connection broke since the last broadcast.
    private var isAfterLoss = false
    /// Whether replies are waited for.
    private var isExecuting = false
    /// Tells a late answer from the one that is waited for.
    private var attempt = 0
    /// The thread that waits, on a shared machine.
    private let thread: SimulatedThread?

    private struct Call {
        var broadcasts: [Broadcast]
        /// How many from the front are settled: acknowledged, or not to be sent again.
        var handled = 0
        var acknowledged = 0
        /// Where each broadcast is a call of its own: how many the machine is busy with, from `handled` on.
        var width: Int
        /// The places of those that the Memory manager is done with.
        var inMemory: Set<Int> = []
        var done: (Bool) -> Void
    }

    init(_ instance: Instance, entity: UInt64) {
        self.instance = instance
        simulator = instance.simulator
        thread = instance.setup.processors?.makeThread(
            entity < 1 << 32 ? .broadcaster : .publisher, warmth: instance.publishersWarmth)
        machine = BroadcastPublisher(
            policy: instance.setup.policies.publishing, seed: instance.setup.seed, entity: entity)
    }

    /// Publishes the broadcasts one after the other; with a persistent connection they leave in one write.
    ///
    /// One call at a time; `done` is told whether all were published for certain.
    func broadcast(_ broadcasts: [Broadcast], done: @escaping (Bool) -> Void) {
        instance.pass { [self] in begin(broadcasts, done) }
    }

    private func begin(_ broadcasts: [Broadcast], _ done: @escaping (Bool) -> Void) {
        guard !isCancelled, !instance.isDead, !broadcasts.isEmpty else {
            for broadcast in broadcasts { ended(broadcast, .failed) }
            return done(broadcasts.isEmpty)
        }
        let isOneByOne = instance.setup.kind == .broadcast && instance.setup.policies.publishing == .perBroadcast
        call = Call(broadcasts: broadcasts, width: isOneByOne ? 1 : broadcasts.count, done: done)
        let more = instance.setup.kind == .broadcast ? instance.costs.publishToRedis : .zero
        let each = instance.costs.publish + more
        let cost = TimeSpan(nanoseconds: each.nanoseconds * Int64(broadcasts.count))
        compute(cost) { [self] in
            instance.pass { [self] in
                guard call != nil else { return }
                if instance.setup.kind == .memory { publishInMemory() } else { act(on: .publish) }
            }
        }
    }

    /// Spends CPU time, on the thread's own core or on one that all share.
    private func compute(_ span: TimeSpan, then body: @escaping () -> Void) {
        guard let thread else { return simulator.after(span, .publisher, instance.setup.index, body) }
        let factor = thread.nextFactor()
        let half = TimeSpan(nanoseconds: span.nanoseconds * factor / 2000)
        // Whoever calls has just run: the thread is awake. It has half of its work behind the hand-over, until it sleeps.
        thread.submit(.timer) { Work(length: half, done: body) }
        thread.submit(.timer) { Work(length: half) }
    }

    /// Nobody waits for it any more: the call under way ends at once.
    func cancel() {
        isCancelled = true
        guard let call else { return }
        if instance.setup.kind == .memory { leaveMemory(call) } else { finish(call, .failed) }
    }

    private func finish(_ ended: Call, _ rest: PublishEnd) {
        call = nil
        isExecuting = false
        attempt += 1
        for broadcast in ended.broadcasts.dropFirst(ended.handled) { self.ended(broadcast, rest) }
        ended.done(ended.acknowledged == ended.broadcasts.count)
    }

    private func ended(_ broadcast: Broadcast, _ outcome: PublishEnd) {
        if outcome == .acknowledged { instance.counts.published += 1 } else { instance.counts.failed += 1 }
        instance.probe?.ended(broadcast.stamp, outcome, at: simulator.now)
    }

    /// The next broadcast is handed over now.
    private func publish(_ index: Int) -> Message? {
        guard let message = call?.broadcasts[index].publish(at: simulator.now) else { return nil }
        instance.probe?.published(message.stamp)
        return message
    }

    // MARK: Memory

    private func publishInMemory() {
        guard let call else { return }
        for (index, broadcast) in call.broadcasts.enumerated() {
            guard let message = publish(index) else { return }
            instance.broadcastInMemory(broadcast.channels, message) { [self] outcome in
                wake { [self] in endedInMemory(index, outcome) }
            }
        }
    }

    /// Wakes the thread that waits for the event loop's answer.
    private func wake(_ body: @escaping () -> Void) {
        guard let thread else { return body() }
        thread.perform(as: instance.setup.loop) { wakeThread(body) }
    }

    /// Lets its thread do something once it has woken; without a shared machine it takes ``CostModel/wake`` for that.
    func wakeThread(_ body: @escaping () -> Void) {
        guard let thread else {
            return simulator.after(instance.costs.wake, .broadcastThread, instance.setup.index, body)
        }
        thread.submit(.byThread) { Work(length: .zero, done: body) }
    }

    private func endedInMemory(_ index: Int, _ outcome: BroadcastOutcome) {
        guard var current = call else { return }
        let broadcast = current.broadcasts[index]
        current.inMemory.insert(index)
        switch outcome {
        case .delivered, .aborted:
            // A walk that a dead socket ended is no failure to its caller: the reference swallows it.
            if case .aborted = outcome { instance.probe?.fanOutAborted(broadcast.stamp) }
            current.acknowledged += 1
            ended(broadcast, .acknowledged)
        case .refused: ended(broadcast, .failed)
        }
        call = current
        guard current.inMemory.count == current.broadcasts.count else { return }
        current.handled = current.broadcasts.count
        finish(current, .failed)
    }

    /// Nobody waits for the walks that are half-way.
    private func leaveMemory(_ current: Call) {
        for (index, broadcast) in current.broadcasts.enumerated() where !current.inMemory.contains(index) {
            instance.probe?.fanOutAborted(broadcast.stamp)
            ended(broadcast, .maybePublished)
        }
        var current = current
        current.handled = current.broadcasts.count
        finish(current, .failed)
    }

    // MARK: Redis

    private func act(on event: BroadcastPublisher.Event) {
        let riskyBefore = machine.riskyRetries
        let action = machine.handle(event, now: simulator.now)
        instance.counts.riskyRetries += machine.riskyRetries - riskyBefore
        switch action {
        case .connect: connect()
        case .execute: execute()
        case .wait(let span):
            later(span) { [self] in instance.pass { [self] in if call != nil { act(on: .waited) } } }
        case .done(let outcome): done(outcome)
        }
    }

    /// Goes on after a while, unless the call has ended by then.
    private func later(_ span: TimeSpan, _ body: @escaping () -> Void) {
        let number = attempt
        simulator.after(span, .publisher, instance.setup.index) { [self] in
            if call != nil, attempt == number { body() }
        }
    }

    private func connect() {
        guard let redis = instance.setup.redis else { return }
        attempt += 1
        let number = attempt
        redis.connect(through: instance.setup.redisRelay) { [self] link in
            guard call != nil, attempt == number, !instance.isDead else {
                if let link { redis.close(link) }
                return
            }
            self.link = link
            link?.closed = { [self] in lost() }
            link?.receive = { [self] output in
                guard let thread else { return replied(output) }
                // The reply has to wake the thread that waits for it.
                thread.submit(.byThread) { [self] in Work(length: .zero, done: { [self] in replied(output) }) }
            }
            attempt += 1
            act(on: link == nil ? .connectFailed : .connected)
        }
    }

    private func execute() {
        guard let redis = instance.setup.redis, let call else { return }
        guard let link, link.isUsable else {
            disconnect()
            return act(on: .failed(maybePublished: false))
        }
        for index in call.handled..<min(call.handled + call.width, call.broadcasts.count) {
            guard let message = publish(index) else { return }
            var channels = call.broadcasts[index].channels
            instance.saboteur?.bend(&channels, place: index - call.handled, isAfterLoss: isAfterLoss)
            redis.send(.publish(channels, message), on: link)
        }
        isExecuting = true
        isAfterLoss = false
        attempt += 1
        later(Self.redisDeadline) { [self] in lost() }
    }

    private func replied(_ output: [RedisOutput]) {
        for item in output {
            guard case .published = item, var current = call else { continue }
            ended(current.broadcasts[current.handled], .acknowledged)
            current.handled += 1
            current.acknowledged += 1
            current.width -= 1
            call = current
            // Each reply is waited for anew.
            attempt += 1
            if current.width == 0 {
                isExecuting = false
                act(on: .acknowledged)
            } else {
                later(Self.redisDeadline) { [self] in lost() }
            }
        }
    }

    /// The connection is gone, or has been silent for too long.
    private func lost() {
        disconnect()
        isAfterLoss = true
        // Between two calls, or before this one has sent anything: it is noticed when it sends.
        guard isExecuting, var current = call else { return }
        isExecuting = false
        attempt += 1
        guard instance.setup.policies.publishing == .persistent else { return act(on: .failed(maybePublished: true)) }
        // What was sent may be published: it is not sent again.
        for index in current.handled..<(current.handled + current.width) {
            ended(current.broadcasts[index], .maybePublished)
        }
        current.handled += current.width
        current.width = 0
        call = current
        act(on: .failed(maybePublished: true))
    }

    private func done(_ outcome: BroadcastPublisher.Outcome) {
        if outcome.closesConnection { disconnect() }
        guard var current = call else { return }
        // The reference awaits each call before the next; a failure ends the update that it belongs to.
        if outcome.result == .published, current.handled < current.broadcasts.count {
            current.width = 1
            call = current
            return act(on: .publish)
        }
        let failed: PublishEnd = outcome.result == .maybePublished ? .maybePublished : .failed
        if current.width > 0, failed == .maybePublished {
            ended(current.broadcasts[current.handled], failed)
            current.handled += 1
        }
        finish(current, instance.setup.policies.publishing == .persistent ? failed : .failed)
    }

    private func disconnect() {
        if let link { instance.setup.redis?.close(link) }
        link = nil
    }
}
