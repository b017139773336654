internal import NIOCore
internal import WSMCore

/// Listens to the sentinels for a new master.
///
/// After an orderly failover the old master goes on for some ten seconds as if nothing had happened, before the sentinels
/// make it a replica: who is connected to it stays, and who connects anew gets the new one. Whoever listens moves at once.
///
/// Confined to its event loop.
final class SentinelWatch {
    static let channel: ChannelName = ChannelName("+switch-master")
    private static let retryAfter = TimeSpan.milliseconds(200)

    private let sentinels: [RedisURL]
    private let master: String
    private let eventLoop: any EventLoop
    private let connectDeadline: TimeSpan
    private let changed: (RedisURL?) -> Void
    private var subscription: RedisSubscription?
    private var next = 0
    /// Which connection an event is of: those of an earlier one are let go.
    private var generation = 0
    private var isStopped = false

    /// - Parameter changed: Told of each new master, on the event loop; of `nil` when the sentinel is gone, since another may be
    ///   changed unheard then.
    init(
        _ sentinels: [RedisURL], master: String, on eventLoop: any EventLoop, connectDeadline: TimeSpan,
        changed: @escaping (RedisURL?) -> Void
    ) {
        self.sentinels = sentinels
        self.master = master
        self.eventLoop = eventLoop
        self.connectDeadline = connectDeadline
        self.changed = changed
    }

    /// Listens at one sentinel, at the next when that one is gone, until ``stop()``.
    func start() {
        guard !isStopped, !sentinels.isEmpty else { return }
        let sentinel = sentinels[next % sentinels.count]
        next += 1
        generation += 1
        let generation = generation
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        var options = RedisSubscription.Options()
        options.healthCheckInterval = .seconds(1)
        options.healthCheckDeadline = .seconds(1)
        RedisSubscription.connect(
            to: sentinel, on: eventLoop, deadline: connectDeadline, options: options
        ) { event in
            bound.value.handle(event, of: generation)
        }.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let subscription) where !self.isStopped:
                self.subscription = subscription
                subscription.subscribe(Self.channel)
            case .success(let subscription): subscription.close()
            case .failure: self.tryAgain()
            }
        }
    }

    func stop() {
        isStopped = true
        generation += 1
        subscription?.close()
        subscription = nil
    }

    private func handle(_ event: RedisSubscriptionEvent, of generation: Int) {
        guard generation == self.generation else { return }
        switch event {
        case .message(_, let payload):
            if let url = Self.newMaster(String(buffer: payload), named: master) { changed(url) }
        case .down: tryAgain()
        case .subscribed, .unsubscribed, .batchComplete: break
        }
    }

    private func tryAgain() {
        subscription = nil
        changed(nil)
        eventLoop.assumeIsolated().scheduleTask(in: Self.retryAfter.timeAmount) { self.start() }
    }

    /// The new address in `name old-host old-port new-host new-port`; `nil` for another master, and for what is no such text.
    static func newMaster(_ text: String, named name: String) -> RedisURL? {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 5, words[0] == name, NodeAddress.isHost(words[3]), let port = Int(decimal: words[4]),
            (1...65_535).contains(port)
        else { return nil }
        return RedisURL(address: .tcp(host: String(words[3]), port: port))
    }
}
