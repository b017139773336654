import NIOCore
import WSMCore

/// The half of ``RedisClient`` that sends commands.
///
/// Belongs to its event loop.
final class RedisCommandLink {
    private typealias Waiting = (command: RedisCommand, promise: EventLoopPromise<RedisReply>)

    private let url: RedisURL
    private let eventLoop: any EventLoop
    private let options: RedisClient.Options
    private var random: CounterRNG
    private var machine: RedisLinkStateMachine
    private var waiting: WaitingCommands<Waiting>
    private var connection: RedisConnection?
    private var lastError: RedisError?
    private var reconnectTimer: Scheduled<Void>?
    private var deadlineTimer: (scheduled: Scheduled<Void>, at: MonotonicInstant)?

    init(url: RedisURL, eventLoop: any EventLoop, options: RedisClient.Options, random: CounterRNG) {
        self.url = url
        self.eventLoop = eventLoop
        self.options = options
        self.random = random
        machine = RedisLinkStateMachine(backoff: options.backoff)
        waiting = WaitingCommands(maximum: options.maximumWaitingCommands)
    }

    func send(_ command: RedisCommand, deadline: TimeSpan, promise: EventLoopPromise<RedisReply>) {
        guard !machine.isClosed else { return promise.fail(closed()) }
        if let connection {
            return connection.send(command, deadline: deadline).cascade(to: promise)
        }
        let due = eventLoop.instant + deadline
        guard waiting.append((command, promise), deadline: due) else {
            let error = RedisError(
                .tooManyPending,
                "\(options.maximumWaitingCommands) commands already wait for a connection to Redis at \(url)",
                cause: lastError)
            return promise.fail(error)
        }
        setDeadlineTimer(for: due)
        if machine.needed() == .connect { connect() }
    }

    func close() {
        machine.close()
        reconnectTimer?.cancel()
        deadlineTimer?.scheduled.cancel()
        for (token, _) in waiting.takeAll() { token.promise.fail(closed()) }
        connection?.close()
        connection = nil
    }

    private func closed() -> RedisError {
        RedisError(.closed, "the client of Redis at \(url) was closed by its owner")
    }

    private func connect() {
        let opening = RedisConnection.connect(
            to: url, on: eventLoop, deadline: options.connectDeadline, options: options.connection)
        opening.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let connection): self.opened(connection)
            case .failure(let error): self.failed(error as? RedisError)
            }
        }
    }

    private func opened(_ connection: RedisConnection) {
        guard machine.opened() == .use else { return connection.close() }
        self.connection = connection
        lastError = nil
        connection.ended.assumeIsolated().whenSuccess { error in
            guard self.connection === connection else { return }
            self.connection = nil
            self.failed(error)
        }
        let now = eventLoop.instant
        for (token, deadline) in waiting.takeAll() {
            connection.send(token.command, deadline: deadline - now).cascade(to: token.promise)
        }
    }

    private func failed(_ error: RedisError?) {
        lastError = error
        guard case .wait(let span) = machine.failed(unit: random.unit()) else { return }
        reconnectTimer = eventLoop.assumeIsolated().scheduleTask(in: span.timeAmount) {
            if self.machine.timerFired() == .connect { self.connect() }
        }
    }

    private func setDeadlineTimer(for due: MonotonicInstant) {
        if let deadlineTimer, deadlineTimer.at <= due { return }
        deadlineTimer?.scheduled.cancel()
        let at = NIODeadline.uptimeNanoseconds(UInt64(clamping: due.nanoseconds))
        let scheduled = eventLoop.assumeIsolated().scheduleTask(deadline: at) { self.expire() }
        deadlineTimer = (scheduled, due)
    }

    private func expire() {
        deadlineTimer = nil
        for token in waiting.takeExpired(now: eventLoop.instant) {
            let why = lastError.map { ": \($0.message)" } ?? ""
            token.promise.fail(
                RedisError(.timedOut, "there was no connection to Redis at \(url) in time\(why)", cause: lastError))
        }
        if let next = waiting.earliestDeadline { setDeadlineTimer(for: next) }
    }
}

/// The half of ``RedisClient`` that is subscribed: performs what its state machine says.
///
/// Belongs to its event loop.
final class RedisSubscriberLink {
    private let url: RedisURL
    private let eventLoop: any EventLoop
    private let options: RedisClient.Options
    private let receive: RedisClient.Handler
    private var random: CounterRNG
    private var machine: RedisSubscriberStateMachine
    private var subscription: RedisSubscription?
    private var reconnectTimer: Scheduled<Void>?
    private var isClosed = false
    /// Which connection an event is of: those of an earlier one are let go.
    private var generation = 0

    init(
        url: RedisURL, eventLoop: any EventLoop, options: RedisClient.Options, random: CounterRNG,
        receive: @escaping RedisClient.Handler
    ) {
        self.url = url
        self.eventLoop = eventLoop
        self.options = options
        self.random = random
        self.receive = receive
        machine = RedisSubscriberStateMachine(backoff: options.backoff)
    }

    func subscribe(_ channels: [ChannelName]) {
        perform(machine.subscribe(channels))
    }

    func unsubscribe(_ channels: [ChannelName]) {
        perform(machine.unsubscribe(channels, now: eventLoop.instant))
    }

    func close() {
        isClosed = true
        generation += 1
        reconnectTimer?.cancel()
        perform(machine.close())
    }

    private func perform(_ actions: [RedisSubscriberStateMachine.Action]) {
        for action in actions {
            switch action {
            case .connect: connect()
            case .wait(let span):
                reconnectTimer = eventLoop.assumeIsolated().scheduleTask(in: span.timeAmount) {
                    self.perform(self.machine.timerFired())
                }
            case .subscribe(let channels): subscription?.subscribe(channels)
            case .unsubscribe(let channels): subscription?.unsubscribe(channels)
            case .report(let event): if !isClosed { receive(event) }
            case .closeConnection:
                subscription?.close()
                subscription = nil
            }
        }
    }

    private func connect() {
        generation += 1
        let generation = generation
        let link = NIOLoopBound(self, eventLoop: eventLoop)
        let opening = RedisSubscription.connect(
            to: url, on: eventLoop, deadline: options.connectDeadline, options: options.subscription
        ) { event in
            link.value.handle(event, of: generation)
        }
        opening.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let subscription):
                self.subscription = subscription
                self.perform(self.machine.opened(now: self.eventLoop.instant))
            case .failure(let error): self.failed(error as? RedisError)
            }
        }
    }

    private func failed(_ error: RedisError?) {
        subscription = nil
        let error = error ?? RedisError(.connectFailed, "cannot connect to Redis at \(url)")
        perform(machine.failed(error, now: eventLoop.instant, unit: random.unit()))
    }

    private func handle(_ event: RedisSubscriptionEvent, of generation: Int) {
        guard generation == self.generation else { return }
        switch event {
        case .message(let channel, let payload):
            if machine.wants(channel) { receive(.message(channel: channel, payload: payload)) }
        case .batchComplete: receive(.batchComplete)
        case .subscribed(let channel): perform(machine.confirmed(channel, now: eventLoop.instant))
        case .unsubscribed(let channel): perform(machine.removed(channel))
        case .down(let error): failed(error)
        }
    }
}
